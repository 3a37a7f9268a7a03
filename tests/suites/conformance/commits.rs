//! Reads and commits.

use std::path::Path;
use std::sync::Arc;

use ::store::{
    AccessKey, AccessKeyStatus, Document, Error, Holder, Key, Session, Store, Version, World, Write,
};
use ipv6_gateway::allocation::{Ipv6Address, Partition};

use super::{
    CALLERS, NOW_SECS, SCOPE, account_key, counts, listed, members, race, read, read_one, token,
    versions, write,
};
use crate::support::Clients;

pub async fn an_unwritten_document_is_absent<S: Store>([store, _]: Clients<S>) {
    assert!(store.load(&[]).await.unwrap().is_empty());
    store.commit(Vec::new()).await.unwrap();
    // A caller may send an address id, and a key, of any length.
    let long = "k".repeat(10_000);
    let mut named = vec![account_key(1), AccessKey::key(""), AccessKey::key(&long), account_key(1)];
    named.extend(["", "-", "ipv6-1", &long].map(|id| Ipv6Address::key(SCOPE, id)));
    let read = store.load(&named).await.unwrap();
    assert_eq!(versions(&read), vec![None; named.len()]);
    assert!(listed(&*store, &Partition::of("ipv6-address", SCOPE)).await.is_empty());
}

pub async fn every_client_reads_what_was_written<S: Store>([store, other]: Clients<S>) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let demo = std::fs::read_to_string(root.join("functions/local-endpoint/src/demo-world.json"));
    let mut documents = World::parse(&demo.unwrap()).unwrap().into_documents();
    documents.push(token(1, NOW_SECS, "1"));
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
        let writes = documents.iter().map(|document| Write::put(document.clone(), None));
        store.commit(writes.collect()).await.unwrap();
    }
    // The answers are in the order of the keys, and a repeated key has two answers.
    let keys: Vec<Key> = documents.iter().chain(&documents).rev().map(Document::key).collect();
    let read = other.load(&keys).await.unwrap();
    let read: Vec<Document> = read.into_iter().map(|read| read.unwrap().document).collect();
    let expected: Vec<Document> = documents.iter().chain(&documents).rev().cloned().collect();
    assert!(documents.len() > 50 && read == expected, "{} documents", documents.len());
}

pub async fn a_commit_writes_all_or_nothing<S: Store>([store, other]: Clients<S>) {
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

pub async fn a_version_is_of_one_state_only<S: Store>([store, other]: Clients<S>) {
    store.commit(vec![write(1, None)]).await.unwrap();
    let first = versions(&read(&*store, &[1]).await);
    // The same document again: the version that was read is outdated.
    store.commit(vec![write(1, first[0])]).await.unwrap();
    let second = versions(&read(&*other, &[1]).await);
    assert!(second[0].is_some() && second != first, "{first:?}, then {second:?}");
    assert!(matches!(other.commit(vec![write(1, first[0])]).await, Err(Error::Conflict)));
}

pub async fn an_expired_document_can_be_read_and_replaced<S: Store>([store, other]: Clients<S>) {
    // The reader judges whether a document has expired. A store may drop it only if it is given the
    // time.
    let expired = token(1, 1, "old");
    store.commit(vec![Write::put(expired.clone(), None)]).await.unwrap();
    let read = read_one(&*other, expired.key()).await.unwrap();
    assert_eq!(read.document, expired);
    let again = vec![Write::put(expired, None)];
    assert!(matches!(other.commit(again).await, Err(Error::Conflict)));
    let anew = token(1, NOW_SECS, "new");
    other.commit(vec![Write::put(anew.clone(), Some(read.version))]).await.unwrap();
    assert_eq!(read_one(&*store, anew.key()).await.unwrap().document, anew);
}

pub async fn where_reads_are_snapshots_a_commit_is_read_whole<S: Store + 'static>(
    [store, other]: Clients<S>,
) {
    if !store.has_snapshot_reads() {
        return;
    }
    let both = |answer: &str| [1, 2].map(|number| token(number, NOW_SECS, answer));
    let keys = both("").map(|document| document.key());
    let writer = tokio::spawn(async move {
        let keys = both("").map(|document| document.key());
        for number in 0..300 {
            let read = versions(&store.load(&keys).await.unwrap());
            let writes = both(&number.to_string()).into_iter().zip(read);
            store.commit(writes.map(|(new, read)| Write::put(new, read)).collect()).await.unwrap();
        }
    });
    while !writer.is_finished() {
        let read: Vec<_> = other.load(&keys).await.unwrap();
        let [one, two] =
            [0, 1].map(|at| read[at].as_ref().map(|read| members(read)["Answer"].clone()));
        assert_eq!(one, two, "half of a commit was read");
        tokio::task::yield_now().await;
    }
    writer.await.unwrap();
}

pub async fn of_many_that_create_one_document_one_succeeds<S: Store + 'static>(
    clients: Clients<S>,
) {
    // Each caller also creates a document of its own, which identifies the winner.
    let run = |store: Arc<S>, caller| async move {
        store.commit(vec![write(1000 + caller, None), write(1, None)]).await
    };
    let got = race(clients.clone(), run).await;
    assert_eq!(got, counts([("Ok(())", 1), ("Err(Conflict)", CALLERS - 1)]));
    let own: Vec<usize> = (0..CALLERS).map(|caller| 1000 + caller).collect();
    let left = read(&*clients[0], &own).await;
    assert_eq!(left.iter().flatten().count(), 1, "losers have written");
}

pub async fn of_many_that_replace_one_version_one_succeeds<S: Store + 'static>(
    clients: Clients<S>,
) {
    clients[0].commit(vec![write(1, None), write(2, None)]).await.unwrap();
    let read_before = versions(&read(&*clients[0], &[1, 2]).await);
    let [first, second] = [read_before[0], read_before[1]];
    let run = move |store: Arc<S>, caller| async move {
        store.commit(vec![write(1000 + caller, None), write(1, first), write(2, second)]).await
    };
    let got = race(clients.clone(), run).await;
    assert_eq!(got, counts([("Ok(())", 1), ("Err(Conflict)", CALLERS - 1)]));
    let own: Vec<usize> = (0..CALLERS).map(|caller| 1000 + caller).collect();
    let left = read(&*clients[1], &own).await;
    assert_eq!(left.iter().flatten().count(), 1, "losers have written");
}
