//! The promises of every schedule.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, LazyLock};

use harness::contract::Contract;
use ipv6_gateway::allocation::{InternetBandwidthOwner, Ipv6Address, Resource};
use store::{Admission, Admitted, Document, Quota, Store};
use suites::support::SCOPE;

use crate::address::{Event, Op, Ret, is_linearizable};
use crate::executor::Surroundings as _;
use crate::history::{Call, KEY_CODES, KeyState, KeyStates, Reached};
use crate::scene::{Log, Place, Scene, WINDOW_SECS};

/// The status of each code that an operation can answer.
static DOCUMENTED: LazyLock<BTreeSet<(String, String, u64)>> = LazyLock::new(|| {
    let contract = Contract::embedded();
    let paths = contract.paths().filter(|path| path.ends_with("/errors.json"));
    let rows = paths.flat_map(|path| {
        let action = path.split('/').next().unwrap_or_default().to_owned();
        let table = contract.json(path).unwrap();
        let errors = table["errors"].as_array().unwrap().clone();
        errors.into_iter().map(move |error| {
            let code = error["code"].as_str().unwrap().to_owned();
            (action.clone(), code, error["status"].as_u64().unwrap())
        })
    });
    rows.collect()
});

/// Judges a schedule after its end, and returns its faults.
pub(crate) fn judge<P: Place>(scene: &Arc<Scene<P>>) -> Vec<String> {
    let mut faults = Vec::new();
    {
        let log = scene.log();
        let calls = &log.calls;
        for call in calls {
            faults.extend(undocumented(call));
            faults.extend(against_key(call, &log.keys[call.access_key_id]));
        }
        faults.extend(played_back(calls));
        let counts = scene.sim.counts();
        // A call continues when its count gets no answer, whether it was counted or not.
        let is_open = |event: &&str| event.starts_with("answer lost") || *event == "request late";
        if !counts.keys().any(is_open) {
            faults.extend(over_quota(&log));
        }
        if !scene.plan.is_troubled {
            let busy = calls.iter().filter(|call| call.reached() != Reached::Admitted).count();
            if busy > 0 {
                faults.push(format!("{busy} calls within the quota were refused"));
            }
        }
    }
    faults.extend(at_rest(scene));
    faults
}

fn undocumented(call: &Call) -> Option<String> {
    let answer = call.answer.as_ref()?;
    let status = u64::from(answer.status);
    let is_documented = match &answer.code {
        None => status == 200,
        Some(code) => [call.action(), "common"]
            .iter()
            .any(|of| DOCUMENTED.contains(&((*of).to_owned(), code.clone(), status))),
    };
    (!is_documented).then(|| format!("call {} has an undocumented answer: {answer:?}", call.began))
}

/// A call is admitted only if its key was active at some moment during it, and refused for its key
/// only if the key was inactive at some moment.
fn against_key(call: &Call, states: &KeyStates) -> Option<String> {
    let ended = call.ended?;
    let is_good = |state: &KeyState| *state == KeyState::Active(call.access_key_secret.clone());
    let is_refused =
        call.answer.as_ref()?.code.as_deref().is_some_and(|it| KEY_CODES.contains(&it));
    let about = format!("call {} with key {}", call.began, call.access_key_id);
    match call.reached() {
        Reached::Admitted | Reached::Quota if !states.may_be(call.began, ended, is_good) => {
            Some(format!("{about} was admitted, and the key was not good at any moment"))
        }
        _ if is_refused && !states.may_be(call.began, ended, |state| !is_good(state)) => {
            Some(format!("{about} was refused, and the key was good all the time"))
        }
        _ => None,
    }
}

/// The call that a nonce was sent with: a call that is played back has the same.
type Signed<'c> = (&'c str, &'c str, u64);

fn signed(call: &Call) -> Signed<'_> {
    (call.access_key_id, &call.nonce, call.timestamp_secs)
}

/// A signed call is admitted at most once.
fn played_back(calls: &[Call]) -> Vec<String> {
    let mut admitted: BTreeMap<Signed<'_>, Vec<u64>> = BTreeMap::new();
    for call in calls.iter().filter(|call| call.reached() == Reached::Admitted) {
        admitted.entry(signed(call)).or_default().push(call.began);
    }
    let twice = admitted.into_iter().filter(|(_, calls)| calls.len() > 1);
    twice.map(|(signed, calls)| format!("{signed:?} was admitted twice: {calls:?}")).collect()
}

/// The window of the quota for a call.
fn window(call: &Call) -> (&str, u64) {
    (call.action(), call.instance_secs / WINDOW_SECS)
}

/// No more calls are admitted in a window than the largest quota at the time.
fn over_quota(log: &Log) -> Vec<String> {
    let calls_max = log.limits.iter().map(|limit| limit.map_or(u32::MAX, |it| it.calls_max));
    let calls_max = calls_max.max().unwrap_or(u32::MAX);
    let mut admitted: BTreeMap<(&str, u64), u32> = BTreeMap::new();
    for call in log.calls.iter().filter(|call| call.reached() == Reached::Admitted) {
        *admitted.entry(window(call)).or_default() += 1;
    }
    let over = admitted.into_iter().filter(|(_, count)| *count > calls_max);
    over.map(|(window, count)| format!("{count} calls of {calls_max} in {window:?}")).collect()
}

