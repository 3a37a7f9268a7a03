//! How the stores take to many addresses: time and memory for each, the time of one allocation, and
//! the start with what is there.
//!
//! `cargo bench --bench scale` goes up to a million addresses; `ADDRESSES=10000000 cargo bench --bench
//! scale` up to ten million, which takes two minutes and 10 GB of disk.

#[expect(dead_code, reason = "ratios are not printed here")]
mod measure;

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use ipv6_gateway::allocation::{ClientToken, Name, Resource};
use serde_json::json;
use store::{Document, EmbeddedStore, Key, MemoryStore, Store, World, Write};
use tempfile::TempDir;

use measure::now;

type Failure = Box<dyn Error + Send + Sync>;

/// How many addresses are in memory, and the most in a directory unless `ADDRESSES` says another.
const MILLION: u64 = 1_000_000;
/// How many allocations are timed, one after another.
const TIMED: u64 = 2000;

/// Has this program open a store, allocate without end, and be killed.
const ALLOCATE: &str = "--allocate";

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip_while(|argument| argument != ALLOCATE).skip(1);
    if let (Some(folder), Some(count)) = (arguments.next(), arguments.next()) {
        return allocate_without_end(Path::new(&folder), count.parse()?).await;
    }
    let most = addresses_max()?;
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
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a benchmark's main reads the environment")]
fn addresses_max() -> Result<u64, Failure> {
    Ok(std::env::var("ADDRESSES").map_or(Ok(MILLION), |text| text.parse())?)
}

/// The addresses, made as they are asked for.
fn documents(count: u64) -> Result<impl Iterator<Item = Document> + Send, Failure> {
    let world = json!({ "Accounts": [{
        "AccountId": "1234567890123456",
        "AccessKeys": [{ "AccessKeyId": "testid", "AccessKeySecret": "testsecret" }],
        "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
        "Ipv6Gateways": [{
            "Ipv6GatewayId": "ipv6gw-hp3y0l3ln89j8cdvfm3my", "RegionId": "cn-huhehaote",
            "VpcId": "vpc-hp3ceghq1hhk6d0zyc5w8"
        }],
        "Ipv6Addresses": [{
            "Ipv6AddressId": "ipv6-hp3", "RegionId": "cn-huhehaote", "Ipv6Address": "2408:4004:1::1",
            "VpcId": "vpc-hp3ceghq1hhk6d0zyc5w8", "AssociatedInstanceType": "NetworkInterface",
            "AssociatedInstanceId": "eni-hp3ceghq1hhk6d0zyc5w8"
        }]
    }] });
    let (mut others, mut address) = (Vec::new(), None);
    for document in World::parse(&world.to_string())?.into_documents() {
        if let Document::Resource(resource) = &document
            && let Resource::Ipv6Address(found) = &**resource
        {
            address = Some(found.clone());
        } else {
            others.push(document);
        }
    }
    let address = address.ok_or("the world has no address")?;
    let addresses = (0..count).map(move |number| {
        let mut address = address.clone();
        address.ipv6_address_id = address_id(number);
        Document::from(Resource::Ipv6Address(address))
    });
    Ok(others.into_iter().chain(addresses))
}

fn address_id(number: u64) -> String {
    format!("ipv6-hp3{number:017}")
}

fn token(number: u64) -> Resource {
    Resource::ClientToken(Box::new(ClientToken {
        account_id: "1234567890123456".to_owned(),
        region_id: "cn-huhehaote".to_owned(),
        action: "AllocateIpv6InternetBandwidth".to_owned(),
        client_token: format!("02fb3da4-130e-11e9-8e44-{number:012}"),
        expires_at_secs: 4_102_444_800,
        parameters: [("Ipv6AddressId".to_owned(), address_id(number))].into(),
        answer: [("Ipv6AddressId".to_owned(), address_id(number))].into(),
    }))
}

/// What an allocation asks of a store: a read of four documents and a commit.
async fn allocate(store: &impl Store, number: u64) -> Result<(Duration, Duration), Failure> {
    let token = token(number);
    let keys = [
        Key::AccessKey("testid".to_owned()),
        Key::Resource(Name::Account("1234567890123456".to_owned())),
        Key::Resource(Name::Ipv6Address(address_id(number))),
        Key::Resource(token.name()),
    ];
    let start = now();
    let mut read = store.load(&keys).await?;
    let read_in = start.elapsed();
    let address = read.swap_remove(2).ok_or("an address is missing")?;
    let replaces = Some(address.version);
    let token = Document::from(token);
    store
        .commit(vec![
            Write { key: keys[2].clone(), document: address.document, replaces },
            Write { key: keys[3].clone(), document: token, replaces: None },
        ])
        .await?;
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

/// How long it takes to open after a process was killed under load.
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

/// Writes the same addresses again and again, as fast as one can.
async fn allocate_without_end(folder: &Path, count: u64) -> Result<(), Failure> {
    let store = EmbeddedStore::open(folder)?;
    for number in (0..count).cycle() {
        let key = Key::Resource(Name::Ipv6Address(address_id(number)));
        let address = store.load(std::slice::from_ref(&key)).await?.swap_remove(0);
        let address = address.ok_or("an address is missing")?;
        let replaces = Some(address.version);
        store.commit(vec![Write { key, document: address.document, replaces }]).await?;
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
        // What it takes, not what it seems to: a journal is made larger than it is filled.
        bytes +=
            if metadata.is_dir() { disk_bytes(&entry.path())? } else { metadata.blocks() * 512 };
    }
    Ok(bytes)
}

/// The memory that this process has resident, in KiB.
fn resident_kib() -> Result<u64, Failure> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let resident = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = resident.and_then(|resident| resident.trim().strip_suffix("kB"));
    Ok(kib.ok_or("the system tells no VmRSS")?.trim().parse()?)
}
