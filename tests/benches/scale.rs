//! The stores with many addresses: time and memory for each address, the time of one allocation,
//! the start with all of them, one page of a list, and the longest pause.
//!
//! `cargo bench --bench scale` goes up to a million addresses; `ADDRESSES=10000000 cargo bench --bench
//! scale` up to ten million, which takes two minutes and 10 GB of disk.

mod growth;
#[expect(dead_code, reason = "ratios are not printed here")]
mod measure;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use ipv6_gateway::allocation::{
    Account, ClientToken, Ipv6Address, Kind as _, Region, Resource, Scope, Timestamp,
};
use serde_json::json;
use store::{AccessKey, Document, EmbeddedStore, MemoryStore, Store, World, Write};
use tempfile::TempDir;

use measure::now;

type Failure = Box<dyn Error + Send + Sync>;

/// The number of addresses in memory, and the largest number in a directory unless `ADDRESSES` sets
/// another.
const MILLION: u64 = 1_000_000;
/// The scope of the addresses.
const SCOPE: Scope<'_> = Scope { account_id: "1234567890123456", region_id: "cn-huhehaote" };
/// How many allocations are timed, one after another.
const TIMED: u64 = 2000;

/// The argument that makes this program open a store, allocate without end, and be killed.
const ALLOCATE: &str = "--allocate";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip_while(|argument| argument != ALLOCATE).skip(1);
    if let (Some(folder), Some(count)) = (arguments.next(), arguments.next()) {
        return allocate_without_end(Path::new(&folder), count.parse()?).await;
    }
    let most = addresses_max()?;
    // First, before freed memory could be reused.
    let left = growth::left_by_an_allocation().await?;
    let mut out = std::io::stdout();
    writeln!(
        out,
        "\n| addresses | kept | load | of one address | median allocation | median read | reopened | \
         reopened after SIGKILL |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    )?;
    let mut counts = vec![1000, 100_000];
    counts.extend((most > 100_000).then_some(most));
    for count in counts {
        writeln!(out, "{}", in_directory(count).await?)?;
    }
    writeln!(out, "{}\n", in_memory(MILLION).await?)?;
    writeln!(
        out,
        "| addresses | kept | a page of all | a page of one name |\n| --- | --- | --- | --- |"
    )?;
    for row in growth::lists().await? {
        writeln!(out, "{row}")?;
    }
    let pause = growth::longest_pause().await?;
    writeln!(
        out,
        "\nIn memory an allocation leaves {left} bytes; the longest commit of two million takes {pause:.1?}.\n"
    )?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark's main reads the environment")]
fn addresses_max() -> Result<u64, Failure> {
    Ok(std::env::var("ADDRESSES").map_or(Ok(MILLION), |text| text.parse())?)
}

/// The addresses, generated on demand.
fn documents(count: u64) -> Result<impl Iterator<Item = Document> + Send, Failure> {
    let world = json!({ "Accounts": { (SCOPE.account_id): {
        "AccessKeys": { "testid": { "AccessKeySecret": "testsecret" } },
        "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
        "Ipv6Gateways": { "ipv6gw-hp3y0l3ln89j8cdvfm3my": {
            "RegionId": SCOPE.region_id, "VpcId": "vpc-hp3ceghq1hhk6d0zyc5w8"
        } },
        "Ipv6Addresses": { "ipv6-hp3": {
            "RegionId": SCOPE.region_id, "Ipv6Address": "2408:4004:1::1",
            "VpcId": "vpc-hp3ceghq1hhk6d0zyc5w8", "AssociatedInstanceType": "NetworkInterface",
            "AssociatedInstanceId": "eni-hp3ceghq1hhk6d0zyc5w8"
        } }
    } } });
    let (mut others, mut address) = (Vec::new(), None);
    for document in World::parse(&world.to_string())?.into_documents() {
        if let Document::Resource(Resource::Ipv6Address(found)) = &document {
            address = Some(Ipv6Address::clone(found));
        } else {
            others.push(document);
        }
    }
    let address = address.ok_or("the world has no address")?;
    let addresses = (0..count).map(move |number| {
        let mut address = address.clone();
        address.ipv6_address_id = address_id(number).into();
        Document::from(Resource::from(address))
    });
    Ok(others.into_iter().chain(addresses))
}

fn address_id(number: u64) -> String {
    format!("ipv6-hp3{number:017}")
}

fn token(number: u64) -> ClientToken {
    ClientToken {
        account_id: SCOPE.account_id.into(),
        region_id: Region::find(SCOPE.region_id),
        action: "AllocateIpv6InternetBandwidth".into(),
        client_token: format!("02fb3da4-130e-11e9-8e44-{number:012}").into(),
        expires_at: Timestamp { secs: 4_102_444_800 },
        parameters: [("Ipv6AddressId", address_id(number))].into_iter().collect(),
        answer: [("Ipv6AddressId", address_id(number))].into_iter().collect(),
    }
}

/// The requests of an allocation to a store: a read of four documents and a commit.
async fn allocate(store: &impl Store, number: u64) -> Result<(Duration, Duration), Failure> {
    let token = token(number);
    let keys = [
        AccessKey::key("testid"),
        Account::key(SCOPE.account_id),
        Ipv6Address::key(SCOPE, &address_id(number)),
        token.key(),
    ];
    let start = now();
    let mut read = store.load(&keys).await?;
    let read_in = start.elapsed();
    let address = read.swap_remove(2).ok_or("an address is missing")?;
    let token = Write::put(Resource::from(token), None);
    store.commit(vec![Write::put(address.document, Some(address.version)), token]).await?;
    Ok((start.elapsed(), read_in))
}

/// The median times of an allocation and of its read.
async fn timed(store: &impl Store, count: u64) -> Result<(Duration, Duration), Failure> {
    let (mut allocations, mut reads) = (Vec::new(), Vec::new());
    // Far from one another.
    for number in (0..count).step_by(usize::try_from((count / TIMED).max(1))?) {
        let (allocation, read) = allocate(store, number).await?;
        allocations.push(allocation);
        reads.push(read);
    }
    allocations.sort();
    reads.sort();
    Ok((allocations[allocations.len() / 2], reads[reads.len() / 2]))
}

async fn in_directory(count: u64) -> Result<String, Failure> {
    let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
    let start = now();
    let store = EmbeddedStore::open(folder.path())?;
    store.replace(documents(count)?).await?;
    let loaded = start.elapsed();
    let (allocation, read) = timed(&store, count).await?;
    drop(store);
    let bytes = disk_bytes(folder.path())?;
    let (store, reopened) = open(folder.path())?;
    drop(store);
    let after_kill = killed(folder.path(), count)?;
    let each = bytes / count;
    Ok(format!(
        "| {count} | in a directory | {loaded:.1?} | {each} bytes of disk | {allocation:.1?} | \
         {read:.1?} | {reopened:.1?} | {after_kill:.1?} |"
    ))
}

fn open(folder: &Path) -> Result<(EmbeddedStore, Duration), Failure> {
    let start: Instant = now();
    let store = EmbeddedStore::open(folder)?;
    Ok((store, start.elapsed()))
}

/// The time to open after a process was killed under load.
fn killed(folder: &Path, count: u64) -> Result<Duration, Failure> {
    let mut process = std::process::Command::new(std::env::current_exe()?)
        .arg(ALLOCATE)
        .arg(folder)
        .arg(count.to_string())
        .spawn()?;
    std::thread::sleep(Duration::from_secs(5));
    process.kill()?;
    process.wait()?;
    Ok(open(folder)?.1)
}

/// Writes the same addresses repeatedly, as fast as possible.
async fn allocate_without_end(folder: &Path, count: u64) -> Result<(), Failure> {
    let store = EmbeddedStore::open(folder)?;
    for number in (0..count).cycle() {
        let key = Ipv6Address::key(SCOPE, &address_id(number));
        let address = store.load(std::slice::from_ref(&key)).await?.swap_remove(0);
        let address = address.ok_or("an address is missing")?;
        store.commit(vec![Write::put(address.document, Some(address.version))]).await?;
    }
    Ok(())
}

async fn in_memory(count: u64) -> Result<String, Failure> {
    let empty_kib = resident_kib()?;
    let start = now();
    let store = MemoryStore::default();
    store.replace(documents(count)?);
    let loaded = start.elapsed();
    let each = (resident_kib()? - empty_kib) * 1024 / count;
    let (allocation, read) = timed(&store, count).await?;
    Ok(format!(
        "| {count} | in memory | {loaded:.1?} | {each} bytes of memory | {allocation:.1?} | \
         {read:.1?} | | |"
    ))
}

fn disk_bytes(folder: &Path) -> Result<u64, Failure> {
    use std::os::unix::fs::MetadataExt as _;
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let metadata = entry.metadata()?;
        // The allocated size, not the apparent one: a journal is created larger than its content.
        bytes +=
            if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

/// The resident memory of this process, in KiB.
fn resident_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|resident| resident.trim().strip_suffix("kB"));
    Ok(kib.ok_or("the system tells no VmRSS")?.trim().parse()?)
}
