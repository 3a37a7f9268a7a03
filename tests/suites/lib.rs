//! What several test binaries share: the suites that hold for every store, the recordings of
//! Terraform, and helpers that make worlds, sign calls, and run the command `contract`.
//!
//! `tests/contract` runs the suites in memory and in a directory, `tests/foreign` on `DynamoDB`
//! Local. For a new store, write a function that returns two clients of one empty store, and use
//! [`suites!`]. For a new way to start the local endpoint, write a function that returns its
//! arguments, and use [`suites_over_http!`].

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without ends it there")]
#![expect(clippy::missing_panics_doc, reason = "a check panics where a promise is broken")]
#![expect(clippy::must_use_candidate, reason = "a test that drops a result has no use for it")]
#![expect(missing_docs, reason = "the name of a check is the sentence that it checks")]

pub mod command;
pub mod conformance;
pub mod control;
pub mod decision_table;
pub mod endpoint;
pub mod interruptions;
pub mod linearizability;
pub mod places;
pub mod races;
pub mod retries;
pub mod review;
pub mod support;
pub mod template;
pub mod terraform;
pub mod trouble;
pub mod worlds;

use std::path::PathBuf;
use std::time::SystemTime;

use tempfile::TempDir;

/// Seconds since 1970 UTC.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the endpoints judge timestamps by the same clock")]
pub fn now_secs() -> i64 {
    let since_1970 = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since_1970.as_secs()).unwrap()
}

/// The folder for the files of tests: `target/tmp`, as cargo sets it for tests.
#[must_use]
pub fn tmp() -> PathBuf {
    // target/debug/deps/NAME-HASH
    let executable = std::env::current_exe().unwrap();
    let folder = executable.ancestors().nth(3).unwrap().join("tmp");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// A new folder, which is removed with the value.
#[must_use]
pub fn scratch() -> TempDir {
    TempDir::new_in(tmp()).unwrap()
}

/// Tests all promises of a store and of the function over it. `$clients` names a function that
/// returns the clients.
#[macro_export]
macro_rules! suites {
    ($clients:ident) => {
        mod conformance {
            $crate::checks! { ($crate::tests_of) [conformance, super::$clients()] }
        }
        mod decision_table {
            $crate::tests_of! { [decision_table, super::$clients()] every_cell_holds }
        }
        mod races {
            $crate::tests_of! { [races, super::$clients()]
                of_64_callers_with_tokens_of_their_own_one_allocates
                of_64_callers_with_one_token_all_get_the_same_bandwidth
                of_64_callers_with_two_tokens_those_of_the_winner_get_the_same_bandwidth
                of_64_callers_who_buy_change_and_delete_all_fit_one_order
                of_64_callers_with_one_token_one_changes_and_all_get_its_answer
                of_64_callers_with_one_token_one_deletes_and_all_get_its_answer
            }
        }
        mod linearizability {
            $crate::tests_of! { [linearizability, super::$clients()]
                what_concurrent_clients_see_of_an_address_is_linearizable
            }
        }
        mod interruptions {
            $crate::tests_of! { [interruptions, super::$clients()]
                a_purchase_has_the_counted_points
                after_an_interruption_the_token_finishes_or_repeats_the_purchase
                after_an_interruption_another_token_buys_only_if_nothing_was_bought
            }
        }
        mod retries {
            $crate::tests_of! { [retries, super::$clients()]
                a_token_succeeds_after_any_failure
                another_token_after_a_failure_buys_only_if_nothing_was_bought
            }
        }
    };
}

/// Tests an endpoint over HTTP. `$arguments` are its arguments.
#[macro_export]
macro_rules! suites_over_http {
    ($arguments:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn every_cell_of_the_decision_table_holds() {
            $crate::decision_table::every_cell_holds_over_http($arguments).await;
        }
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn of_64_callers_one_allocates() {
            $crate::races::of_64_callers_over_http_one_allocates($arguments).await;
        }
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn no_trouble_buys_twice() {
            $crate::retries::no_trouble_over_http_buys_twice($arguments).await;
        }
        #[tokio::test]
        async fn terraform_applies_plans_changes_and_destroys_a_bandwidth() {
            $crate::terraform::Story::BANDWIDTH_ALONE.hold($arguments).await;
        }
        #[tokio::test]
        async fn terraform_gets_through_errors_and_broken_connections_as_recorded() {
            $crate::terraform::Story::RETRIES.hold_step_by_step($arguments).await;
        }
        #[tokio::test]
        async fn terraform_reads_its_data_sources() {
            $crate::terraform::Story::DATA_SOURCES.hold($arguments).await;
        }
        #[tokio::test]
        async fn terraform_reads_pages_until_a_short_one() {
            $crate::terraform::Story::PAGING.hold($arguments).await;
        }
        #[tokio::test]
        async fn the_command_line_buys_lists_waits_changes_and_deletes() {
            $crate::terraform::Story::CLI.hold($arguments).await;
        }
    };
}

/// Makes a test of each check of a module of this crate. `$clients` is a future that yields
/// [`support::Clients`].
#[macro_export]
macro_rules! tests_of {
    ([$module:ident, $clients:expr] $($check:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
            async fn $check() {
                $crate::$module::$check($clients.await).await;
            }
        )*
    };
}
