//! What every store holds to, whatever it is made of. Each check gets two clients of one empty store.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use ::store::{
    AccessKey, AccessKeyStatus, Admission, Admitted, Document, Error, Holder, Key, Quota, Session,
    Store, Version, Versioned, World, Write,
};
use ipv6_gateway::allocation::{ClientToken, Name, Resource};
use serde_json::json;

use crate::support::Clients;

const NOW_SECS: u64 = 1_767_323_045;
const CALLERS: usize = 64;

/// Gives a macro the names of all checks, after what else it shall be given.
macro_rules! checks {
    ($($then:ident)::+! $($with:tt)*) => {
        $($then)::+! { $($with)*
            what_was_never_written_is_not_there
            what_is_written_is_read_by_everybody_as_it_was
            a_commit_writes_all_or_nothing
            a_version_is_of_one_state_only
            what_has_expired_can_be_read_and_replaced
            a_nonce_is_let_in_once_for_each_key
            a_nonce_that_has_expired_is_let_in_again
            a_quota_is_of_an_account_an_action_and_a_window
            a_call_that_is_not_let_in_changes_nothing
            of_many_that_create_one_document_one_does
            of_many_that_replace_what_they_read_one_does
            of_many_with_one_nonce_one_is_let_in
            of_many_at_once_a_quota_lets_in_as_many_as_it_says
        }
    };
}
pub(crate) use checks;

/// Tests that a store holds to each check. `$clients` is a future that yields the clients.
macro_rules! conformance {
    ($clients:expr) => {
        crate::conformance::checks! { crate::support::tests_of! [conformance, $clients] }
    };
}
pub(crate) use conformance;

fn account_key(number: usize) -> Key {
    Key::Resource(Name::Account(format!("{number:016}")))
}

fn write(number: usize, replaces: Option<Version>) -> Write {
    let account = json!({ "AccountId": format!("{number:016}") });
    let world = World::parse(&json!({ "Accounts": [account] }).to_string()).unwrap();
    let document = world.into_documents().remove(0);
    Write { key: account_key(number), document, replaces }
}

fn create(document: &Document) -> Write {
    Write { key: document.key(), document: document.clone(), replaces: None }
}

/// The documents of some accounts.
async fn read(store: &impl Store, accounts: &[usize]) -> Vec<Option<Versioned>> {
    let keys: Vec<Key> = accounts.iter().copied().map(account_key).collect();
    store.load(&keys).await.unwrap()
}

fn versions(read: &[Option<Versioned>]) -> Vec<Option<Version>> {
    read.iter().map(|read| read.as_ref().map(|read| read.version)).collect()
}

fn token(expires_at_secs: u64, answer: &str) -> Document {
    Document::from(Resource::ClientToken(Box::new(ClientToken {
        account_id: "1234567890123456".to_owned(),
        region_id: "cn-huhehaote".to_owned(),
        action: "Act#ion".to_owned(),
        client_token: "# \"\\ ~".to_owned(),
        expires_at_secs,
        parameters: BTreeMap::from([("Name".to_owned(), "\u{1F980}".to_owned())]),
        answer: BTreeMap::from([("Id".to_owned(), answer.to_owned())]),
    })))
}

/// A token of this number.
pub(crate) fn token_called(number: u64, expires_at_secs: u64) -> Document {
    let Document::Resource(resource) = token(expires_at_secs, "1") else { unreachable!() };
    let Resource::ClientToken(token) = &*resource else { unreachable!() };
    let client_token = number.to_string();
    let token = ClientToken { client_token, ..(**token).clone() };
    Document::from(Resource::ClientToken(Box::new(token)))
}

pub(crate) async fn what_was_never_written_is_not_there<S: Store>([store, _]: Clients<S>) {
    assert!(store.load(&[]).await.unwrap().is_empty());
    store.commit(Vec::new()).await.unwrap();
    // A caller names an address as long as he likes, and a key.
    let long = Key::AccessKey("k".repeat(10_000));
    let named = [Key::AccessKey(String::new()), account_key(1), long, account_key(1)];
    let read = store.load(&named).await.unwrap();
    assert_eq!(versions(&read), [None; 4]);
}

