//! Operations on the whole table: create it, read it, replace its contents.
//!
//! They are for operators, who set up a table, and for test suites. The function does none of them and
//! its role allows none of them.

use std::collections::BTreeMap;
use std::time::Duration;

use aws_sdk_dynamodb::types::{
    AttributeDefinition, BillingMode, DeleteRequest, KeySchemaElement, KeyType, PutRequest,
    ScalarAttributeType, TableStatus, TimeToLiveSpecification, WriteRequest,
};

use super::attempts::{Attempt, Attempts};

use super::item::{self, DOCUMENT, EXPIRES_AT_SECS, Item, ItemKey, PK, SK};
use super::{DynamoDbStore, no_item, unavailable};
use crate::{Document, Error};

/// The most items of one `BatchWriteItem`.
const BATCH_WRITES_MAX: usize = 25;

/// The most checks whether a new table is ready, one per [`TABLE_PAUSE`].
const TABLE_LOOKS_MAX: u32 = 120;
const TABLE_PAUSE: Duration = Duration::from_millis(500);

impl DynamoDbStore {
    /// Creates the table, as `template.yaml` does but without expiry, and waits until it is ready.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: the table exists, or the credentials do not allow its creation.
    pub async fn create_table(&self) -> Result<(), Error> {
        let mut request = self
            .api
            .create_table()
            .table_name(&self.table_name)
            .billing_mode(BillingMode::PayPerRequest);
        for (name, key_type) in [(PK, KeyType::Hash), (SK, KeyType::Range)] {
            let text = AttributeDefinition::builder()
                .attribute_name(name)
                .attribute_type(ScalarAttributeType::S)
                .build()
                .map_err(unavailable)?;
            let key = KeySchemaElement::builder().attribute_name(name).key_type(key_type);
            request = request.attribute_definitions(text);
            request = request.key_schema(key.build().map_err(unavailable)?);
        }
        Attempts::patient(self, "CreateTable").once(Box::pin(request.send())).await?;
        for _ in 0..TABLE_LOOKS_MAX {
            let request = self.api.describe_table().table_name(&self.table_name);
            let looked =
                Attempts::patient(self, "DescribeTable").once(Box::pin(request.send())).await?;
            let status = looked.table.and_then(|table| table.table_status);
            if status == Some(TableStatus::Active) {
                return Ok(());
            }
            tokio::time::sleep(TABLE_PAUSE).await;
        }
        Err(Error::Unavailable { source: "the new table does not become active".into() })
    }

    /// Enables the removal of expired items by DynamoDB (TTL).
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn enable_ttl(&self) -> Result<(), Error> {
        let expiry = TimeToLiveSpecification::builder()
            .attribute_name(EXPIRES_AT_SECS)
            .enabled(true)
            .build()
            .map_err(unavailable)?;
        let request = self.api.update_time_to_live().table_name(&self.table_name);
        let request = request.time_to_live_specification(expiry);
        Attempts::patient(self, "UpdateTimeToLive").once(Box::pin(request.send())).await?;
        Ok(())
    }

    /// Whether the table has no item.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn is_empty(&self) -> Result<bool, Error> {
        let (items, _) = self.scan_page(None, Some(1)).await?;
        Ok(items.is_empty())
    }

    /// Every document, in no order. This is no snapshot: concurrent writes may be visible.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`].
    pub async fn documents(&self) -> Result<Vec<Document>, Error> {
        let (mut documents, mut from) = (Vec::new(), None);
        loop {
            let (items, next) = self.scan_page(from, None).await?;
            // Nonces and counters have no document.
            for item in items.into_iter().filter(|item| item.contains_key(DOCUMENT)) {
                let (_, read) = item::decode(item)
                    .map_err(|cause| Error::from(Attempts::patient(self, "Scan").failure(cause)))?;
                documents.push(read.document);
            }
            if next.is_none() {
                return Ok(documents);
            }
            from = next;
        }
    }

    /// Replaces all items, nonces and counters too, by `documents`. Calls `progress` after each batch
    /// with the number of items that were written or deleted so far.
    ///
    /// The replacement is not atomic: a concurrent reader sees old and new items.
    ///
    /// # Errors
    ///
    /// [`Error::Unavailable`]: the replacement may be partly done. It can be repeated.
    pub async fn replace(
        &self,
        documents: Vec<Document>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<(), Error> {
        let mut writes = BTreeMap::new();
        let mut from = None;
        loop {
            let (items, next) = self.scan_page(from, None).await?;
            for mut item in items {
                let Some(item_key) = ItemKey::of_item(&mut item) else { continue };
                let request = DeleteRequest::builder().set_key(Some(item_key.clone().into_item()));
                let request = request.build().map_err(unavailable)?;
                writes.insert(item_key, WriteRequest::builder().delete_request(request).build());
            }
            if next.is_none() {
                break;
            }
            from = next;
        }
        for document in documents {
            let key = document.key();
            let item_key = ItemKey::of(&key).ok_or_else(|| no_item(&key))?;
            let item = item::encode(item_key.clone(), key.kind(), &document, self.new_version());
            let item = item.map_err(unavailable)?;
            let request =
                PutRequest::builder().set_item(Some(item)).build().map_err(unavailable)?;
            // Replaces the deletion: a batch must not have two writes of an item.
            writes.insert(item_key, WriteRequest::builder().put_request(request).build());
        }
        let writes: Vec<WriteRequest> = writes.into_values().collect();
        let mut done = 0;
        for batch in writes.chunks(BATCH_WRITES_MAX) {
            self.write_batch(batch.to_vec()).await?;
            done += batch.len();
            progress(done);
        }
        Ok(())
    }

    async fn write_batch(&self, batch: Vec<WriteRequest>) -> Result<(), Error> {
        let mut attempts = Attempts::patient(self, "BatchWriteItem");
        let mut left = batch;
        while !left.is_empty() {
            let request = self.api.batch_write_item();
            let request = request.request_items(&self.table_name, left.clone());
            let Attempt::Done(output) = attempts.make(Box::pin(request.send())).await? else {
                continue;
            };
            let unprocessed = output.unprocessed_items.unwrap_or_default();
            left = unprocessed.into_values().flatten().collect();
            if !left.is_empty() {
                attempts.mark_partial("items were left unwritten");
            }
        }
        Ok(())
    }

    /// At most `items_max` items after a key, and the last key; `None` if there are no more.
    async fn scan_page(
        &self,
        from: Option<Item>,
        items_max: Option<i32>,
    ) -> Result<(Vec<Item>, Option<Item>), Error> {
        let request = self
            .api
            .scan()
            .table_name(&self.table_name)
            .consistent_read(true)
            .set_limit(items_max)
            .set_exclusive_start_key(from);
        let mut attempts = Attempts::patient(self, "Scan");
        loop {
            if let Attempt::Done(page) = attempts.make(Box::pin(request.clone().send())).await? {
                return Ok((page.items.unwrap_or_default(), page.last_evaluated_key));
            }
        }
    }
}
