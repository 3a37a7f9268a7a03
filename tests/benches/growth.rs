//! Growth with the number of addresses: one page of a list, the longest pause, and the memory of an
//! allocation.

use std::ops::ControlFlow;
use std::time::Duration;

use ipv6_gateway::allocation::{
    AsKind as _, BusinessStatus, InstanceChargeType, InternetBandwidth, InternetChargeType,
    Ipv6Address, Kind as _, Partition, Resource,
};
use store::{Admission, Document, EmbeddedStore, MemoryStore, Store, Versioned, Write};
use tempfile::TempDir;

use super::measure::now;
use super::{Failure, SCOPE, address_id, documents, resident_kib, token};

/// How many addresses are listed.
const LISTED: [u64; 2] = [10_000, 1_000_000];
/// How many addresses a page has.
const PAGE: usize = 10;
/// The number of documents after the longest pause was measured.
const DOCUMENTS: u64 = 2_000_000;
/// How many allocations are measured.
const ALLOCATIONS: u64 = 200_000;

/// The rows of a table: addresses, their place, a page of all, a page of one name.
pub(crate) async fn lists() -> Result<Vec<String>, Failure> {
    let mut rows = Vec::new();
    for count in LISTED {
        let memory = MemoryStore::default();
        memory.replace(documents(count)?);
        let [all, one] = pages(&memory, count).await?;
        rows.push(format!("| {count} | in memory | {all:.1?} | {one:.1?} |"));
        drop(memory);
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        let directory = EmbeddedStore::open(folder.path())?;
        directory.replace(documents(count)?).await?;
        let [all, one] = pages(&directory, count).await?;
        rows.push(format!("| {count} | in a directory | {all:.1?} | {one:.1?} |"));
    }
    Ok(rows)
}

/// The times of the first page of all addresses, and of that of one name.
async fn pages(store: &impl Store, count: u64) -> Result<[Duration; 2], Failure> {
    Ok([page(store, count, |_| true).await?, page(store, 0, |name| name == "none").await?])
}

/// The median time of a list that counts all matches, and keeps a page of them.
async fn page(
    store: &impl Store,
    expected: u64,
    matches: impl Fn(&str) -> bool + Sync,
) -> Result<Duration, Failure> {
    let mut times = Vec::new();
    for _ in 0..5 {
        let (mut total, mut page) = (0, Vec::new());
        let mut each = |read: Versioned| {
            let Document::Resource(resource) = &read.document else {
                return ControlFlow::Continue(());
            };
            let address: Option<&Ipv6Address> = resource.as_kind();
            if address.is_some_and(|address| matches(&address.ipv6_address_name)) {
                total += 1;
                if page.len() < PAGE {
                    page.push(resource.clone());
                }
            }
            ControlFlow::Continue(())
        };
        let start = now();
        store.list(&Partition::of("ipv6-address", SCOPE), &mut each).await?;
        times.push(start.elapsed());
        if total != expected {
            return Err(format!("{total} addresses are listed, not {expected}").into());
        }
    }
    times.sort();
    Ok(times[times.len() / 2])
}

/// The longest commit while documents grow to two million, one after another.
pub(crate) async fn longest_pause() -> Result<Duration, Failure> {
    let store = MemoryStore::default();
    let mut longest = Duration::ZERO;
    for number in 0..DOCUMENTS {
        let write = Write::put(Resource::from(token(number)), None);
        let start = now();
        store.commit(vec![write]).await?;
        longest = longest.max(start.elapsed());
    }
    Ok(longest)
}

/// The bytes that an allocation keeps in memory: the address with its bandwidth, the bandwidth's
/// owner, the token and the nonce.
pub(crate) async fn left_by_an_allocation() -> Result<u64, Failure> {
    let store = MemoryStore::default();
    store.replace(documents(ALLOCATIONS)?);
    let before_kib = resident_kib()?;
    for number in 0..ALLOCATIONS {
        let nonce = format!("02fb3da4-130e-11e9-8e44-{number:012}");
        let admission = Admission {
            access_key_id: "testid",
            account_id: SCOPE.account_id,
            nonce: &nonce,
            nonce_expires_at_secs: 1_767_323_045 + 901 + number / 5000,
            quota: None,
            now_secs: 1_767_323_045,
        };
        store.admit(&admission).await?;
        let key = Ipv6Address::key(SCOPE, &address_id(number));
        let read = store.load(std::slice::from_ref(&key)).await?.swap_remove(0);
        let read = read.ok_or("an address is missing")?;
        let Document::Resource(resource) = &read.document else { continue };
        let address: Option<&Ipv6Address> = resource.as_kind();
        let mut address = address.ok_or("no address")?.clone();
        address.ipv6_internet_bandwidth = Some(InternetBandwidth {
            internet_bandwidth_id: format!("ipv6bw-{number:017}").into(),
            internet_charge_type: InternetChargeType::PayByBandwidth,
            bandwidth_mbps: 200,
            instance_charge_type: InstanceChargeType::default(),
            business_status: BusinessStatus::default(),
        });
        let mut writes: Vec<Write> =
            address.implied().into_iter().map(|owner| Write::put(owner, None)).collect();
        writes.push(Write::put(Resource::from(address), Some(read.version)));
        let mut token = token(number);
        let id = address_id(number);
        let bandwidth_id = format!("ipv6bw-{number:017}");
        token.parameters = [
            ("Bandwidth", "200"),
            ("InternetChargeType", "PayByBandwidth"),
            ("Ipv6AddressId", &id),
            ("Ipv6GatewayId", "ipv6gw-hp3y0l3ln89j8cdvfm3my"),
        ]
        .into_iter()
        .collect();
        token.answer =
            [("Ipv6AddressId", &*id), ("InternetBandwidthId", &bandwidth_id)].into_iter().collect();
        writes.push(Write::put(Resource::from(token), None));
        store.commit(writes).await?;
    }
    Ok((resident_kib()? - before_kib) * 1024 / ALLOCATIONS)
}
