//! The clients, and one that plays recorded calls back.

use std::sync::Arc;

use super::call::Asked;
use super::{KEYS, Place, Scene, now_secs};
use crate::address::Op;
use crate::executor::Surroundings as _;

/// How often a client repeats a call that got no answer or `SystemBusy`.
const RETRIES_MAX: usize = 3;

/// How often a call is played back at most.
const REPLAYS_MAX: u64 = 5;

impl<P: Place> Scene<P> {
    /// Plays a client.
    pub(crate) async fn client(self: Arc<Self>, number: u64) {
        self.sim.sleep(self.sim.draw(20_000)).await;
        let calls = if self.plan.is_troubled { self.sim.draw(self.plan.calls_max) + 1 } else { 1 };
        for call in 0..calls {
            let (address_id, op) = self.draw_op(number);
            for retry in 0..=RETRIES_MAX {
                let (access_key_id, timestamp_secs) = (self.draw_key(), self.draw_timestamp());
                let nonce = self.draw_nonce(&format!("{number}-{call}-{retry}"));
                let address_id = address_id.clone();
                let asked = Asked { access_key_id, nonce, timestamp_secs, address_id, op };
                let instance = self.draw_index(self.ahead_secs.len());
                let answer = self.send(self.sign(asked), instance).await;
                let code = answer.map(|answer| answer.code);
                let per_mille = match code.as_ref().map(Option::as_deref) {
                    _ if !self.plan.is_troubled => 0,
                    None | Some(Some("SystemBusy" | "Throttling.User")) => 600,
                    // The answer may be lost after the end of the simulation.
                    Some(None) => 100,
                    Some(Some(_)) => 0,
                };
                if !self.sim.chance(per_mille) {
                    break;
                }
                self.sim.note("call repeated with its token", String::new);
                self.sim.sleep(self.sim.draw(500_000)).await;
            }
            self.pause().await;
        }
    }

    /// Plays recorded calls back, mostly shortly before their timestamps expire.
    pub(crate) async fn replayer(self: Arc<Self>) {
        for _ in 0..self.sim.draw(REPLAYS_MAX + 1) {
            self.pause().await;
            let recorded = {
                let calls = self.log().calls.len();
                if calls == 0 {
                    continue;
                }
                let number = self.draw_index(calls);
                self.log().calls[number].clone()
            };
            let instance = self.draw_index(self.ahead_secs.len());
            if self.sim.chance(600) {
                let at_secs = recorded.timestamp_secs + 898 + self.sim.draw(5);
                let wait_secs = at_secs.saturating_sub(self.instance_secs(instance));
                self.sim.sleep(wait_secs * 1_000_000).await;
            }
            self.sim.note("call played back", String::new);
            self.send(recorded, instance).await;
        }
    }

    /// Waits: mostly for less than a request takes, now and then until the next window of the
    /// quota, or until a timestamp has expired.
    pub(crate) async fn pause(&self) {
        let micros = match self.sim.draw(100) {
            0..80 => self.sim.draw(30_000),
            80..92 => self.sim.draw(60_000_000),
            _ => 890_000_000 + self.sim.draw(20_000_000),
        };
        self.sim.sleep(micros).await;
    }

    fn draw_op(&self, client: u64) -> (String, Op) {
        if !self.plan.is_troubled {
            let op = Op::Allocate { token: Some(0), mbps: 1 };
            return (format!("ipv6-{}", client + 1), op);
        }
        let address_id = format!("ipv6-{}", 1 + self.sim.draw(self.addresses));
        let token = self.sim.chance(700).then(|| self.sim.draw(3));
        let mbps = 1 + u16::try_from(self.sim.draw(2)).unwrap();
        let op = match self.sim.draw(10) {
            0..4 => Op::Allocate { token, mbps },
            4..6 => Op::Modify { token, mbps: mbps + 2 },
            6..8 => Op::Delete { token },
            8 => Op::DryRun { mbps },
            _ => Op::Describe { is_listed: self.sim.chance(500) },
        };
        (address_id, op)
    }

    fn draw_key(&self) -> &'static str {
        if self.plan.is_troubled { KEYS[self.draw_index(KEYS.len())] } else { KEYS[0] }
    }

    /// Now, or at the edge of the accepted times.
    fn draw_timestamp(&self) -> u64 {
        let now_secs = now_secs(&self.sim);
        if !self.plan.is_troubled || self.sim.chance(700) {
            return now_secs;
        }
        let skew_secs = 899 + self.sim.draw(3);
        if self.sim.chance(500) { now_secs + skew_secs } else { now_secs - skew_secs }
    }

    /// A new nonce, or now and then an earlier one.
    fn draw_nonce(&self, fresh: &str) -> String {
        let calls = self.log().calls.len();
        if self.plan.is_troubled && calls > 0 && self.sim.chance(50) {
            let number = self.draw_index(calls);
            return self.log().calls[number].nonce.clone();
        }
        fresh.to_owned()
    }
}
