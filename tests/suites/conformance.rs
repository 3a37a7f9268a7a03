//! The promises of every store. Each check gets two clients of one empty store.

mod admission;
mod changes;
mod commits;
mod families;
mod lists;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::store::{Document, Key, Store, Version, Versioned, Write};
use ipv6_gateway::allocation::{Account, Partition, Resource, Scope, Timestamp};
use serde_json::{Value, json};

use crate::support::Clients;

pub use admission::*;
pub use changes::*;
pub use commits::*;
pub use families::*;
pub use lists::*;

const NOW_SECS: u64 = 1_767_323_045;
const CALLERS: usize = 64;
const SCOPE: Scope<'_> = Scope { account_id: "1234567890123456", region_id: "cn-huhehaote" };

/// Passes the names of all checks to a macro, after its other arguments.
#[macro_export]
macro_rules! checks {
    (($($then:tt)*) $($with:tt)*) => {
        $($then)*! { $($with)*
            an_unwritten_document_is_absent
            every_client_reads_what_was_written
            a_commit_writes_all_or_nothing
            a_version_is_of_one_state_only
            an_expired_document_can_be_read_and_replaced
            where_reads_are_snapshots_a_commit_is_read_whole
            a_deleted_document_is_gone_and_can_be_created_again
            a_deletion_conflicts_with_a_change
            a_check_conflicts_with_a_change_and_changes_nothing
            a_list_is_all_of_one_partition_in_the_order_of_ids
            a_list_follows_every_change
            a_list_of_many_documents_is_whole
            a_list_ends_where_its_reader_stops
            commits_during_a_list_disturb_no_other_document
            a_parent_that_counts_its_children_leaves_no_orphan
            a_parent_that_its_children_check_leaves_no_orphan
            a_nonce_is_admitted_once_for_each_key
            an_expired_nonce_is_admitted_again
            a_quota_is_of_an_account_an_action_and_a_window
            a_refused_admission_changes_nothing
            of_many_that_create_one_document_one_succeeds
            of_many_that_replace_one_version_one_succeeds
            of_many_with_one_nonce_one_is_admitted
            of_many_at_once_a_quota_admits_its_number
        }
    };
}

fn account_id(number: usize) -> String {
    format!("{number:016}")
}

pub fn account_key(number: usize) -> Key {
    Account::key(&account_id(number))
}

/// A document of a kind that is not listed.
pub fn account(number: usize) -> Document {
    Resource::read("account", &account_id(number), "", json!({})).unwrap().into()
}

pub fn write(number: usize, rests_on: Option<Version>) -> Write {
    Write::put(account(number), rests_on)
}

/// A document of a listed kind, with this name.
pub fn address(scope: Scope<'_>, id: &str, name: &str) -> Document {
    let members = json!({
        "RegionId": scope.region_id, "Ipv6Address": "2408:4004:1::1", "VpcId": "vpc-1",
        "Ipv6AddressName": name
    });
    Resource::read("ipv6-address", scope.account_id, id, members).unwrap().into()
}

/// The token of this number, with this answer.
pub fn token(number: u64, expires_at_secs: u64, answer: &str) -> Document {
    let expires_at = Timestamp { secs: expires_at_secs };
    let members = json!({
        "ExpiresAt": expires_at, "Parameters": { "Name": "\u{1F980}" }, "Answer": { "Id": answer }
    });
    let id = format!("cn-huhehaote/Action/{number}# \"\\ ~");
    Resource::read("client-token", SCOPE.account_id, &id, members).unwrap().into()
}

/// The members of a document of the rules.
fn members(read: &Versioned) -> Value {
    let Document::Resource(resource) = &read.document else { panic!("{read:?}") };
    serde_json::to_value(resource).unwrap()
}

/// The documents of some accounts.
async fn read(store: &impl Store, accounts: &[usize]) -> Vec<Option<Versioned>> {
    let keys: Vec<Key> = accounts.iter().copied().map(account_key).collect();
    store.load(&keys).await.unwrap()
}

async fn read_one(store: &impl Store, key: Key) -> Option<Versioned> {
    store.load(&[key]).await.unwrap().remove(0)
}

fn versions(read: &[Option<Versioned>]) -> Vec<Option<Version>> {
    read.iter().map(|read| read.as_ref().map(|read| read.version)).collect()
}

/// All documents of a partition, in the list's order.
async fn listed(store: &impl Store, partition: &Partition) -> Vec<Versioned> {
    let mut listed = Vec::new();
    let mut each = |read| {
        listed.push(read);
        std::ops::ControlFlow::Continue(())
    };
    store.list(partition, &mut each).await.unwrap();
    listed
}

/// The ids in a list.
fn ids(listed: &[Versioned]) -> Vec<String> {
    listed.iter().map(|read| read.document.key().id().unwrap().to_owned()).collect()
}

/// Runs an action by many callers at once, half of them through each client, and counts the
/// results.
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
