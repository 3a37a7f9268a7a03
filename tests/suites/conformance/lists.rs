//! Lists.

use std::ops::ControlFlow;

use ::store::{Change, Document, Store, Versioned, Write};
use ipv6_gateway::allocation::{Partition, Resource, Scope};
use serde_json::json;
use tokio::runtime::Handle;

use super::{SCOPE, account, address, ids, listed, members, read_one};
use crate::support::Clients;

/// More documents than any store reads at once: DynamoDB answers pages of 1 MB.
const MANY: usize = 2500;

fn partition() -> Partition {
    Partition::of("ipv6-address", SCOPE)
}

/// Creates the addresses of these ids, with names of this length.
async fn create(store: &impl Store, ids: &[String], name_bytes: usize) {
    let name = "n".repeat(name_bytes);
    for ids in ids.chunks(50) {
        let writes = ids.iter().map(|id| Write::put(address(SCOPE, id, &name), None));
        store.commit(writes.collect()).await.unwrap();
    }
}

pub async fn a_list_is_all_of_one_partition_in_the_order_of_ids<S: Store>(
    [store, other]: Clients<S>,
) {
    let expected = ["ipv6--", "ipv6-0", "ipv6-1", "ipv6-10", "ipv6-2", "ipv6-a", "ipv6-a-b"];
    let mut documents = [3, 0, 6, 1, 5, 2, 4].map(|at| address(SCOPE, expected[at], "")).to_vec();
    // The same ids elsewhere: in another region, in one whose name begins with this one's, in
    // another account, and of another kind.
    for region_id in ["cn-hangzhou", "cn-hangzhou-finance"] {
        let scope = Scope { region_id, ..SCOPE };
        documents.push(address(scope, "ipv6-1", region_id));
    }
    documents.push(address(Scope { account_id: "1234567890123457", ..SCOPE }, "ipv6-1", ""));
    let in_vpc = json!({ "RegionId": SCOPE.region_id, "VpcId": "vpc-1" });
    let gateway = Resource::read("ipv6-gateway", SCOPE.account_id, "ipv6-1", in_vpc).unwrap();
    documents.push(gateway.clone().into());
    let writes = documents.into_iter().map(|document| Write::put(document, None));
    store.commit(writes.collect()).await.unwrap();
    let read = listed(&*other, &partition()).await;
    assert_eq!(ids(&read), expected);
    for read in read {
        let loaded = read_one(&*store, read.document.key()).await.unwrap();
        assert_eq!((loaded.document, loaded.version), (read.document, read.version));
    }
    let elsewhere = Scope { region_id: "cn-hangzhou", ..SCOPE };
    let read = listed(&*other, &Partition::of("ipv6-address", elsewhere)).await;
    assert_eq!(read.len(), 1);
    assert_eq!(members(&read[0])["Ipv6AddressName"], "cn-hangzhou");
    let read = listed(&*other, &Partition::of("ipv6-gateway", SCOPE)).await;
    assert_eq!(read.len(), 1);
    assert_eq!(read[0].document, gateway.into());
}

pub async fn a_list_follows_every_change<S: Store>([store, other]: Clients<S>) {
    let all = ["ipv6-1", "ipv6-2", "ipv6-3"].map(str::to_owned);
    create(&*store, &all, 0).await;
    assert_eq!(ids(&listed(&*other, &partition()).await), all);
    let [first, second, _] = all.each_ref().map(|id| address(SCOPE, id, "new"));
    let read = read_one(&*other, first.key()).await.unwrap();
    let new = Write::put(address(SCOPE, "ipv6-0", ""), None);
    let delete = deletion(&*other, second).await;
    other.commit(vec![Write::put(first, Some(read.version)), delete, new]).await.unwrap();
    let read = listed(&*store, &partition()).await;
    assert_eq!(ids(&read), ["ipv6-0", "ipv6-1", "ipv6-3"]);
    assert_eq!(members(&read[1])["Ipv6AddressName"], "new");
}

pub async fn a_list_of_many_documents_is_whole<S: Store>([store, other]: Clients<S>) {
    let all: Vec<String> = (0..MANY).map(|number| format!("ipv6-{number:05}")).collect();
    create(&*store, &all, 400).await;
    assert!(ids(&listed(&*other, &partition()).await) == all, "not each once and in order");
}

pub async fn a_list_ends_where_its_reader_stops<S: Store>([store, other]: Clients<S>) {
    let all: Vec<String> = (0..1200).map(|number| format!("ipv6-{number:05}")).collect();
    create(&*store, &all, 0).await;
    for last in [1, 7, 1000, 1001] {
        let mut seen = 0;
        let mut each = |_| {
            seen += 1;
            if seen < last { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        };
        other.list(&partition(), &mut each).await.unwrap();
        assert_eq!(seen, last);
    }
}

/// A list may show what is committed while it is read. It shows every other document once.
pub async fn commits_during_a_list_disturb_no_other_document<S: Store + 'static>(
    [store, other]: Clients<S>,
) {
    let lasting: Vec<String> = (0..1500).map(|number| format!("ipv6-{number:05}")).collect();
    let passing = ["ipv6-00010-b", "ipv6-01300-b"].map(str::to_owned);
    create(&*store, &[&lasting[..], &passing].concat(), 0).await;
    let mut seen = Vec::new();
    let mut each = |read: Versioned| {
        seen.push(read);
        let commit = async {
            match seen.len() {
                500 => {
                    let [one, two] = passing.each_ref().map(|id| address(SCOPE, id, ""));
                    let receipt = Write::put(account(1), None);
                    let writes = vec![deletion(&*store, one).await, deletion(&*store, two).await];
                    store.commit([writes, vec![receipt]].concat()).await.unwrap();
                }
                1100 => {
                    create(&*store, &["ipv6-00020-b", "ipv6-01400-b"].map(str::to_owned), 0).await;
                }
                _ => {}
            }
        };
        tokio::task::block_in_place(|| Handle::current().block_on(commit));
        ControlFlow::Continue(())
    };
    other.list(&partition(), &mut each).await.unwrap();
    let mut seen = ids(&seen);
    assert!(seen.is_sorted_by(|one, next| one < next), "an id comes twice, or out of order");
    seen.retain(|id| !id.ends_with("-b"));
    assert!(seen == lasting, "a document is missing");
    let mut left = ids(&listed(&*other, &partition()).await);
    left.retain(|id| id.ends_with("-b"));
    assert_eq!(left, ["ipv6-00020-b", "ipv6-01400-b"]);
}

/// A deletion of a document at its current version.
async fn deletion(store: &impl Store, document: Document) -> Write {
    let key = document.key();
    let rests_on = read_one(store, key.clone()).await.map(|read| read.version);
    Write { key, change: Change::Delete, rests_on }
}
