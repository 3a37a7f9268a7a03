//! Which check finds which defect.

use std::collections::BTreeSet;

use super::{Broken, Defect};

/// The names of the checks that a store fails. `$clients` makes the store's clients.
macro_rules! failing {
    ($clients:expr; $($check:ident)*) => {{
        let mut failing = BTreeSet::new();
        $(
            let run = tokio::spawn(suites::conformance::$check($clients()));
            if run.await.is_err() {
                failing.insert(stringify!($check));
            }
        )*
        failing
    }};
}

/// Runs all checks on a store with this defect, and asserts that these fail.
async fn caught(defect: Defect, by: &[&str]) {
    let clients = || Broken::clients(defect);
    let failing = suites::checks! { (failing) clients; };
    for check in by {
        assert!(failing.contains(check), "{defect:?} is not caught by {check}, but by {failing:?}");
    }
    assert_eq!(failing.is_empty(), by.is_empty(), "{defect:?} is caught by {failing:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_wrapper_alone_is_not_caught() {
    caught(Defect::None, &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_ignores_versions_is_caught() {
    let by = [
        "a_commit_writes_all_or_nothing",
        "a_version_is_of_one_state_only",
        "an_expired_document_can_be_read_and_replaced",
        "of_many_that_create_one_document_one_succeeds",
        "of_many_that_replace_one_version_one_succeeds",
    ];
    caught(Defect::CommitIgnoresVersions, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_writes_half_is_caught() {
    let by = [
        "a_commit_writes_all_or_nothing",
        "of_many_that_create_one_document_one_succeeds",
        "of_many_that_replace_one_version_one_succeeds",
    ];
    caught(Defect::CommitWritesHalf, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_the_other_client_sees_late_is_caught() {
    let by = [
        "every_client_reads_what_was_written",
        "a_commit_writes_all_or_nothing",
        "a_version_is_of_one_state_only",
        "an_expired_document_can_be_read_and_replaced",
    ];
    caught(Defect::LoadIsStale, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_nonce_admitted_twice_at_once_is_caught() {
    caught(Defect::AdmitRaces, &["of_many_with_one_nonce_one_is_admitted"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_nonce_admitted_again_too_soon_is_caught() {
    caught(Defect::AdmitForgets, &["an_expired_nonce_is_admitted_again"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_loses_the_write_is_caught() {
    let by = ["every_client_reads_what_was_written", "a_commit_writes_all_or_nothing"];
    caught(Defect::CommitLosesTheWrite, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_commit_that_conflicts_and_writes_is_caught() {
    let by = ["every_client_reads_what_was_written", "a_commit_writes_all_or_nothing"];
    caught(Defect::CommitConflictsAndWrites, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_keeps_is_caught() {
    let by = ["a_deleted_document_is_gone_and_can_be_created_again", "a_list_follows_every_change"];
    caught(Defect::DeleteKeeps, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_deletion_that_ignores_versions_is_caught() {
    caught(Defect::DeleteIgnoresVersions, &["a_deletion_conflicts_with_a_change"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_that_ignores_versions_is_caught() {
    let by = ["a_check_conflicts_with_a_change_and_changes_nothing"];
    caught(Defect::CheckIgnoresVersions, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_check_that_writes_is_caught() {
    let by = ["a_check_conflicts_with_a_change_and_changes_nothing"];
    caught(Defect::CheckWrites, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_read_that_is_torn_is_caught() {
    caught(Defect::LoadIsTorn, &["where_reads_are_snapshots_a_commit_is_read_whole"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_is_cut_off_is_caught() {
    caught(Defect::ListIsCutOff, &["a_list_of_many_documents_is_whole"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_without_order_is_caught() {
    let by = ["a_list_is_all_of_one_partition_in_the_order_of_ids"];
    caught(Defect::ListIsUnordered, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_ignores_the_stop_of_its_reader_is_caught() {
    caught(Defect::ListGoesOn, &["a_list_ends_where_its_reader_stops"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_with_documents_of_other_regions_is_caught() {
    let by = ["a_list_is_all_of_one_partition_in_the_order_of_ids"];
    caught(Defect::ListHasOtherRegions, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_lags_behind_is_caught() {
    let by = [
        "a_list_is_all_of_one_partition_in_the_order_of_ids",
        "a_list_follows_every_change",
        "a_list_of_many_documents_is_whole",
    ];
    caught(Defect::ListIsStale, &by).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_list_that_counts_positions_is_caught() {
    let by = ["commits_during_a_list_disturb_no_other_document"];
    caught(Defect::ListCountsPositions, &by).await;
}
