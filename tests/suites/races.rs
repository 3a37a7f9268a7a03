//! Many callers at once: one allocates, and each gets a documented answer (decision `race`).

mod changes;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::store::Store;
use harness::client::Wire;
use reqwest::Method;
use tokio::sync::Barrier;

use crate::now_secs;
use crate::support::{
    self, ALREADY_EXISTED, BUSY, Clients, Outcome, Time, Yielding, allocate_under, bandwidth_of,
    endpoint, fill, instance, outcome, refused, sign,
};
use crate::worlds::{account, one_address};

const CALLERS: usize = 64;

pub use changes::{
    of_64_callers_who_buy_change_and_delete_all_fit_one_order,
    of_64_callers_with_one_token_one_changes_and_all_get_its_answer,
    of_64_callers_with_one_token_one_deletes_and_all_get_its_answer,
};

/// Which token a caller uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tokens {
    Own,
    One,
    Two,
}

impl Tokens {
    fn of(self, caller: usize) -> String {
        match self {
            Self::Own => format!("token-{caller}"),
            Self::One => "token".to_owned(),
            Self::Two => format!("token-{}", caller % 2),
        }
    }

    /// How many callers have the winner's token.
    fn of_winner(self) -> usize {
        match self {
            Self::Own => 1,
            Self::One => CALLERS,
            Self::Two => CALLERS / 2,
        }
    }

    fn sign(self, now_secs: u64) -> Vec<Wire> {
        let request = |caller| allocate_under(&self.of(caller), "ipv6-1");
        (0..CALLERS).map(|caller| sign(&request(caller), now_secs)).collect()
    }
}

/// Sends all calls at once, each with the number of its caller. Returns the outcomes in that order.
async fn race<F>(wires: Vec<Wire>, send: impl Fn(usize, Wire) -> F) -> Vec<Outcome>
where
    F: Future<Output = Outcome> + Send + 'static,
{
    let start = Arc::new(Barrier::new(wires.len()));
    let calls = wires.into_iter().enumerate().map(|(caller, wire)| {
        let (start, call) = (Arc::clone(&start), send(caller, wire));
        tokio::spawn(async move {
            start.wait().await;
            call.await
        })
    });
    let mut outcomes = Vec::new();
    for call in calls.collect::<Vec<_>>() {
        outcomes.push(call.await.unwrap());
    }
    outcomes
}

/// Judges a race for the address that now has `held`, and returns how many callers were answered
/// `SystemBusy`.
fn judge(tokens: Tokens, outcomes: &[Outcome], held: Option<String>) -> usize {
    let mut counts: BTreeMap<&Outcome, usize> = BTreeMap::new();
    for outcome in outcomes {
        *counts.entry(outcome).or_default() += 1;
    }
    let count = |outcome: &Outcome| counts.get(outcome).copied().unwrap_or(0);
    let bought = count(&Outcome::Bought(held.expect("somebody has won")));
    let busy = count(&refused(BUSY));
    let refused = count(&refused(ALREADY_EXISTED));
    // No other answer, and no other bandwidth.
    assert_eq!(bought + busy + refused, CALLERS, "{tokens:?}: {counts:?}");
    assert!(bought <= tokens.of_winner(), "{tokens:?}: {counts:?}");
    assert!(refused <= CALLERS - tokens.of_winner(), "{tokens:?}: {counts:?}");
    busy
}

pub async fn race_on<S: Store + 'static>(clients: Clients<S>, tokens: Tokens) -> usize {
    fill(&*clients[0], &one_address()).await;
    let time = Time::default();
    let instances = clients.clone().map(|client| Arc::new(instance(Yielding(client), &time)));
    let outcomes = race(tokens.sign(time.now_secs()), |caller, wire| {
        let instance = Arc::clone(&instances[caller % 2]);
        async move { outcome(&support::send(&instance, &wire).await) }
    })
    .await;
    judge(tokens, &outcomes, bandwidth_of(&*clients[1], "ipv6-1").await)
}

pub async fn of_64_callers_with_tokens_of_their_own_one_allocates<S: Store + 'static>(
    clients: Clients<S>,
) {
    race_on(clients, Tokens::Own).await;
}

pub async fn of_64_callers_with_one_token_all_get_the_same_bandwidth<S: Store + 'static>(
    clients: Clients<S>,
) {
    race_on(clients, Tokens::One).await;
}

pub async fn of_64_callers_with_two_tokens_those_of_the_winner_get_the_same_bandwidth<
    S: Store + 'static,
>(
    clients: Clients<S>,
) {
    race_on(clients, Tokens::Two).await;
}

/// Over sockets, to an endpoint started with `arguments`.
pub async fn of_64_callers_over_http_one_allocates(arguments: &[&str]) {
    let endpoint = Arc::new(endpoint(arguments).await);
    for tokens in [Tokens::Own, Tokens::One, Tokens::Two] {
        let world = format!("{:#}", one_address());
        endpoint.control(Method::PUT, "world", &world).await.unwrap();
        let outcomes = race(tokens.sign(u64::try_from(now_secs()).unwrap()), |_, wire| {
            let endpoint = Arc::clone(&endpoint);
            async move { outcome(&endpoint.send(&wire, None).await.unwrap()) }
        })
        .await;
        let mut world = endpoint.control(Method::GET, "world", "").await.unwrap();
        let bandwidth = &account(&mut world)["Ipv6Addresses"]["ipv6-1"]["Ipv6InternetBandwidth"];
        let held = bandwidth["Ipv6InternetBandwidthId"].as_str().map(str::to_owned);
        judge(tokens, &outcomes, held);
    }
}
