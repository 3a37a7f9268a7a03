//! A store in a table of DynamoDB.
//!
//! An item is a document, a nonce or a counter, found by its key `pk` alone. A read is one
//! `BatchGetItem`, strongly consistent. A commit is one `TransactWriteItems` that puts whole
//! documents, each on condition that it is as it was read.
//!
//! # How keys spread
//!
//! DynamoDB places items by a hash of `pk`, and one place takes 3000 units of reading and 1000 of
//! writing a second. Addresses, bandwidths, tokens and nonces have keys of their own, so the calls of
//! many write in many places. What calls share is read and not written: an access key by its own
//! calls, an account (and a RAM user or role) by those of the account, a unit a call while the
//! document is no larger than 4 KB. So one access key, and one account, can make some 3000 calls a
//! second. Only a quota has all calls of an account to an action write one item, two units a call,
//! so at most 500 a second, and fewer where they come at the same moment and have to try again.

mod attempts;
mod connection;
mod contents;
mod failure;
mod item;

use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Config, Region, StalledStreamProtectionConfig};
use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsFluentBuilder;
use aws_sdk_dynamodb::types::{
    AttributeValue, KeysAndAttributes, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
    Update,
};

use crate::key_text::key_text;
use crate::{Admission, Admitted, Error, Key, Quota, Store, Version, Versioned, Write};
use attempts::{Attempt, Attempts, Sending};
use connection::Connections;
use failure::{Cause, Reason, Reasons};
use item::{CALLS, EXPIRES_AT_SECS, Item, PK, PK_BYTES_MAX, VERSION};

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
    /// Who reads and writes it.
    pub credentials: Credentials,
    /// How long one call of the store goes on, attempts and all; see [`CALL_TIME_MAX`].
    pub call_time_max: Duration,
}

/// How long one call of the store goes on in a function. A call of the function makes four, one
/// after another, if everything goes wrong (the key, the documents, the commit, and whether that was
/// written), and the function has ten seconds.
pub const CALL_TIME_MAX: Duration = Duration::from_secs(2);

/// Keeps documents in a table of DynamoDB.
pub struct DynamoDbStore {
    client: Client,
    table_name: String,
    call_time_max: Duration,
    random: Random,
}