pub(crate) async fn what_is_written_is_read_by_everybody_as_it_was<S: Store>(
    [store, other]: Clients<S>,
) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let demo = std::fs::read_to_string(root.join("functions/local-endpoint/src/demo-world.json"));
    let mut documents = World::parse(&demo.unwrap()).unwrap().into_documents();
    documents.push(token(NOW_SECS, "1"));
    documents.push(Document::AccessKey(Arc::new(AccessKey {
        access_key_id: "STS.with-everything".to_owned(),
        access_key_secret: "testsecret".to_owned(),
        account_id: "1234567890123456".to_owned(),
        status: AccessKeyStatus::Inactive,
        holder: Holder::Session(Session {
            role_name: "deployer".to_owned(),
            role_session_name: "me".to_owned(),
            security_token: "testtoken".to_owned(),
            expires_at_secs: u64::MAX,
            mfa_present: true,
            policy: documents.iter().find_map(|document| match document {
                Document::Identity(identity) => {
                    Some(identity.policies.first()?.policy_document.clone())
                }
                Document::AccessKey(_) | Document::Resource(_) => None,
            }),
        }),
    })));
    for documents in documents.chunks(20) {
        store.commit(documents.iter().map(create).collect()).await.unwrap();
    }
    // In the order asked for, and what is asked for twice is answered twice.
    let keys: Vec<Key> = documents.iter().chain(&documents).rev().map(Document::key).collect();
    let read = other.load(&keys).await.unwrap();
    let read: Vec<Document> = read.into_iter().map(|read| read.unwrap().document).collect();
    let expected: Vec<Document> = documents.iter().chain(&documents).rev().cloned().collect();
    assert!(documents.len() > 50 && read == expected, "{} documents", documents.len());
}

pub(crate) async fn a_commit_writes_all_or_nothing<S: Store>([store, other]: Clients<S>) {
    store.commit(vec![write(1, None)]).await.unwrap();
    let there = versions(&read(&*other, &[1, 2]).await);
    let version = there[0].unwrap();
    assert_eq!(there[1], None);
    for wrong in [
        vec![write(2, None), write(1, None)],
        vec![write(1, None), write(2, None)],
        vec![write(2, Some(version)), write(1, Some(version))],
        vec![write(2, None), write(1, Some(Version(version.0.wrapping_add(1))))],
    ] {
        assert!(matches!(other.commit(wrong).await, Err(Error::Conflict)));
        assert_eq!(versions(&read(&*store, &[1, 2]).await), there, "half of it was written");
    }
    other.commit(vec![write(2, None), write(1, Some(version))]).await.unwrap();
    let written = versions(&read(&*store, &[1, 2]).await);
    assert!(written[0] != Some(version) && written[1].is_some(), "{written:?}");
}

pub(crate) async fn a_version_is_of_one_state_only<S: Store>([store, other]: Clients<S>) {
    store.commit(vec![write(1, None)]).await.unwrap();
    let first = versions(&read(&*store, &[1]).await);
    // The same document once more: what was read before is no longer what is there.
    store.commit(vec![write(1, first[0])]).await.unwrap();
    let second = versions(&read(&*other, &[1]).await);
    assert!(second[0].is_some() && second != first, "{first:?}, then {second:?}");
    assert!(matches!(other.commit(vec![write(1, first[0])]).await, Err(Error::Conflict)));
}

