//! Retries of clients. The vendor's libraries repeat a call with a fresh nonce after a server error
//! or a broken connection; the tools above them start again with another token. Neither buys twice.

use ::store::Store;
use reqwest::Method;
use serde_json::{Value, json};

use crate::now_secs;
use crate::support::{
    ALLOCATE, ALREADY_EXISTED, BUSY, Clients, Outcome, allocate_under, bandwidth_of, endpoint,
    fill, outcome, refused, sign,
};
use crate::trouble::{Scene, Trouble, points};
use crate::worlds::{account, addresses};

/// Each point at which the store can fail, and how many attempts in a row, each with an address of
/// its own.
fn failures(attempts: &[usize]) -> Vec<(bool, usize, usize, String)> {
    let mut all = Vec::new();
    for key_is_known in [false, true] {
        for number in 1..=points(key_is_known) {
            for attempts in attempts {
                let address = format!("ipv6-{}", all.len() + 1);
                all.push((key_is_known, number, *attempts, address));
            }
        }
    }
    all
}

pub async fn a_token_succeeds_after_any_failure<S: Store + 'static>(clients: Clients<S>) {
    // The libraries make up to three more attempts by default.
    let all = failures(&[1, 3]);
    fill(&*clients[0], &addresses(1..=all.len())).await;
    for (key_is_known, number, attempts, address) in all {
        let what = format!("{attempts} fail at point {number}, key known: {key_is_known}");
        let scene = Scene::new(&clients[0], key_is_known).await;
        let request = allocate_under(&format!("token-{address}"), &address);
        for attempt in 0..attempts {
            scene.store.plan(Some((number, Trouble::Fail)));
            let got = scene.call(&request).await;
            // A later attempt has fewer points, because the key or the token is known by then.
            let came_so_far = attempt > 0 && scene.store.passed() < number;
            assert!(got == refused(BUSY) || came_so_far, "{what}: {got:?}");
        }
        scene.store.plan(None);
        let got = scene.call(&request).await;
        assert_eq!(scene.store.bought().len(), 1, "{what}: {got:?}");
        assert_eq!(got, Outcome::Bought(scene.store.bought().concat()), "{what}");
        assert_eq!(scene.call(&request).await, got, "{what}");
        let held = bandwidth_of(&*clients[1], &address).await;
        assert_eq!(held.map(Outcome::Bought), Some(got), "{what}");
    }
}

pub async fn another_token_after_a_failure_buys_only_if_nothing_was_bought<S: Store + 'static>(
    clients: Clients<S>,
) {
    let all = failures(&[1]);
    fill(&*clients[0], &addresses(1..=all.len())).await;
    let mut after_purchase = 0;
    for (key_is_known, number, _, address) in all {
        let what = format!("fails at point {number}, key known: {key_is_known}");
        let scene = Scene::new(&clients[0], key_is_known).await;
        scene.store.plan(Some((number, Trouble::Fail)));
        let got = scene.call(&allocate_under(&format!("token-{address}"), &address)).await;
        assert_eq!(got, refused(BUSY), "{what}");
        scene.store.plan(None);
        let before = scene.store.bought();
        let got = scene.call(&allocate_under(&format!("another-{address}"), &address)).await;
        let bought = scene.store.bought();
        assert_eq!(bought.len(), 1, "{what}: {bought:?}");
        if before.is_empty() {
            assert_eq!(got, Outcome::Bought(bought[0].clone()), "{what}");
        } else {
            after_purchase += 1;
            assert_eq!(got, refused(ALREADY_EXISTED), "{what}");
        }
        assert_eq!(bandwidth_of(&*clients[1], &address).await.as_ref(), bought.first(), "{what}");
    }
    assert_eq!(after_purchase, 2, "one failure of each kind of call comes after the purchase");
}

/// The faults of a call to a local endpoint, and whether the call buys despite them.
const FAULTS: [(&str, bool); 4] = [
    ("BreakBeforeCommit", false),
    ("BreakAfterCommit", true),
    ("AnswerAfterCommit", true),
    ("StoreUnavailable", false),
];

/// Over a connection that really breaks, to an endpoint started with `arguments`.
pub async fn no_trouble_over_http_buys_twice(arguments: &[&str]) {
    let endpoint = endpoint(arguments).await;
    let world = format!("{:#}", addresses(1..=2 * FAULTS.len()));
    endpoint.control(Method::PUT, "world", &world).await.unwrap();
    let now_secs = || u64::try_from(now_secs()).unwrap();
    let held = async |address: &str| {
        let mut world = endpoint.control(Method::GET, "world", "").await.unwrap();
        let bandwidth = &account(&mut world)["Ipv6Addresses"][address]["Ipv6InternetBandwidth"];
        let id = &bandwidth["Ipv6InternetBandwidthId"];
        id.as_str().map(str::to_owned)
    };
    let call = async |request: &Value| {
        let answer = endpoint.send(&sign(request, now_secs()), None).await;
        answer.map(|answer| outcome(&answer))
    };
    for (position, (kind, buys)) in FAULTS.into_iter().enumerate() {
        for is_same_token in [true, false] {
            let address = format!("ipv6-{}", 2 * position + usize::from(is_same_token) + 1);
            let mut fault = json!({ "Action": ALLOCATE, "Times": 1, "Kind": kind });
            if kind == "AnswerAfterCommit" {
                fault["Code"] = BUSY.into();
            }
            let fault = json!({ "Faults": [fault] });
            endpoint.control(Method::PUT, "faults", &fault.to_string()).await.unwrap();
            let token = format!("token-{address}");
            let got = call(&allocate_under(&token, &address)).await;
            assert!(got.is_err() || got == Ok(refused(BUSY)), "{kind}: {got:?}");
            let before = held(&address).await;
            assert_eq!(before.is_some(), buys, "{kind}");
            let token = if is_same_token { token } else { format!("another-{address}") };
            let got = call(&allocate_under(&token, &address)).await.unwrap();
            let after = held(&address).await;
            let expected = if buys && !is_same_token {
                refused(ALREADY_EXISTED)
            } else {
                Outcome::Bought(after.clone().unwrap())
            };
            assert_eq!(got, expected, "{kind}");
            assert!(before.is_none() || before == after, "{kind}: bought twice");
        }
    }
}
