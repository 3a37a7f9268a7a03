//! The store in DynamoDB, on Amazon's DynamoDB Local behind a proxy with faults.

mod conflicts;
mod faults;
mod function;
mod newer;

use std::sync::atomic::{AtomicUsize, Ordering};

use ::store::{
    Admission, Admitted, CALL_TIME_MAX, DynamoDbStore, Error, Key, Quota, Store, Version, World,
    Write,
};
use foreign::dynamodb_local::{Fault, Proxy, client, endpoint, patient_client};
use harness::secrets;
use ipv6_gateway::allocation::Ipv6Address;
use suites::support::{ALLOCATE, SCOPE};
use suites::worlds::one_address;
use tokio::time::Instant;

const NOW_SECS: u32 = 1_767_323_045;

/// The address of DynamoDB Local.
pub(crate) fn local() -> &'static str {
    endpoint()
}

/// The name of a new table.
pub(crate) async fn new_table() -> String {
    static TABLES: AtomicUsize = AtomicUsize::new(0);
    let number = TABLES.fetch_add(1, Ordering::Relaxed);
    let name = format!("test-{}-{number}", std::process::id());
    // Without expiry: expired items stay, as they may for days.
    client(local(), &name).create_table().await.unwrap();
    name
}

/// A store behind a proxy, and a store on the same table without the proxy.
struct Proxied {
    proxy: Proxy,
    store: DynamoDbStore,
    direct: DynamoDbStore,
    table: String,
}

impl Proxied {
    async fn new() -> Self {
        let table = new_table().await;
        let proxy = Proxy::start(local()).await.unwrap();
        let store = client(proxy.url(), &table);
        Self { proxy, store, direct: patient_client(local(), &table), table }
    }

    /// The operations requested since the last time.
    fn operations(&self) -> Vec<String> {
        self.proxy.calls().into_iter().map(|call| call.operation).collect()
    }
}

fn key() -> Key {
    Ipv6Address::key(SCOPE, "ipv6-1")
}

fn world() -> World {
    World::parse(&secrets::disguise(&one_address().to_string())).unwrap()
}

/// The address, as a new document or in place of the version that was read.
fn write(rests_on: Option<Version>) -> Write {
    let documents = world().into_documents();
    let document = documents.into_iter().find(|document| document.key() == key()).unwrap();
    Write::put(document, rests_on)
}

async fn version(store: &DynamoDbStore) -> Option<Version> {
    Some(store.load(&[key()]).await.unwrap().remove(0)?.version)
}

fn admission<'a>(nonce: &'a str, quota: Option<Quota<'a>>) -> Admission<'a> {
    let now_secs = u64::from(NOW_SECS);
    let nonce_expires_at_secs = now_secs + 901;
    let account_id = SCOPE.account_id;
    let access_key_id = "testid";
    Admission { access_key_id, account_id, nonce, nonce_expires_at_secs, quota, now_secs }
}

fn quota(calls_max: u32) -> Quota<'static> {
    Quota { action: ALLOCATE, calls_max, window_secs: 60 }
}

fn refused(status: u16, code: &'static str) -> Fault {
    Fault::Refused { status, code }
}

