//! What a call must be answered: the contract's files and decisions, read once more.
//!
//! It shares nothing with the rules under `functions/`. Each rule of the operation is looked at,
//! whatever else is wrong; which of the broken ones is answered says `checkingOrder` alone.

mod asked;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use super::gate;
use super::plan::Call;
use super::table::Table;
use crate::answer::Body;
use asked::Asked;

/// How long a client token is remembered (decision `token`).
const TOKEN_SECS: i64 = 24 * 60 * 60;

/// The regions that the contract names (decision `regions`).
const REGIONS: [&str; 4] = ["cn-huhehaote", "cn-hangzhou", "cn-shanghai", "cn-beijing"];

/// What is answered when the store stays contended.
pub(super) const BUSY: &str = "SystemBusy";

const MISMATCH: &str = "IdempotentParameterMismatch";

/// A rule that a call breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where it stands in the order.
    rank: (usize, usize),
    pub(super) code: String,
    pub(super) message: String,
}

/// What a call must be answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// An error.
    Refused {
        /// Its code.
        code: String,
        /// Its message.
        message: String,
    },
    /// A purchase.
    Allocated,
    /// The answer that a remembered token had before.
    Replayed {
        /// The bandwidth of that answer.
        bandwidth_id: String,
    },
}

/// A bandwidth that an address has.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Bandwidth {
    pub(super) id: String,
    pub(super) charge_type: String,
    pub(super) mbps: u64,
}

/// What a token stands for: the parameters of its call with the defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Remembered {
    pub(super) parameters: Value,
    pub(super) bandwidth_id: String,
    pub(super) expires_secs: i64,
}

/// Account, region and token.
pub(super) type TokenKey = (String, String, String);

/// The state that calls meet.
#[derive(Clone, Debug)]
pub struct State<'a> {
    table: &'a Table,
    world: Arc<Value>,
    now_secs: i64,
    bandwidths: BTreeMap<String, Bandwidth>,
    tokens: BTreeMap<TokenKey, Remembered>,
    /// Access key, nonce, and until when it is spent.
    nonces: Vec<(String, String, i64)>,
}

/// What the model finds of a call.
#[derive(Clone, Debug)]
pub struct Found {
    /// The answer.
    pub expected: Expected,
    /// Whether its nonce is spent by it.
    spends_nonce: bool,
    purchase: Option<Purchase>,
}

/// What a purchase leaves behind.
#[derive(Clone, Debug)]
struct Purchase {
    address_id: String,
    charge_type: String,
    mbps: u64,
    /// Account, region, and the token if one was sent.
    token: (String, String, Option<String>),
    parameters: Value,
}

impl<'a> State<'a> {
    /// The state that a world document describes.
    #[must_use]
    pub fn of(table: &'a Table, world: &Value, now_secs: i64) -> Self {
        let (bandwidths, tokens) = read(world);
        let world = Arc::new(world.clone());
        Self { table, world, now_secs, bandwidths, tokens, nonces: Vec::new() }
    }

    /// Lets time pass.
    pub fn wait(&mut self, secs: i64) {
        self.now_secs += secs;
    }

    pub(super) fn now_secs(&self) -> i64 {
        self.now_secs
    }

    pub(super) fn world(&self) -> &Value {
        &self.world
    }

    /// Whether the nonce of a call was used before.
    pub(super) fn is_spent(&self, call: &Call) -> bool {
        let Some(nonce) = &call.nonce else { return false };
        self.nonces.iter().any(|(key, spent, until_secs)| {
            *key == call.access_key_id && spent == nonce && *until_secs >= self.now_secs
        })
    }

    /// A broken rule of every action. `parameter` is named in the message, if there is a place for it.
    pub(super) fn gate(&self, code: &str, parameter: Option<&str>) -> Broken {
        let message = self.table.row(code).map(|row| row.message.clone()).unwrap_or_default();
        let parameter = gate::shown_name(parameter.unwrap_or_default());
        let message = message.replace("{Param}", &parameter);
        Broken { rank: (self.table.gate_rank(code), 0), code: code.to_owned(), message }
    }

    /// A broken rule, checked right after the sizes (decision `check-order`).
    pub(super) fn early(&self, broken: Broken) -> Broken {
        Broken { rank: (self.table.gate_rank("RequestHeadersTooLarge"), 1), ..broken }
    }

    /// What a call must be answered now.
    #[must_use]
    pub fn find(&self, call: &Call) -> Found {
        let refused = |Broken { code, message, .. }| Expected::Refused { code, message };
        // Of two that stand at one place the first found counts.
        let first = gate::broken(self, call).into_iter().min_by_key(|broken| broken.rank);
        if let Some(broken) = first {
            let is_late = broken.code == "Forbidden.RAM";
            return Found { expected: refused(broken), spends_nonce: is_late, purchase: None };
        }
        let asked = Asked::read(self, call);
        let mut broken = asked.broken(self);
        broken.sort_by_key(|broken| broken.rank);
        let at_token = self.table.operation_rank(MISMATCH);
        let first = broken.into_iter().next();
        let found = |expected, purchase| Found { expected, spends_nonce: true, purchase };
        match first {
            Some(broken) if broken.rank.0 <= at_token => found(refused(broken), None),
            first => match (asked.remembered(self), first) {
                (Some(remembered), _) => {
                    let bandwidth_id = remembered.bandwidth_id.clone();
                    found(Expected::Replayed { bandwidth_id }, None)
                }
                (None, Some(broken)) => found(refused(broken), None),
                (None, None) => found(Expected::Allocated, Some(asked.purchase())),
            },
        }
    }