pub(crate) async fn what_has_expired_can_be_read_and_replaced<S: Store>(
    [store, other]: Clients<S>,
) {
    // Whether it has expired is for the reader to say; a store may have dropped it, but does not
    // while nobody tells it the time.
    let expired = token(1, "old");
    store.commit(vec![create(&expired)]).await.unwrap();
    let read = other.load(&[expired.key()]).await.unwrap().remove(0).unwrap();
    assert_eq!(read.document, expired);
    assert!(matches!(other.commit(vec![create(&expired)]).await, Err(Error::Conflict)));
    let anew = token(NOW_SECS, "new");
    other.commit(vec![Write { replaces: Some(read.version), ..create(&anew) }]).await.unwrap();
    let read = store.load(&[anew.key()]).await.unwrap().remove(0).unwrap();
    assert_eq!(read.document, anew);
}

fn admission<'a>(nonce: &'a str, quota: Option<Quota<'a>>, now_secs: u64) -> Admission<'a> {
    let nonce_expires_at_secs = now_secs + 901;
    Admission { access_key_id: "testid", nonce, nonce_expires_at_secs, quota, now_secs }
}

fn quota(calls_max: u32) -> Quota<'static> {
    Quota { account_id: "1234567890123456", action: "Act", calls_max, window_secs: 60 }
}

pub(crate) async fn a_nonce_is_let_in_once_for_each_key<S: Store>([store, other]: Clients<S>) {
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

pub(crate) async fn a_nonce_that_has_expired_is_let_in_again<S: Store>([store, other]: Clients<S>) {
    for (nonce, quota) in [("n", None), ("m", Some(quota(1000)))] {
        let at = |now_secs| admission(nonce, quota, now_secs);
        let expired_secs = NOW_SECS + 901;
        assert_eq!(store.admit(&at(NOW_SECS)).await.unwrap(), Admitted::Yes);
        assert_eq!(other.admit(&at(expired_secs - 1)).await.unwrap(), Admitted::NonceUsed);
        assert_eq!(other.admit(&at(expired_secs)).await.unwrap(), Admitted::Yes);
        assert_eq!(store.admit(&at(expired_secs + 1)).await.unwrap(), Admitted::NonceUsed);
    }
}

pub(crate) async fn a_quota_is_of_an_account_an_action_and_a_window<S: Store>(
    [store, other]: Clients<S>,
) {
    let starts_at_secs = NOW_SECS - NOW_SECS % 60;
    let ends_at_secs = starts_at_secs + 60;
    let two = quota(2);
    let calls = [
        ("1", two, starts_at_secs, Admitted::Yes),
        ("2", two, ends_at_secs - 1, Admitted::Yes),
        ("3", two, ends_at_secs - 1, Admitted::OverQuota),
        ("4", Quota { account_id: "2", ..two }, NOW_SECS, Admitted::Yes),
        ("5", Quota { action: "Acts", ..two }, NOW_SECS, Admitted::Yes),
        // More are allowed from now on, then less, then none at all.
        ("6", quota(3), NOW_SECS, Admitted::Yes),
        ("7", two, NOW_SECS, Admitted::OverQuota),
        ("8", two, ends_at_secs, Admitted::Yes),
        ("9", quota(0), ends_at_secs, Admitted::OverQuota),
        ("10", Quota { account_id: "3", ..quota(0) }, NOW_SECS, Admitted::OverQuota),
    ];
    let clients = [&store, &other].into_iter().cycle();
    for ((nonce, quota, now_secs, admitted), client) in calls.into_iter().zip(clients) {
        let told = client.admit(&admission(nonce, Some(quota), now_secs)).await.unwrap();
        assert_eq!(told, admitted, "call {nonce}");
    }
}

pub(crate) async fn a_call_that_is_not_let_in_changes_nothing<S: Store>(
    [store, other]: Clients<S>,
) {
    let one = Some(quota(2));
    assert_eq!(store.admit(&admission("1", one, NOW_SECS)).await.unwrap(), Admitted::Yes);
    // A nonce that is used counts nothing.
    for _ in 0..3 {
        let again = other.admit(&admission("1", one, NOW_SECS)).await.unwrap();
        assert_eq!(again, Admitted::NonceUsed);
    }
    assert_eq!(store.admit(&admission("2", one, NOW_SECS)).await.unwrap(), Admitted::Yes);
    // A call over the quota spends no nonce; that its nonce is used is told first.
    let over = other.admit(&admission("3", one, NOW_SECS)).await.unwrap();
    assert_eq!(over, Admitted::OverQuota);
    assert_eq!(store.admit(&admission("2", one, NOW_SECS)).await.unwrap(), Admitted::NonceUsed);
    assert_eq!(store.admit(&admission("3", None, NOW_SECS)).await.unwrap(), Admitted::Yes);
}

/// Has many do something at once, half of them by each client, and counts what comes of it.
async fn race<S, F, T>(
    clients: Clients<S>,
    run: impl Fn(Arc<S>, usize) -> F,
) -> BTreeMap<String, usize>
where
    F: Future<Output = T> + Send + 'static,
    T: std::fmt::Debug + Send + 'static,
{
    let runs = (0..CALLERS).map(|caller| {
        let client = Arc::clone(&clients[caller % 2]);
        tokio::spawn(run(client, caller))
    });
    let mut counts = BTreeMap::new();
    for run in runs.collect::<Vec<_>>() {
        *counts.entry(format!("{:?}", run.await.unwrap())).or_insert(0) += 1;
    }
    counts
}

fn counts<const N: usize>(counts: [(&str, usize); N]) -> BTreeMap<String, usize> {
    counts.into_iter().map(|(what, count)| (what.to_owned(), count)).collect()
}

pub(crate) async fn of_many_that_create_one_document_one_does<S: Store + 'static>(
    clients: Clients<S>,
) {
    // With a document of his own beside it, by which the winner is known.
    let run = |store: Arc<S>, caller| async move {
        store.commit(vec![write(1000 + caller, None), write(1, None)]).await
    };
    let told = race(clients.clone(), run).await;
    assert_eq!(told, counts([("Ok(())", 1), ("Err(Conflict)", CALLERS - 1)]));
    let own: Vec<usize> = (0..CALLERS).map(|caller| 1000 + caller).collect();
    let left = read(&*clients[0], &own).await;
    assert_eq!(left.iter().flatten().count(), 1, "losers have written");
}