#[tokio::test]
async fn transient_failures_are_retried() {
    let proxied = Proxied::new().await;
    let Proxied { proxy, store, direct, .. } = &proxied;
    let busy = [
        refused(400, "ProvisionedThroughputExceededException"),
        refused(400, "ThrottlingException"),
        refused(500, "InternalServerError"),
        refused(503, "ServiceUnavailable"),
        Fault::Unheard,
    ];
    let busy_writing = [
        Fault::Cancelled("TransactionConflict"),
        Fault::Cancelled("ThrottlingError"),
        refused(400, "TransactionInProgressException"),
    ];
    proxy.plan("TransactWriteItems", busy.clone());
    store.commit(vec![write(None)]).await.unwrap();
    assert_eq!(proxied.operations(), vec!["TransactWriteItems"; 6]);
    let read = version(direct).await;
    proxy.plan("TransactWriteItems", busy_writing.clone());
    store.commit(vec![write(read)]).await.unwrap();
    assert_eq!(proxied.operations(), vec!["TransactWriteItems"; 4]);
    proxy.plan("BatchGetItem", busy.iter().cloned().chain([Fault::LeftUnread]));
    assert!(version(store).await.is_some());
    assert_eq!(proxied.operations(), vec!["BatchGetItem"; 7]);
    let conflict = refused(400, "TransactionConflictException");
    proxy.plan("PutItem", busy.clone().into_iter().chain([conflict.clone()]));
    assert_eq!(store.admit(&admission("n", None)).await.unwrap(), Admitted::Yes);
    assert_eq!(proxied.operations(), vec!["PutItem"; 7]);
    let [over_capacity, throttled, ..] = busy;
    proxy.plan("UpdateItem", [over_capacity, throttled, conflict]);
    assert_eq!(store.admit(&admission("m", Some(quota(1)))).await.unwrap(), Admitted::Yes);
    assert_eq!(
        proxied.operations(),
        ["PutItem", "UpdateItem", "UpdateItem", "UpdateItem", "UpdateItem"]
    );
}