    /// The same, of a purchase that gives up because others get in its way.
    #[must_use]
    pub(super) fn find_busy(&self, found: &Found) -> Found {
        let message = self.table.row(BUSY).map(|row| row.message.clone()).unwrap_or_default();
        let expected = Expected::Refused { code: BUSY.to_owned(), message };
        Found { expected, purchase: None, ..found.clone() }
    }

    /// Takes over what a call left behind that was answered as found.
    pub fn take(&mut self, call: &Call, found: &Found, body: &Body) {
        let text = |name: &str| body.text(name).unwrap_or_default().to_owned();
        if let (true, Some(nonce)) = (found.spends_nonce, &call.nonce) {
            let time = gate::time_of(call, self.now_secs).unwrap_or(self.now_secs);
            let until = time + gate::SKEW_SECS_MAX;
            self.nonces.push((call.access_key_id.clone(), nonce.clone(), until));
        }
        let Some(Purchase { address_id, charge_type, mbps, token, parameters }) =
            found.purchase.clone()
        else {
            return;
        };
        let id = text("InternetBandwidthId");
        let (account_id, region_id, token) = token;
        // Without a token the RequestId serves as one (decision `token`).
        let key = (account_id, region_id, token.unwrap_or_else(|| text("RequestId")));
        let expires_secs = self.now_secs + TOKEN_SECS;
        let remembered = Remembered { parameters, bandwidth_id: id.clone(), expires_secs };
        self.tokens.insert(key, remembered);
        self.bandwidths.insert(address_id, Bandwidth { id, charge_type, mbps });
    }

    /// Whether a bandwidth of this id is known already.
    #[must_use]
    pub fn knows(&self, bandwidth_id: &str) -> bool {
        self.bandwidths.values().any(|bandwidth| bandwidth.id == bandwidth_id)
            || self.tokens.values().any(|token| token.bandwidth_id == bandwidth_id)
    }

    /// How the world that an endpoint tells of differs from this state; empty if it does not.
    #[must_use]
    pub fn differences(&self, told: &Value) -> Vec<(String, String, String)> {
        let (bandwidths, tokens) = read(told);
        let mut all = Vec::new();
        let mut compare = |what: String, expected: Option<String>, actual: Option<String>| {
            if expected != actual {
                let shown = |text: Option<String>| text.unwrap_or_else(|| "none".to_owned());
                all.push((what, shown(expected), shown(actual)));
            }
        };
        for id in self
            .bandwidths
            .keys()
            .chain(bandwidths.keys().filter(|id| !self.bandwidths.contains_key(*id)))
        {
            let shown = |bandwidth: &Bandwidth| format!("{bandwidth:?}");
            compare(
                format!("state: the bandwidth of {id}"),
                self.bandwidths.get(id).map(shown),
                bandwidths.get(id).map(shown),
            );
        }
        // Whether what is forgotten is still there is nobody's business.
        let lives = |token: &&Remembered| token.expires_secs > self.now_secs;
        for key in
            self.tokens.keys().chain(tokens.keys().filter(|key| !self.tokens.contains_key(*key)))
        {
            let shown =
                |token: &Remembered| format!("{} -> {}", token.parameters, token.bandwidth_id);
            compare(
                format!("state: what the token {:?} of {} in {} stands for", key.2, key.0, key.1),
                self.tokens.get(key).filter(lives).map(shown),
                tokens.get(key).filter(lives).map(shown),
            );
        }
        all
    }
}

/// The bandwidths and tokens of a world document.
fn read(world: &Value) -> (BTreeMap<String, Bandwidth>, BTreeMap<TokenKey, Remembered>) {
    let (mut bandwidths, mut tokens) = (BTreeMap::new(), BTreeMap::new());
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for account in world["Accounts"].as_array().into_iter().flatten() {
        for address in account["Ipv6Addresses"].as_array().into_iter().flatten() {
            if let Some(bandwidth) = address.get("Ipv6InternetBandwidth") {
                let bandwidth = Bandwidth {
                    id: text(&bandwidth["Ipv6InternetBandwidthId"]),
                    charge_type: text(&bandwidth["InternetChargeType"]),
                    mbps: bandwidth["Bandwidth"].as_u64().unwrap_or_default(),
                };
                bandwidths.insert(text(&address["Ipv6AddressId"]), bandwidth);
            }
        }
        for token in account["ClientTokens"].as_array().into_iter().flatten() {
            let form =
                time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
            let expires = time::PrimitiveDateTime::parse(&text(&token["ExpiresAt"]), form);
            let key = (
                text(&account["AccountId"]),
                text(&token["RegionId"]),
                text(&token["ClientToken"]),
            );
            let remembered = Remembered {
                parameters: token["Parameters"].clone(),
                bandwidth_id: text(&token["Answer"]["InternetBandwidthId"]),
                expires_secs: expires.map_or(0, |time| time.assume_utc().unix_timestamp()),
            };
            tokens.insert(key, remembered);
        }
    }
    (bandwidths, tokens)
}
