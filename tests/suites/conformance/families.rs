//! Parents and children: no child may exist without its parent, although children are created while
//! the parent is deleted. A check by the child alone does not suffice: the parent listed no child
//! before the check, and its version is the same after it. Two protocols suffice.

use std::sync::Arc;

use ::store::{Change, Document, Error, Store, Versioned, Write};
use ipv6_gateway::allocation::{Partition, Resource, Scope};
use serde_json::{Value, json};

use super::{CALLERS, NOW_SECS, SCOPE, address, listed, members, read_one, token};
use crate::support::Clients;

/// Each round has a region of its own.
const REGIONS: [&str; 6] =
    ["cn-beijing", "cn-chengdu", "cn-fuzhou", "cn-guangzhou", "cn-hangzhou", "cn-heyuan"];
/// One in so many callers deletes the parent.
const CALLERS_PER_DELETION: usize = 8;
/// How often a caller decides again after a conflict.
const DECISIONS_MAX: usize = 20;

/// A parent, with a note for a protocol's state.
fn parent(scope: Scope<'_>, note: &str) -> Document {
    let members = json!({ "RegionId": scope.region_id, "Ipv6GatewayId": note });
    Resource::read("vpc", scope.account_id, "vpc-1", members).unwrap().into()
}

fn note_of(parent: &Versioned) -> Value {
    members(parent)["Ipv6GatewayId"].clone()
}

/// How a protocol prevents the deletion of a parent that has children.
#[derive(Clone, Copy)]
enum Protocol {
    /// The parent counts its children: each birth puts the parent again, and no list is needed.
    Counts,
    /// The parent is marked as leaving before its children are listed. A birth checks that the
    /// parent has not changed since it was read, and that it is not marked.
    Checks,
}

impl Protocol {
    /// The note of a parent without children.
    fn first_note(self) -> &'static str {
        match self {
            Self::Counts => "0",
            Self::Checks => "Available",
        }
    }

    /// Decides on a caller's change to the parent that it has read, and commits it. Returns `None`
    /// if there is nothing to change.
    async fn step<S: Store>(
        self,
        store: &S,
        scope: Scope<'_>,
        caller: usize,
        read: Versioned,
    ) -> Option<Result<(), Error>> {
        let writes = if caller.is_multiple_of(CALLERS_PER_DELETION) {
            self.deletion(store, scope, caller, &read).await?
        } else {
            self.birth(scope, caller, &read)?
        };
        Some(store.commit(writes).await)
    }

    fn birth(self, scope: Scope<'_>, caller: usize, read: &Versioned) -> Option<Vec<Write>> {
        let rests_on = Some(read.version);
        let change = match self {
            Self::Counts => {
                let counted = count_in(read) + 1;
                Write::put(parent(scope, &counted.to_string()), rests_on)
            }
            Self::Checks if note_of(read) == "Available" => {
                Write { key: read.document.key(), change: Change::Check, rests_on }
            }
            Self::Checks => return None,
        };
        let child = address(scope, &format!("ipv6-{caller}"), "");
        Some(vec![change, Write::put(child, None)])
    }

    async fn deletion<S: Store>(
        self,
        store: &S,
        scope: Scope<'_>,
        caller: usize,
        read: &Versioned,
    ) -> Option<Vec<Write>> {
        let rests_on = Some(read.version);
        let has_children = match self {
            Self::Counts if count_in(read) > 0 => return None,
            Self::Counts => false,
            Self::Checks if note_of(read) == "Available" => {
                return Some(vec![Write::put(parent(scope, "Deleting"), rests_on)]);
            }
            Self::Checks => !listed(store, &Partition::of("ipv6-address", scope)).await.is_empty(),
        };
        if has_children {
            return Some(vec![Write::put(parent(scope, "Available"), rests_on)]);
        }
        let delete = Write { key: read.document.key(), change: Change::Delete, rests_on };
        // Every commit puts something.
        let receipt = token(u64::try_from(caller).unwrap(), NOW_SECS, "deleted");
        Some(vec![delete, Write::put(receipt, None)])
    }
}

fn count_in(parent: &Versioned) -> usize {
    note_of(parent).as_str().unwrap().parse().unwrap()
}

/// A caller that reads the parent and takes a step, several times, until its step is done.
async fn call<S: Store>(store: Arc<S>, protocol: Protocol, region_id: &'static str, caller: usize) {
    let scope = Scope { region_id, ..SCOPE };
    for _ in 0..DECISIONS_MAX {
        let Some(read) = read_one(&*store, parent(scope, "").key()).await else { return };
        let is_birth = !caller.is_multiple_of(CALLERS_PER_DELETION);
        match protocol.step(&*store, scope, caller, read).await {
            Some(Ok(())) if is_birth => return,
            None => return,
            // A deletion has a second step, and resumes the deletion of another caller.
            Some(Ok(()) | Err(Error::Conflict)) => tokio::task::yield_now().await,
            Some(Err(error)) => panic!("{error:?}"),
        }
    }
}

/// Runs callers that create children of a parent and delete it. Returns for each round whether the
/// parent is left, and the number of its children.
async fn rounds<S: Store + 'static>(
    clients: &Clients<S>,
    protocol: Protocol,
) -> Vec<(Option<Versioned>, usize)> {
    let mut rounds = Vec::new();
    for region_id in REGIONS {
        let scope = Scope { region_id, ..SCOPE };
        let new = Write::put(parent(scope, protocol.first_note()), None);
        clients[0].commit(vec![new]).await.unwrap();
        let first = rounds.len() * CALLERS;
        let callers = (first..first + CALLERS).map(|caller| {
            tokio::spawn(call(Arc::clone(&clients[caller % 2]), protocol, region_id, caller))
        });
        for caller in callers.collect::<Vec<_>>() {
            caller.await.unwrap();
        }
        let left = read_one(&*clients[1], parent(scope, "").key()).await;
        let children = listed(&*clients[1], &Partition::of("ipv6-address", scope)).await;
        assert!(left.is_some() || children.is_empty(), "orphans: {children:?}");
        rounds.push((left, children.len()));
    }
    rounds
}

pub async fn a_parent_that_counts_its_children_leaves_no_orphan<S: Store + 'static>(
    clients: Clients<S>,
) {
    for (left, children) in rounds(&clients, Protocol::Counts).await {
        assert_eq!(left.as_ref().map_or(0, count_in), children);
    }
}

pub async fn a_parent_that_its_children_check_leaves_no_orphan<S: Store + 'static>(
    clients: Clients<S>,
) {
    rounds(&clients, Protocol::Checks).await;
}