impl fmt::Debug for DynamoDbStore {
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
        Ok(Self { client, table_name: name, call_time_max, random })
    }

    /// The items of `keys` that there are.
    async fn read(&self, keys: &[String]) -> Result<HashMap<String, Versioned>, Error> {
        let mut found = HashMap::with_capacity(keys.len());
        for batch in keys.chunks(BATCH_KEYS_MAX) {
            let mut attempts = Attempts::new(self, "BatchGetItem");
            let keys =
                batch.iter().map(|pk| Item::from([(PK.to_owned(), AttributeValue::S(pk.clone()))]));
            let keys = KeysAndAttributes::builder().set_keys(Some(keys.collect()));
            let mut left = Some(keys.consistent_read(true).build().map_err(unavailable)?);
            while let Some(keys) = &left {
                let request = self.client.batch_get_item();
                let request = request.request_items(&self.table_name, keys.clone());
                let Attempt::Done(output) = attempts.make(Box::pin(request.send())).await? else {
                    continue;
                };
                let items = output.responses.into_iter().flatten().flat_map(|(_, items)| items);
                for item in items {
                    let item = item::decode(item);
                    let (pk, read) = item.map_err(|told| attempts.failure(Cause::Unfit(told)))?;
                    found.insert(pk, read);
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

    /// Puts `item` if `condition` holds for what is there; if it does not, what is there is told.
    fn put(&self, item: Item, condition: &str, values: Item) -> Result<Put, Error> {
        Put::builder()
            .table_name(&self.table_name)
            .set_item(Some(item))
            .condition_expression(condition)
            .set_expression_attribute_values((!values.is_empty()).then_some(values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
            .build()
            .map_err(unavailable)
    }

    /// Counts a call if there is room for it.
    fn count(&self, quota: &Quota<'_>, now_secs: u64) -> Result<Update, Error> {
        let (pk, expires_at_secs) = item::calls_of(quota, now_secs);
        // The first call of a window finds no counter; where none is allowed, it must.
        let condition = match quota.calls_max {
            0 => format!("{CALLS} < :calls_max"),
            _ => format!("attribute_not_exists({PK}) OR {CALLS} < :calls_max"),
        };
        Update::builder()
            .table_name(&self.table_name)
            .key(PK, AttributeValue::S(pk))
            .update_expression(format!("ADD {CALLS} :one SET {EXPIRES_AT_SECS} = :expires_at_secs"))
            .condition_expression(condition)
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":calls_max", item::number(quota.calls_max.into()))
            .expression_attribute_values(":expires_at_secs", item::number(expires_at_secs))
            .build()
            .map_err(unavailable)
    }

    /// A put that stands alone.
    fn put_item(&self, put: Put) -> PutItemFluentBuilder {
        self.client
            .put_item()
            .table_name(put.table_name)
            .set_item(Some(put.item))
            .set_condition_expression(put.condition_expression)
            .set_expression_attribute_values(put.expression_attribute_values)
            .set_return_values_on_condition_check_failure(
                put.return_values_on_condition_check_failure,
            )
    }

    /// One transaction. By the token DynamoDB knows a repeated request for ten minutes, and answers
    /// as it did the first time if it did it.
    fn transaction(&self, parts: Vec<TransactWriteItem>) -> TransactWriteItemsFluentBuilder {
        let token = format!("{:016x}{:016x}", (self.random)(), (self.random)());
        let request = self.client.transact_write_items().client_request_token(token);
        request.set_transact_items(Some(parts))
    }

    /// Spends the nonce whose item gets `version`, and counts the call if `send` does that, too.
    async fn spend<O, E>(
        &self,
        operation: &'static str,
        version: Version,
        send: impl Fn() -> Sending<O, E>,
    ) -> Result<Admitted, Error>
    where
        E: Reasons + ProvideErrorMetadata,
    {
        let mut attempts = Attempts::new(self, operation);
        loop {
            let refused = match attempts.make(send()).await? {
                Attempt::Done(_) => return Ok(Admitted::Yes),
                Attempt::Undone(reasons) => admitted(&reasons, version),
            };
            if let Some(admitted) = refused {
                return Ok(admitted);
            }
        }
    }

    /// Whether a write of `version` that left open what it did was done: whatever was written bears
    /// the version, until it is written anew.
    async fn has_written(&self, writes: &[Write], version: Version) -> bool {
        let pks: Vec<String> = writes.iter().map(|write| key_text(&write.key)).collect();
        // Why this fails, if it does, adds nothing to why the write did.
        let read = self.read(&pks).await.unwrap_or_default();
        read.values().any(|read| read.version == version)
    }

    /// A version that no document had before.
    fn new_version(&self) -> Version {
        Version((self.random)())
    }
}

impl Store for DynamoDbStore {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let pks: Vec<String> = keys.iter().map(key_text).collect();
        // DynamoDB refuses a batch with a key twice, or with one that no item can have.
        let asked: BTreeSet<&String> = pks.iter().filter(|pk| pk.len() <= PK_BYTES_MAX).collect();
        let found = self.read(&asked.into_iter().cloned().collect::<Vec<_>>()).await?;
        Ok(pks.iter().map(|pk| found.get(pk).cloned()).collect())
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        if writes.is_empty() {
            return Ok(());
        }
        let version = self.new_version();
        let mut parts = Vec::with_capacity(writes.len());
        for Write { key, document, replaces } in &writes {
            let item = item::encode(key_text(key), document, version).map_err(unavailable)?;
            let put = match replaces {
                None => self.put(item, &format!("attribute_not_exists({PK})"), Item::new()),
                Some(read) => {
                    let values = Item::from([(":read".to_owned(), item::number(read.0))]);
                    self.put(item, &format!("{VERSION} = :read"), values)
                }
            };
            parts.push(TransactWriteItem::builder().put(put?).build());
        }
        // A transaction even for a single document: a repeated `PutItem` cannot tell whether the
        // first was done and overwritten since.
        let request = self.transaction(parts);
        let mut attempts = Attempts::new(self, "TransactWriteItems");
        loop {
            match attempts.make(Box::pin(request.clone().send())).await {
                Ok(Attempt::Done(_)) => return Ok(()),
                // An earlier attempt did it, although no answer came of it.
                Ok(Attempt::Undone(reasons)) if wrote(&reasons, version) => return Ok(()),
                Ok(Attempt::Undone(reasons)) => {
                    if reasons.iter().any(Reason::is_condition) {
                        return Err(Error::Conflict);
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
        let Admission { access_key_id, nonce, nonce_expires_at_secs, quota, now_secs } = *admission;
        let version = self.new_version();
        let pk = item::nonce_pk(access_key_id, nonce);
        let item = item::bare_item(pk, version, Some(nonce_expires_at_secs));
        // DynamoDB may take days to remove what has expired.
        let condition = format!("attribute_not_exists({PK}) OR {EXPIRES_AT_SECS} <= :now_secs");
        let values = Item::from([(":now_secs".to_owned(), item::number(now_secs))]);
        let put = self.put(item, &condition, values)?;
        match quota {
            None => {
                let request = self.put_item(put);
                self.spend("PutItem", version, || Box::pin(request.clone().send())).await
            }
            Some(quota) => {
                let count = self.count(&quota, now_secs)?;
                let parts = [
                    TransactWriteItem::builder().put(put).build(),
                    TransactWriteItem::builder().update(count).build(),
                ];
                let request = self.transaction(parts.into());
                self.spend("TransactWriteItems", version, || Box::pin(request.clone().send())).await
            }
        }
    }
}

/// Whether what stands in the way of a write is the write itself, done by an earlier attempt.
fn wrote(reasons: &[Reason], version: Version) -> bool {
    reasons.iter().any(|reason| reason.version == Some(version))
}

/// What it means that a nonce was not put or, second, a call not counted; `None`: nothing yet, as
/// others were writing the same.
fn admitted(reasons: &[Reason], version: Version) -> Option<Admitted> {
    if wrote(reasons, version) {
        return Some(Admitted::Yes);
    }
    match reasons {
        [nonce, ..] if nonce.is_condition() => Some(Admitted::NonceUsed),
        [nonce, calls] if nonce.is_none() && calls.is_condition() => Some(Admitted::OverQuota),
        _ => None,
    }
}

/// That a request cannot even be made.
fn unavailable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::Unavailable { source: Box::new(error) }
}
