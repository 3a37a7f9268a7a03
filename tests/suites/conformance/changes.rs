//! Deletions and checks.

use ::store::{Change, Error, Store, Version, Write};

use super::{account, account_key, read, versions, write};
use crate::support::Clients;

fn delete(number: usize, rests_on: Option<Version>) -> Write {
    Write { key: account_key(number), change: Change::Delete, rests_on }
}

fn check(number: usize, rests_on: Option<Version>) -> Write {
    Write { key: account_key(number), change: Change::Check, rests_on }
}

pub async fn a_deleted_document_is_gone_and_can_be_created_again<S: Store>(
    [store, other]: Clients<S>,
) {
    store.commit(vec![write(1, None), write(2, None)]).await.unwrap();
    let first = versions(&read(&*other, &[1, 2]).await);
    other.commit(vec![delete(1, first[0]), write(2, first[1])]).await.unwrap();
    let [gone, left] = read(&*store, &[1, 2]).await.try_into().unwrap();
    assert!(gone.is_none() && left.unwrap().document == account(2));
    // An absent document can be deleted as an absent one.
    store.commit(vec![delete(1, None), write(3, None)]).await.unwrap();
    store.commit(vec![write(1, None)]).await.unwrap();
    let second = versions(&read(&*other, &[1]).await);
    assert!(second[0].is_some() && second[0] != first[0], "the version came again: {first:?}");
    assert!(matches!(other.commit(vec![write(1, first[0])]).await, Err(Error::Conflict)));
}

pub async fn a_deletion_conflicts_with_a_change<S: Store>([store, other]: Clients<S>) {
    store.commit(vec![write(1, None), write(2, None)]).await.unwrap();
    let read_first = versions(&read(&*store, &[1, 2]).await);
    let [first, second] = [read_first[0], read_first[1]];
    other.commit(vec![write(1, first)]).await.unwrap();
    let there = versions(&read(&*store, &[1, 2, 3]).await);
    for wrong in [
        vec![delete(1, first), write(2, second)],
        vec![write(3, None), delete(1, first)],
        vec![delete(2, second), write(3, None), delete(1, None)],
        vec![delete(3, first), write(2, second)],
    ] {
        assert!(matches!(store.commit(wrong).await, Err(Error::Conflict)));
        let now = versions(&read(&*other, &[1, 2, 3]).await);
        assert_eq!(now, there, "half of it was written");
    }
}

pub async fn a_check_conflicts_with_a_change_and_changes_nothing<S: Store>(
    [store, other]: Clients<S>,
) {
    store.commit(vec![write(1, None), write(2, None)]).await.unwrap();
    let first = versions(&read(&*store, &[1, 2]).await);
    // One change of each kind: a checked document keeps its version, and a checked absence stays.
    let all = vec![check(1, first[0]), delete(2, first[1]), write(3, None), check(4, None)];
    other.commit(all).await.unwrap();
    let there = versions(&read(&*store, &[1, 2, 3, 4]).await);
    assert_eq!((there[0], there[1], there[3]), (first[0], None, None));
    other.commit(vec![write(1, first[0])]).await.unwrap();
    let there = versions(&read(&*store, &[1, 2, 3, 4]).await);
    for wrong in [
        vec![check(1, first[0]), write(4, None)],
        vec![write(4, None), check(1, None)],
        vec![write(4, None), check(2, first[1])],
        vec![check(3, None), write(4, None)],
    ] {
        assert!(matches!(store.commit(wrong).await, Err(Error::Conflict)));
        let now = versions(&read(&*other, &[1, 2, 3, 4]).await);
        assert_eq!(now, there, "a commit was made whose check fails");
    }
}