pub(crate) async fn of_many_that_replace_what_they_read_one_does<S: Store + 'static>(
    clients: Clients<S>,
) {
    clients[0].commit(vec![write(1, None), write(2, None)]).await.unwrap();
    let read_before = versions(&read(&*clients[0], &[1, 2]).await);
    let [first, second] = [read_before[0], read_before[1]];
    let run = move |store: Arc<S>, caller| async move {
        store.commit(vec![write(1000 + caller, None), write(1, first), write(2, second)]).await
    };
    let told = race(clients.clone(), run).await;
    assert_eq!(told, counts([("Ok(())", 1), ("Err(Conflict)", CALLERS - 1)]));
    let own: Vec<usize> = (0..CALLERS).map(|caller| 1000 + caller).collect();
    let left = read(&*clients[1], &own).await;
    assert_eq!(left.iter().flatten().count(), 1, "losers have written");
}

pub(crate) async fn of_many_with_one_nonce_one_is_let_in<S: Store + 'static>(clients: Clients<S>) {
    for (nonce, quota) in [("n", None), ("m", Some(quota(1000)))] {
        let run = move |store: Arc<S>, _| async move {
            store.admit(&admission(nonce, quota, NOW_SECS)).await
        };
        let told = race(clients.clone(), run).await;
        assert_eq!(told, counts([("Ok(Yes)", 1), ("Ok(NonceUsed)", CALLERS - 1)]));
    }
}

pub(crate) async fn of_many_at_once_a_quota_lets_in_as_many_as_it_says<S: Store + 'static>(
    clients: Clients<S>,
) {
    let run = |store: Arc<S>, caller: usize| async move {
        store.admit(&admission(&caller.to_string(), Some(quota(10)), NOW_SECS)).await
    };
    let told = race(clients, run).await;
    assert_eq!(told, counts([("Ok(Yes)", 10), ("Ok(OverQuota)", CALLERS - 10)]));
}
