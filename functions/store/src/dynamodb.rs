//! A store in a table of DynamoDB.
//!
//! An item is a document, a nonce or a counter. The partition key `pk` of a document of a listed kind
//! is kind, account and region; its sort key `sk` is the id. The `pk` of every other item is its whole
//! key. A read is one `BatchGetItem`, a list is a `Query` of one partition; both are strongly
//! consistent. A commit is one `TransactWriteItems` that puts whole documents, deletes and checks, on
//! condition that the documents have not changed.
//!
//! Every commit puts at least one document. If the answer of a commit is lost, the version of that
//! document shows whether the commit was done; a deletion alone would leave no version.
//!
//! # Throughput
//!
//! DynamoDB partitions items by a hash of `pk`. A partition serves 3000 read units and 1000 write
//! units a second. The limits of the calls are therefore:
//!
//! - Bandwidths, tokens and nonces have a `pk` of their own and spread over partitions.
//! - The addresses of an account in a region share one `pk`. A purchase writes its address for two
//!   units: some 500 purchases a second per account and region.
//! - Every call reads its access key, its account and its RAM user or role, one unit each up to 4 KB:
//!   some 3000 calls a second per access key and per account.
//! - With a quota, every call of an account to an action updates one counter for one unit: at most
//!   1000 calls a second. Calls over the quota write nothing once an instance knows that the quota is
//!   used up.

mod admission;
mod api;
mod attempts;
mod change;
mod connection;
mod contents;
mod failure;
mod item;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::ops::ControlFlow;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region, StalledStreamProtectionConfig};
use aws_sdk_dynamodb::operation::batch_get_item::BatchGetItemInput;
use aws_sdk_dynamodb::operation::query::QueryInput;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsInputBuilder;
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem};

use crate::document::are_valid;
use crate::{Admission, Admitted, Change, Error, Key, Partition, Store, Version, Versioned, Write};
use admission::UsedUp;
use attempts::{Attempt, Attempts};
use connection::Connections;
use failure::Reason;
use item::{ItemKey, PK};

pub use api::{DynamoDbApi, Sending};
pub use aws_sdk_dynamodb::config::Credentials;

/// The most keys of one `BatchGetItem`.
const BATCH_KEYS_MAX: usize = 100;

/// Returns uniformly distributed random numbers.
pub type Random = Box<dyn Fn() -> u64 + Send + Sync>;

/// A table of DynamoDB, and the settings of its client.
#[derive(Clone, Debug)]
pub struct Table {
    /// The name.
    pub name: String,
    /// The region, as in `eu-central-1`.
    pub region: String,
    /// The URL of DynamoDB; `None`: the URL of the region.
    pub endpoint_url: Option<String>,
    /// Credentials that may read and write the table.
    pub credentials: Credentials,
    /// The longest time of one call of the store, with all attempts; see [`CALL_TIME_MAX`].
    pub call_time_max: Duration,
}

/// The longest time of one call of the store, or one page of a list, in the function, whose calls have
/// ten seconds.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(2);

/// A store in a table of DynamoDB.
pub struct DynamoDbStore<A = Client> {
    api: A,
    table_name: String,
    call_time_max: Duration,
    random: Random,
    used_up: UsedUp,
}

impl<A> fmt::Debug for DynamoDbStore<A> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DynamoDbStore")
            .field("table_name", &self.table_name)
            .finish_non_exhaustive()
    }
}

impl DynamoDbStore {
    /// The store in `table`. It connects with its first call.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: the cryptography supports no version of TLS.
    pub fn new(table: Table, random: Random) -> Result<Self, Error> {
        let Table { name, region, endpoint_url, credentials, call_time_max } = table;
        let connections = Connections::new().map_err(unavailable)?;
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(connections)
            .region(Region::new(region))
            .credentials_provider(credentials)
            // The SDK repeats a request without checking whether the first was done, and waits longer
            // than an invocation may: see `attempts`.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            // It is for long streams of bytes; these answers are short.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(endpoint_url);
        let client = Client::from_conf(config.build());
        Ok(Self::over(client, name, call_time_max, random))
    }
}

impl<A: DynamoDbApi> DynamoDbStore<A> {
    /// The store in the table of this name; `api` sends its requests.
    #[must_use]
    pub fn over(api: A, table_name: String, call_time_max: Duration, random: Random) -> Self {
        Self { api, table_name, call_time_max, random, used_up: UsedUp::default() }
    }

