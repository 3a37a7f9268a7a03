//! Concurrent calls on a table that cancels writes which overlap a transaction, as `DynamoDB` does.
//! `DynamoDB` Local cancels none, so the proxy does; only the cloud shows how often it happens
//! there.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ::store::{Admitted, Store};
use foreign::dynamodb_local::patient_client;
use futures_util::future::join_all;

use super::{Proxied, admission, quota};

/// The documented number of calls of an account in a minute.
const DOCUMENTED: u32 = 300;

#[tokio::test(flavor = "multi_thread")]
async fn the_documented_quota_sent_as_one_burst_is_admitted_whole() {
    let Proxied { proxy, table, .. } = Proxied::new().await;
    proxy.cancel_overlapping_writes(Duration::from_millis(10));
    let store = Arc::new(patient_client(proxy.url(), &table));
    let calls = (0..DOCUMENTED + 10).map(|number| {
        let store = Arc::clone(&store);
        tokio::spawn(async move {
            let nonce = number.to_string();
            store.admit(&admission(&nonce, Some(quota(DOCUMENTED)))).await
        })
    });
    let mut admitted: BTreeMap<String, u32> = BTreeMap::new();
    for call in join_all(calls).await {
        let outcome = call.unwrap().map_err(|error| error.with_causes());
        *admitted.entry(format!("{outcome:?}")).or_default() += 1;
    }
    let expected = [(Admitted::Yes, DOCUMENTED), (Admitted::OverQuota, 10)];
    let expected =
        expected.map(|(outcome, count)| (format!("{:?}", Ok::<_, String>(outcome)), count));
    assert_eq!(admitted, expected.into());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_a_transaction_cancels_is_made_once_that_has_ended() {
    let Proxied { proxy, table, .. } = Proxied::new().await;
    proxy.cancel_overlapping_writes(Duration::from_millis(50));
    let store = patient_client(proxy.url(), &table);
    let commits = (0..3).map(|_| store.commit(vec![super::write(None)]));
    let outcomes = join_all(commits).await;
    // Both rest on the same version: one commits, the others learn that it did.
    let made = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let conflicts =
        outcomes.iter().filter(|outcome| matches!(outcome, Err(::store::Error::Conflict))).count();
    assert_eq!((made, conflicts), (1, 2), "{outcomes:?}");
    let asked = proxy.calls().len();
    assert!(asked > 3, "nothing was cancelled: {asked} requests");
}