/// Reads the store after the end of all calls.
fn at_rest<P: Place>(scene: &Arc<Scene<P>>) -> Vec<String> {
    let faults = Arc::<std::sync::Mutex<Vec<String>>>::default();
    let (looking, got) = (Arc::clone(scene), Arc::clone(&faults));
    scene.place.trouble(false);
    scene.sim.spawn(async move {
        let mut found = spent(&looking).await;
        for address_id in looking.address_ids() {
            found.extend(unexplained(&looking, &address_id).await);
        }
        got.lock().unwrap().push("looked".to_owned());
        got.lock().unwrap().extend(found);
    });
    scene.sim.run();
    let mut faults = std::mem::take(&mut *faults.lock().unwrap());
    if faults.is_empty() {
        return vec!["the store cannot be looked at".to_owned()];
    }
    faults.split_off(1)
}

/// A call that was refused before admission used no nonce and was not counted.
async fn spent<P: Place>(scene: &Scene<P>) -> Vec<String> {
    let calls = scene.log().calls.clone();
    let (store, mut faults) = (scene.place.client(), Vec::new());
    let mut by_nonce: BTreeMap<(&str, &str), Vec<&Call>> = BTreeMap::new();
    let mut by_window: BTreeMap<(&str, u64), u32> = BTreeMap::new();
    for call in &calls {
        by_nonce.entry((call.access_key_id, &call.nonce)).or_default().push(call);
        let reached = call.reached();
        if reached == Reached::Admitted || reached == Reached::Unknown {
            *by_window.entry(window(call)).or_default() += 1;
        }
    }
    for ((access_key_id, nonce), calls) in by_nonce {
        let may_spend = |call: &&&Call| match call.reached() {
            Reached::Door => false,
            Reached::Quota => P::SPENDS_OVER_QUOTA,
            Reached::Admitted | Reached::Unknown => true,
        };
        if calls.iter().any(|call| may_spend(&call)) {
            continue;
        }
        let (now_secs, account_id) = (calls[0].timestamp_secs, SCOPE.account_id);
        let nonce_expires_at_secs = now_secs + 901;
        let quota = None;
        let admission =
            Admission { access_key_id, account_id, nonce, nonce_expires_at_secs, quota, now_secs };
        if store.admit(&admission).await.ok() != Some(Admitted::Yes) {
            faults.push(format!("nonce {nonce} is spent, and every call with it was refused"));
        }
    }
    for (number, call) in calls.iter().enumerate() {
        let of_window = window(call);
        if calls[..number].iter().any(|earlier| window(earlier) == of_window) {
            continue;
        }
        let admitted = by_window.get(&of_window).copied().unwrap_or_default();
        let (action, calls_max, window_secs) = (of_window.0, admitted + 1, WINDOW_SECS);
        let now_secs = call.instance_secs;
        let admission = Admission {
            access_key_id: "of the judge",
            account_id: SCOPE.account_id,
            nonce: &format!("{of_window:?}"),
            nonce_expires_at_secs: now_secs + 901,
            quota: Some(Quota { action, calls_max, window_secs }),
            now_secs,
        };
        if store.admit(&admission).await.ok() != Some(Admitted::Yes) {
            faults.push(format!("more than {admitted} calls are counted in {of_window:?}"));
        }
    }
    faults
}

/// One order of the calls explains the answers about an address and its final state.
async fn unexplained<P: Place>(scene: &Scene<P>, address_id: &str) -> Option<String> {
    let held = match held(&scene.place.client(), address_id).await {
        Ok(held) => held,
        Err(fault) => return Some(format!("{address_id}: {fault}")),
    };
    let log = scene.log();
    let of_calls = log.calls.iter().filter(|call| call.address_id == address_id);
    let of_calls =
        of_calls.filter(|call| matches!(call.reached(), Reached::Admitted | Reached::Unknown));
    let mut events: Vec<Event> = of_calls
        .map(|call| {
            let answer = call.answer.as_ref().filter(|_| call.reached() == Reached::Admitted);
            let ret = answer.map(|answer| answer.ret.clone());
            let ended = call.ended.filter(|_| ret.is_some());
            Event { op: call.op, began: call.began, ended, ret }
        })
        // Whether the call took effect is unknown, and does not matter.
        .filter(|event| event.ret.is_some() || event.op.changes())
        .collect();
    let operations = log.operations.iter().filter(|(of, _)| of == address_id);
    events.extend(operations.map(|(_, event)| event.clone()));
    let began = scene.moment();
    let ret = Some(Ret::Shows(held));
    events.push(Event {
        op: Op::Describe { is_listed: false },
        began,
        ended: Some(scene.moment()),
        ret,
    });
    events.sort_by_key(|event| event.began);
    (!is_linearizable(&events)).then(|| format!("{address_id}: no order explains {events:#?}"))
}

/// The final bandwidth of an address, after a check that the bandwidth knows its address.
async fn held(store: &impl Store, address_id: &str) -> Result<Option<(String, u16)>, String> {
    let read = async |key| store.load(&[key]).await.map(|mut read| read.remove(0));
    let read_resource = async |key| match read(key).await.map_err(|error| error.with_causes())? {
        Some(read) => match read.document {
            Document::Resource(resource) => Ok(Some(resource)),
            _ => Err("a document of another kind".to_owned()),
        },
        None => Ok(None),
    };
    let address = read_resource(Ipv6Address::key(SCOPE, address_id)).await?;
    let Some(Resource::Ipv6Address(address)) = address else {
        return Err("the address is gone".to_owned());
    };
    let Some(held) = &address.ipv6_internet_bandwidth else { return Ok(None) };
    let owner = InternetBandwidthOwner::key(SCOPE, &held.internet_bandwidth_id);
    match read_resource(owner).await? {
        Some(Resource::InternetBandwidthOwner(owner)) if *owner.ipv6_address_id == *address_id => {
            Ok(Some((held.internet_bandwidth_id.to_string(), held.bandwidth_mbps)))
        }
        owner => {
            Err(format!("the bandwidth {} has the owner {owner:?}", held.internet_bandwidth_id))
        }
    }
}
