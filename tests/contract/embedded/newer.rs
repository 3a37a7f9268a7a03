//! Rows that a newer program wrote: this program reads them, and neither overwrites nor deletes
//! them.

use std::path::Path;

use ::store::{Change, EmbeddedStore, Error, Store, Write};
use fjall::{Database, KeyspaceCreateOptions};
use suites::conformance::{account, account_key, write};

use super::folder;

/// The offset of a row's schema number, in bytes.
const SCHEMA_AT: usize = 16;

/// Gives the row of an account the next schema number and an unknown member.
fn renew(folder: &Path, number: usize) {
    std::fs::remove_file(folder.join("closed.json")).unwrap();
    let database = Database::builder(folder.join("engine")).open().unwrap();
    let documents = database.keyspace("documents-0", KeyspaceCreateOptions::default).unwrap();
    let key = account_key(number).text().as_bytes().to_vec();
    let row = documents.get(&key).unwrap().unwrap();
    let mut newer = row[..SCHEMA_AT].to_vec();
    newer.extend_from_slice(&2_u16.to_be_bytes());
    newer.extend_from_slice(br#"{"Newer":[1]}"#);
    documents.insert(&key, newer).unwrap();
}

#[tokio::test]
async fn a_row_of_a_newer_form_is_read_and_checked_but_not_written() {
    let folder = folder();
    let store = EmbeddedStore::open(folder.path()).unwrap();
    store.commit(vec![write(1, None), write(2, None)]).await.unwrap();
    drop(store);
    renew(folder.path(), 1);
    let store = EmbeddedStore::open(folder.path()).unwrap();
    let keys = [account_key(1), account_key(2)];
    let read = store.load(&keys).await.unwrap();
    let [newer, other] = [0, 1].map(|at| read[at].as_ref().unwrap());
    assert_eq!(newer.document, account(1));
    let change = |change| Write { key: account_key(1), change, rests_on: Some(newer.version) };
    for refused in [change(Change::Put(account(1))), change(Change::Delete)] {
        let message = store.commit(vec![refused, write(2, Some(other.version))]).await.unwrap_err();
        assert!(matches!(message, Error::Unavailable { .. }));
        assert!(
            message.with_causes().contains("a newer program wrote a row (account)"),
            "{message:?}"
        );
    }
    // The row changed after it was read: the conflict comes first, and the caller reads again.
    assert!(matches!(store.commit(vec![write(1, None)]).await, Err(Error::Conflict)));
    let checked = vec![change(Change::Check), write(2, Some(other.version))];
    store.commit(checked).await.unwrap();
}