    /// The documents with these keys, by the text of the key. The keys must differ.
    async fn read(&self, item_keys: &[ItemKey]) -> Result<HashMap<String, Versioned>, Error> {
        let mut found = HashMap::with_capacity(item_keys.len());
        for batch in item_keys.chunks(BATCH_KEYS_MAX) {
            let mut attempts = Attempts::new(self, "BatchGetItem");
            let keys = batch.iter().cloned().map(ItemKey::into_item);
            let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect()));
            let mut left = Some(keys.consistent_read(true).build().map_err(unavailable)?);
            while let Some(keys) = &left {
                let request = BatchGetItemInput::builder();
                let request = request.request_items(&self.table_name, keys.clone());
                let attempt = attempts.make(self.api.batch_get_item(request)).await?;
                let Attempt::Done(output) = attempt else { continue };
                let items = output.responses.into_iter().flatten().flat_map(|(_, items)| items);
                for item in items {
                    let item = item::decode(item);
                    let (key, read) = item.map_err(|cause| attempts.failure(cause))?;
                    found.insert(key, read);
                }
                // The keys for which DynamoDB had no capacity.
                left = output.unprocessed_keys.and_then(|mut left| left.remove(&self.table_name));
                if left.is_some() {
                    attempts.mark_partial("items were left unread");
                }
            }
        }
        Ok(found)
    }

    /// One transaction. Its token makes a repeated request idempotent for ten minutes.
    fn transaction(&self, parts: Vec<TransactWriteItem>) -> TransactWriteItemsInputBuilder {
        let token = format!("{:016x}{:016x}", (self.random)(), (self.random)());
        let request = TransactWriteItemsInput::builder().client_request_token(token);
        request.set_transact_items(Some(parts))
    }

    /// Whether a write of `version` was done although its outcome is unknown: its documents have that
    /// version until they are written again.
    async fn has_written(&self, writes: &[Write], version: Version) -> bool {
        let puts = writes.iter().filter(|write| matches!(write.change, Change::Put(_)));
        let item_keys: Vec<ItemKey> = puts.filter_map(|write| ItemKey::of(&write.key)).collect();
        // The caller reports the write's failure, so a failure to read is ignored.
        let read = self.read(&item_keys).await.unwrap_or_default();
        read.values().any(|read| read.version == version)
    }

    /// A new version.
    fn new_version(&self) -> Version {
        Version((self.random)())
    }
}

impl<A: DynamoDbApi> Store for DynamoDbStore<A> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        // DynamoDB refuses a batch with a repeated or an impossible key.
        let item_keys: BTreeSet<ItemKey> = keys.iter().filter_map(ItemKey::of).collect();
        let found = self.read(&item_keys.into_iter().collect::<Vec<_>>()).await?;
        Ok(keys.iter().map(|key| found.get(key.text()).cloned()).collect())
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        let request = QueryInput::builder()
            .table_name(&self.table_name)
            .consistent_read(true)
            .key_condition_expression(format!("{PK} = :pk"))
            .expression_attribute_values(":pk", AttributeValue::S(partition.text().to_owned()));
        let mut from = None;
        loop {
            let request = request.clone().set_exclusive_start_key(from);
            let mut attempts = Attempts::new(self, "Query");
            let page = loop {
                let attempt = attempts.make(self.api.query(request.clone())).await?;
                if let Attempt::Done(page) = attempt {
                    break page;
                }
            };
            for item in page.items.unwrap_or_default() {
                let item = item::decode(item);
                let (_, read) = item.map_err(|cause| attempts.failure(cause))?;
                if each(read).is_break() {
                    return Ok(());
                }
            }
            from = page.last_evaluated_key;
            if from.is_none() {
                return Ok(());
            }
        }
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.is_empty() {
            return Ok(());
        }
        debug_assert!(are_valid(&writes), "{writes:?}");
        let version = self.new_version();
        let mut parts = Vec::with_capacity(writes.len());
        for write in &writes {
            parts.push(self.part(write, version)?);
        }
        // A transaction even for a single document: a repeated `PutItem` does not show whether the
        // first was done and then overwritten.
        let request = self.transaction(parts);
        let mut attempts = Attempts::new(self, "TransactWriteItems");
        loop {
            match attempts.make(self.api.transact_write_items(request.clone())).await {
                Ok(Attempt::Done(_)) => return Ok(()),
                // An earlier attempt succeeded, although its answer was lost.
                Ok(Attempt::Failed(reasons)) if wrote(&reasons, version) => return Ok(()),
                Ok(Attempt::Failed(reasons)) => {
                    if reasons.iter().any(Reason::is_condition) {
                        return Err(change::refusal(&writes, &reasons));
                    }
                }
                Err(failure) if failure.is_unknown && self.has_written(&writes, version).await => {
                    return Ok(());
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.spend_and_count(admission).await
    }
}

/// Whether a write failed because an earlier attempt of the same write succeeded.
fn wrote(reasons: &[Reason], version: Version) -> bool {
    reasons.iter().any(|reason| reason.version == Some(version))
}

/// The error for a key that no item can have.
fn no_item(key: &Key) -> Error {
    let kind = key.kind();
    Error::Unavailable { source: format!("an id ({kind}) is empty, `-` or too long").into() }
}

/// The error for a request that cannot be built.
fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unavailable { source: Box::new(error) }
}
