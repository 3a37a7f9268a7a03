//! Nonces and quotas.

use std::sync::Arc;

use ::store::{Admission, Admitted, Quota, Store};

use super::{CALLERS, NOW_SECS, counts, race};
use crate::support::Clients;

fn admission<'a>(nonce: &'a str, quota: Option<Quota<'a>>, now_secs: u64) -> Admission<'a> {
    let nonce_expires_at_secs = now_secs + 901;
    let (access_key_id, account_id) = ("testid", "1234567890123456");
    Admission { access_key_id, account_id, nonce, nonce_expires_at_secs, quota, now_secs }
}

fn quota(calls_max: u32) -> Quota<'static> {
    Quota { action: "Act", calls_max, window_secs: 60 }
}

pub async fn a_nonce_is_admitted_once_for_each_key<S: Store>([store, other]: Clients<S>) {
    let long = "n".repeat(10_000);
    for quota in [None, Some(quota(1000))] {
        for nonce in ["", "n", &long] {
            let nonce = format!("{nonce}{}", quota.is_some());
            let admission = admission(&nonce, quota, NOW_SECS);
            assert_eq!(store.admit(&admission).await.unwrap(), Admitted::Yes);
            assert_eq!(store.admit(&admission).await.unwrap(), Admitted::NonceUsed);
            assert_eq!(other.admit(&admission).await.unwrap(), Admitted::NonceUsed);
            let of_another = Admission { access_key_id: "testid2", ..admission };
            assert_eq!(other.admit(&of_another).await.unwrap(), Admitted::Yes);
        }
    }
}

pub async fn an_expired_nonce_is_admitted_again<S: Store>([store, other]: Clients<S>) {
    for (nonce, quota) in [("n", None), ("m", Some(quota(1000)))] {
        let at = |now_secs| admission(nonce, quota, now_secs);
        let expired_secs = NOW_SECS + 901;
        assert_eq!(store.admit(&at(NOW_SECS)).await.unwrap(), Admitted::Yes);
        assert_eq!(other.admit(&at(expired_secs - 1)).await.unwrap(), Admitted::NonceUsed);
        assert_eq!(other.admit(&at(expired_secs)).await.unwrap(), Admitted::Yes);
        assert_eq!(store.admit(&at(expired_secs + 1)).await.unwrap(), Admitted::NonceUsed);
    }
}

pub async fn a_quota_is_of_an_account_an_action_and_a_window<S: Store>([store, other]: Clients<S>) {
    let starts_at_secs = NOW_SECS - NOW_SECS % 60;
    let ends_at_secs = starts_at_secs + 60;
    let two = quota(2);
    let calls = [
        ("1", "1", two, starts_at_secs, Admitted::Yes),
        ("2", "1", two, ends_at_secs - 1, Admitted::Yes),
        ("3", "1", two, ends_at_secs - 1, Admitted::OverQuota),
        ("4", "2", two, NOW_SECS, Admitted::Yes),
        ("5", "1", Quota { action: "Acts", ..two }, NOW_SECS, Admitted::Yes),
        // The quota grows, then shrinks, then is zero.
        ("6", "1", quota(3), NOW_SECS, Admitted::Yes),
        ("7", "1", two, NOW_SECS, Admitted::OverQuota),
        ("8", "1", two, ends_at_secs, Admitted::Yes),
        ("9", "1", quota(0), ends_at_secs, Admitted::OverQuota),
        ("10", "3", quota(0), NOW_SECS, Admitted::OverQuota),
    ];
    let clients = [&store, &other].into_iter().cycle();
    for ((nonce, account_id, quota, now_secs, admitted), client) in calls.into_iter().zip(clients) {
        let admission = Admission { account_id, ..admission(nonce, Some(quota), now_secs) };
        assert_eq!(client.admit(&admission).await.unwrap(), admitted, "call {nonce}");
    }
}

pub async fn a_refused_admission_changes_nothing<S: Store>([store, other]: Clients<S>) {
    let one = Some(quota(2));
    assert_eq!(store.admit(&admission("1", one, NOW_SECS)).await.unwrap(), Admitted::Yes);
    // A call with a used nonce is not counted.
    for _ in 0..3 {
        let again = other.admit(&admission("1", one, NOW_SECS)).await.unwrap();
        assert_eq!(again, Admitted::NonceUsed);
    }
    assert_eq!(store.admit(&admission("2", one, NOW_SECS)).await.unwrap(), Admitted::Yes);
    // A used nonce precedes a used quota.
    assert_eq!(store.admit(&admission("2", one, NOW_SECS)).await.unwrap(), Admitted::NonceUsed);
    // A call over the quota does not use its nonce, once the quota is known to be used up.
    for nonce in ["3", "4"] {
        let over = other.admit(&admission(nonce, one, NOW_SECS)).await.unwrap();
        assert_eq!(over, Admitted::OverQuota);
    }
    assert_eq!(store.admit(&admission("4", None, NOW_SECS)).await.unwrap(), Admitted::Yes);
}

pub async fn of_many_with_one_nonce_one_is_admitted<S: Store + 'static>(clients: Clients<S>) {
    for (nonce, quota) in [("n", None), ("m", Some(quota(1000)))] {
        let run = move |store: Arc<S>, _| async move {
            store.admit(&admission(nonce, quota, NOW_SECS)).await
        };
        let got = race(clients.clone(), run).await;
        assert_eq!(got, counts([("Ok(Yes)", 1), ("Ok(NonceUsed)", CALLERS - 1)]));
    }
}

pub async fn of_many_at_once_a_quota_admits_its_number<S: Store + 'static>(clients: Clients<S>) {
    let run = |store: Arc<S>, caller: usize| async move {
        store.admit(&admission(&caller.to_string(), Some(quota(10)), NOW_SECS)).await
    };
    let got = race(clients, run).await;
    assert_eq!(got, counts([("Ok(Yes)", 10), ("Ok(OverQuota)", CALLERS - 10)]));
}