#[tokio::test]
async fn a_call_without_an_answer_to_its_count_continues_and_counts_at_most_once() {
    let proxied = Proxied::new().await;
    let Proxied { proxy, store, .. } = &proxied;
    let lost =
        [(Fault::AnswerLost, 1), (Fault::Unheard, 0), (refused(500, "InternalServerError"), 0)];
    let mut counted = 0;
    for (position, (fault, count)) in lost.into_iter().enumerate() {
        proxy.plan("UpdateItem", [fault]);
        let nonce = position.to_string();
        assert_eq!(store.admit(&admission(&nonce, Some(quota(9)))).await.unwrap(), Admitted::Yes);
        assert_eq!(proxied.operations(), ["PutItem", "UpdateItem"]);
        counted += count;
    }
    let left = 9 - counted;
    for call in 0..=left {
        let admitted = store.admit(&admission(&format!("n{call}"), Some(quota(9)))).await.unwrap();
        assert_eq!(admitted == Admitted::Yes, call < left, "call {call}");
    }
    drop(proxied.operations());
    // A store that knows that the quota is used up sends no request.
    let over = store.admit(&admission("over", Some(quota(9)))).await.unwrap();
    assert_eq!((over, proxied.operations().len()), (Admitted::OverQuota, 0));
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_was_done_once() {
    let proxied = Proxied::new().await;
    let Proxied { proxy, store, direct, .. } = &proxied;
    let mut read = None;
    for (fault, account_id) in [(Fault::AnswerLost, "1"), (Fault::AnswerLate, "2")] {
        proxy.plan("TransactWriteItems", [fault.clone()]);
        store.commit(vec![write(read)]).await.unwrap();
        let written = version(direct).await;
        assert_ne!(written, read);
        read = written;

        let spent = format!("spent {fault:?}");
        proxy.plan("PutItem", [fault.clone()]);
        assert_eq!(store.admit(&admission(&spent, None)).await.unwrap(), Admitted::Yes);
        assert_eq!(direct.admit(&admission(&spent, None)).await.unwrap(), Admitted::NonceUsed);

        // The first of two calls was counted once, so the quota has room for the second.
        let two = |nonce| Admission { account_id, ..admission(nonce, Some(quota(2))) };
        let nonces = [1, 2, 3].map(|number| format!("{number} {fault:?}"));
        let [first, second, third] = nonces.each_ref().map(|nonce| two(nonce));
        proxy.plan("TransactWriteItems", [fault]);
        assert_eq!(store.admit(&first).await.unwrap(), Admitted::Yes);
        assert_eq!(direct.admit(&first).await.unwrap(), Admitted::NonceUsed);
        assert_eq!(direct.admit(&second).await.unwrap(), Admitted::Yes);
        assert_eq!(direct.admit(&third).await.unwrap(), Admitted::OverQuota);
    }
}

#[tokio::test]
async fn a_commit_that_lost_the_race_conflicts_although_its_first_answer_was_lost() {
    let proxied = Proxied::new().await;
    let Proxied { proxy, store, direct, .. } = &proxied;
    direct.commit(vec![write(None)]).await.unwrap();
    let won = version(direct).await;
    for fault in [Fault::AnswerLost, Fault::Unheard] {
        proxy.plan("TransactWriteItems", [fault]);
        assert!(matches!(store.commit(vec![write(None)]).await, Err(Error::Conflict)));
        assert_eq!(version(direct).await, won);
    }
}

#[tokio::test]
async fn a_commit_with_a_lost_answer_is_known_although_another_replaced_it() {
    let proxied = Proxied::new().await;
    let Proxied { proxy, store, direct, .. } = &proxied;
    proxy.plan("TransactWriteItems", [Fault::AnswerLate]);
    let another = async {
        let mut written = None;
        while written.is_none() {
            written = version(direct).await;
        }
        direct.commit(vec![write(written)]).await.unwrap();
        version(direct).await
    };
    let (got, replaced) = tokio::join!(store.commit(vec![write(None)]), another);
    got.unwrap();
    assert_eq!(version(direct).await, replaced);
}

#[tokio::test]
async fn a_commit_without_an_answer_is_settled_by_reading() {
    let proxied = Proxied::new().await;
    let Proxied { proxy, store, direct, .. } = &proxied;
    proxy.plan("TransactWriteItems", vec![Fault::AnswerLost; 100]);
    store.commit(vec![write(None)]).await.unwrap();
    let operations = proxied.operations();
    let (reads, writes): (Vec<_>, Vec<_>) =
        operations.iter().partition(|operation| *operation == "BatchGetItem");
    assert!(reads.len() == 1 && writes.len() > 1, "{operations:?}");
    let written = version(direct).await;
    assert!(written.is_some());
    // Nothing was written, so the store reports no success either.
    proxy.plan("TransactWriteItems", vec![Fault::Unheard; 100]);
    let got = store.commit(vec![write(written)]).await;
    assert!(matches!(got, Err(Error::Unavailable { .. })), "{got:?}");
    assert_eq!(version(direct).await, written);
}

#[tokio::test]
async fn transient_failures_end_in_time_and_permanent_ones_at_once() {
    let proxied = Proxied::new().await;
    let Proxied { proxy, store, table, .. } = &proxied;
    for (fault, cause, passes) in [
        (refused(400, "ThrottlingException"), "ThrottlingException (HTTP status 400", true),
        (refused(500, "InternalServerError"), "InternalServerError (HTTP status 500", true),
        (Fault::Unheard, "the connection failed", true),
        (Fault::AnswerLate, "no answer in time", true),
        (Fault::LeftUnread, "items were left unread", true),
        (refused(400, "AccessDeniedException"), "AccessDeniedException (HTTP status 400", false),
        (refused(400, "ValidationException"), "ValidationException (HTTP status 400", false),
    ] {
        proxy.plan("BatchGetItem", vec![fault.clone(); 100]);
        let start = Instant::now();
        let error = store.load(&[key()]).await.unwrap_err();
        assert!(start.elapsed() < 2 * CALL_TIME_MAX, "{:?}", start.elapsed());
        let attempts = proxied.operations().len();
        assert!(if passes { (2..=10).contains(&attempts) } else { attempts == 1 }, "{attempts}");
        let text = error.with_causes();
        let named = format!("BatchGetItem on table {table}, attempt {attempts}: {cause}");
        assert!(text.contains(&named) && !text.contains("ipv6-1"), "{text}");
    }
    // No such table.
    let error = client(local(), "elsewhere").commit(vec![write(None)]).await.unwrap_err();
    let text = error.with_causes();
    assert!(text.contains("on table elsewhere, attempt 1: ResourceNotFoundException"), "{text}");
}
