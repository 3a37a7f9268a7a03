//! A store in a table of DynamoDB.
//!
//! An item is a document, a nonce or a counter. The partition key `pk` of a document of a listed kind
//! is kind, account and region, and its sort key `sk` is the id; a list is a `Query` of one partition.
//! The `pk` of every other item is its whole key. A read is one `BatchGetItem`; it and a list are
//! strongly consistent. A commit is one `TransactWriteItems` that puts whole documents, deletes and
//! checks, each on condition that the document is as it was read.
//!
//! Every commit puts at least one document: where the answer of a commit is lost, the version of what
//! it put tells whether it was done, and a deletion leaves no version behind.
//!
//! # How keys spread
//!
//! DynamoDB places items by a hash of `pk`, and one place takes 3000 units of reading and 1000 of
//! writing a second. Bandwidths, tokens and nonces have a `pk` of their own, so the calls of many
//! write in many places. The addresses of an account in a region share theirs: a purchase writes its
//! address for two units, so an account can make some 500 purchases a second in a region. An access
//! key is read by its own calls, and an account (and a RAM user or role) by those of the account, a
//! unit a call while the document is no larger than 4 KB. So one access key, and one account, can
//! make some 3000 calls a second. A quota has all calls of an account to an action write one item,
//! one unit a call, so at most 1000 a second; calls over the quota write nothing where an instance
//! knows that it is used up.

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

use crate::document::are_in_form;
use crate::{Admission, Admitted, Change, Error, Key, Partition, Store, Version, Versioned, Write};
use admission::UsedUp;
use attempts::{Attempt, Attempts};
use connection::Connections;
use failure::{Cause, Reason};
use item::{PK, Place};

pub use api::{Api, Sending};
pub use aws_sdk_dynamodb::config::Credentials;

/// The most keys that one `BatchGetItem` takes.
const BATCH_KEYS_MAX: usize = 100;

/// Draws random numbers, each as likely as any other.
pub type Random = Box<dyn Fn() -> u64 + Send + Sync>;

/// A table of DynamoDB, and how it is reached.
#[derive(Clone, Debug)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The region it is in, as `eu-central-1`.
    pub region: String,
    /// Where DynamoDB listens; `None`: where it does in that region.
    pub endpoint_url: Option<String>,
    /// The credentials that read and write it.
    pub credentials: Credentials,
    /// How long one call of the store goes on, attempts and all; see [`CALL_TIME_MAX`].
    pub call_time_max: Duration,
}

/// How long one call of the store, or one page of a list, goes on in a function, which has ten
/// seconds for all of them.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(2);

/// Keeps documents in a table of DynamoDB.
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
    /// The store in `table`. Nothing is read, and no connection made, before the first call.
    ///
    /// # Errors
    ///
    /// None in practice: see [`Error::Unavailable`].
    pub fn new(table: Table, random: Random) -> Result<Self, Error> {
        let Table { name, region, endpoint_url, credentials, call_time_max } = table;
        let connections = Connections::new().map_err(unavailable)?;
        let mut config = Config::builder()
            .behavior_version(BehaviorVersion::v2026_01_12())
            .http_client(connections)
            .region(Region::new(region))
            .credentials_provider(credentials)
            // The SDK repeats a request without looking at what the first one did, and waits longer
            // than an invocation may: see `attempts`.
            .retry_config(RetryConfig::disabled())
            .timeout_config(TimeoutConfig::disabled())
            // It watches long streams of bytes; these answers are short.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(endpoint_url);
        let client = Client::from_conf(config.build());
        Ok(Self::over(client, name, call_time_max, random))
    }
}

impl<A: Api> DynamoDbStore<A> {
    /// The store in the table of this name, reached through `api`.
    #[must_use]
    pub fn over(api: A, table_name: String, call_time_max: Duration, random: Random) -> Self {
        Self { api, table_name, call_time_max, random, used_up: UsedUp::default() }
    }

    /// The documents at these places, by the text of their keys. No place may come twice.
    async fn read(&self, places: &[Place]) -> Result<HashMap<String, Versioned>, Error> {
        let mut found = HashMap::with_capacity(places.len());
        for batch in places.chunks(BATCH_KEYS_MAX) {
            let mut attempts = Attempts::new(self, "BatchGetItem");
            let keys = batch.iter().cloned().map(Place::into_item);
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
                    let (key, read) = item.map_err(|told| attempts.failure(Cause::Unfit(told)))?;
                    found.insert(key, read);
                }
                // What DynamoDB had no capacity for.
                left = output.unprocessed_keys.and_then(|mut left| left.remove(&self.table_name));
                if left.is_some() {
                    attempts.go_on("items were left unread");
                }
            }
        }
        Ok(found)
    }

    /// One transaction. By the token DynamoDB knows a repeated request for ten minutes, and answers
    /// as it did the first time if it did it.
    fn transaction(&self, parts: Vec<TransactWriteItem>) -> TransactWriteItemsInputBuilder {
        let token = format!("{:016x}{:016x}", (self.random)(), (self.random)());
        let request = TransactWriteItemsInput::builder().client_request_token(token);
        request.set_transact_items(Some(parts))
    }

    /// Whether a write of `version` that left open what it did was done: what it put has the version,
    /// until it is written anew.
    async fn has_written(&self, writes: &[Write], version: Version) -> bool {
        let puts = writes.iter().filter(|write| matches!(write.change, Change::Put(_)));
        let places: Vec<Place> = puts.filter_map(|write| Place::of(&write.key)).collect();
        // Why this fails, if it does, adds nothing to why the write did.
        let read = self.read(&places).await.unwrap_or_default();
        read.values().any(|read| read.version == version)
    }

    /// A version that no document had before.
    fn new_version(&self) -> Version {
        Version((self.random)())
    }
}

impl<A: Api> Store for DynamoDbStore<A> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        // DynamoDB refuses a batch with a key twice, or with one that no item can have.
        let places: BTreeSet<Place> = keys.iter().filter_map(Place::of).collect();
        let found = self.read(&places.into_iter().collect::<Vec<_>>()).await?;
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
                let (_, read) = item.map_err(|told| attempts.failure(Cause::Unfit(told)))?;
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
        debug_assert!(are_in_form(&writes), "{writes:?}");
        let version = self.new_version();
        let mut parts = Vec::with_capacity(writes.len());
        for write in &writes {
            parts.push(self.part(write, version)?);
        }
        // A transaction even for a single document: a repeated `PutItem` cannot tell whether the
        // first was done and overwritten since.
        let request = self.transaction(parts);
        let mut attempts = Attempts::new(self, "TransactWriteItems");
        loop {
            match attempts.make(self.api.transact_write_items(request.clone())).await {
                Ok(Attempt::Done(_)) => return Ok(()),
                // An earlier attempt did it, although no answer came of it.
                Ok(Attempt::Undone(reasons)) if wrote(&reasons, version) => return Ok(()),
                Ok(Attempt::Undone(reasons)) => {
                    if reasons.iter().any(Reason::is_condition) {
                        return Err(change::refusal(&writes, &reasons));
                    }
                }
                Err(failure) if failure.is_open && self.has_written(&writes, version).await => {
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

/// Whether what stands in the way of a write is the write itself, done by an earlier attempt.
fn wrote(reasons: &[Reason], version: Version) -> bool {
    reasons.iter().any(|reason| reason.version == Some(version))
}

/// That no item can have this key.
fn no_place(key: &Key) -> Error {
    let kind = key.kind();
    Error::Unavailable { source: format!("an id ({kind}) is empty, `-` or too long").into() }
}

/// That a request cannot even be made.
fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unavailable { source: Box::new(error) }
}
