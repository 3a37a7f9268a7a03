//! A model of a table of `DynamoDB`, used through the store's own code.
//!
//! A write is cancelled while a transaction on one of its items is in progress. A read of several
//! items reads one after another. A request may be late or throttled, and its answer lost before or
//! after the effect. Expired items may disappear at any time.

mod failures;
mod items;

use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use aws_sdk_dynamodb::operation::batch_get_item::builders::BatchGetItemInputBuilder;
use aws_sdk_dynamodb::operation::batch_get_item::{BatchGetItemError, BatchGetItemOutput};
use aws_sdk_dynamodb::operation::put_item::builders::PutItemInputBuilder;
use aws_sdk_dynamodb::operation::put_item::{PutItemError, PutItemOutput};
use aws_sdk_dynamodb::operation::query::builders::QueryInputBuilder;
use aws_sdk_dynamodb::operation::query::{QueryError, QueryOutput};
use aws_sdk_dynamodb::operation::transact_write_items::builders::TransactWriteItemsInputBuilder;
use aws_sdk_dynamodb::operation::transact_write_items::{
    TransactWriteItemsError, TransactWriteItemsOutput,
};
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemInputBuilder;
use aws_sdk_dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use aws_sdk_dynamodb::types::KeysAndAttributes;
use store::{DynamoDbApi, Sending};

use crate::executor::Surroundings;
use crate::expression::{Item, update};
use failures::{Fail, Failure};
use items::{Items, Part, Place, item_at, place};

pub(crate) use items::Flaw;

/// The name of the table.
pub(crate) const TABLE_NAME: &str = "table";

/// How many items a page of a query has at most.
const PAGE_MAX: u64 = 3;

/// How often each fault befalls requests, in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// The request arrives after the store has given it up.
    pub(crate) late: u64,
    /// The request is refused for lack of capacity.
    pub(crate) throttled: u64,
    /// The request is lost on the way to the table.
    pub(crate) lost_before: u64,
    /// The answer is lost.
    pub(crate) lost_after: u64,
    /// A read leaves items unread.
    pub(crate) unread: u64,
    /// Expired items are removed.
    pub(crate) expiring: u64,
}

/// A table.
#[derive(Clone)]
pub(crate) struct Table<T> {
    pub(crate) surroundings: T,
    /// When the run began, in seconds since 1970 UTC.
    began_at_secs: u64,
    items: Arc<Mutex<Items>>,
    weather: Arc<Mutex<Weather>>,
}

impl<T: Surroundings> Table<T> {
    /// An empty table of a run that begins at this time.
    pub(crate) fn new(surroundings: T, began_at_secs: u64) -> Self {
        Self { surroundings, began_at_secs, items: Arc::default(), weather: Arc::default() }
    }

    /// The same table with a flaw.
    pub(crate) fn with(self, flaw: Flaw) -> Self {
        self.items().flaw = Some(flaw);
        self
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner) = weather;
    }

    fn weather(&self) -> Weather {
        *self.weather.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn items(&self) -> MutexGuard<'_, Items> {
        self.items.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request: it travels, `work` handles it even if its sender is gone, and the answer
    /// travels back.
    fn send<O, E, W>(
        &self,
        operation: &'static str,
        work: impl FnOnce(Self) -> W + Send + 'static,
    ) -> Sending<O, E>
    where
        O: Send + 'static,
        E: Fail,
        W: Future<Output = Result<O, Failure>> + Send + 'static,
    {
        let (table, surroundings) = (self.clone(), self.surroundings.clone());
        Box::pin(async move {
            let (done, answer) = tokio::sync::oneshot::channel();
            surroundings.spawn(async move {
                let answer = table.serve(operation, work).await;
                // The sender may be gone.
                let _ = done.send(answer);
            });
            let answer = answer.await.unwrap_or(Err(Failure::Lost));
            if matches!(answer, Err(Failure::Lost)) && surroundings.chance(500) {
                surroundings.note("silence", || operation.to_owned());
                std::future::pending::<()>().await;
            }
            surroundings.sleep(surroundings.draw(2000)).await;
            answer.map_err(Failure::into_error)
        })
    }

    /// Handles a request at the table.
    async fn serve<O, W: Future<Output = Result<O, Failure>>>(
        self,
        operation: &'static str,
        work: impl FnOnce(Self) -> W,
    ) -> Result<O, Failure> {
        let (surroundings, weather) = (self.surroundings.clone(), self.weather());
        let mut micros = surroundings.draw(2000);
        if surroundings.chance(weather.late) {
            surroundings.note("request late", || operation.to_owned());
            micros += surroundings.draw(5_000_000);
        }
        surroundings.sleep(micros).await;
        if surroundings.chance(weather.expiring) {
            let now_secs = self.began_at_secs + surroundings.now_micros() / 1_000_000;
            if self.items().expire(now_secs) {
                surroundings.note("expired items removed", String::new);
            }
        }
        if surroundings.chance(weather.lost_before) {
            surroundings.note("answer lost before the effect", || operation.to_owned());
            return Err(Failure::Lost);
        }
        if surroundings.chance(weather.throttled) {
            surroundings.note("throttled", || operation.to_owned());
            let codes = ["ThrottlingException", "ProvisionedThroughputExceededException"];
            return Err(Failure::Code(400, codes[usize::from(surroundings.chance(500))]));
        }
        let answer = work(self).await;
        if surroundings.chance(weather.lost_after) {
            surroundings.note("answer lost after the effect", || operation.to_owned());
            let is_told = surroundings.chance(500);
            let failure = Failure::Code(500, "InternalServerError");
            return Err(if is_told { failure } else { Failure::Lost });
        }
        answer
    }

    async fn transact(self, token: String, parts: Vec<Part>) -> Result<(), Failure> {
        let is_new = self.items().begin(&token, &parts);
        if matches!(is_new, Err(Failure::Cancelled(_))) {
            self.surroundings.note("conflict", || format!("{} parts", parts.len()));
        }
        if !is_new? {
            self.surroundings.note("transaction repeated", || token.clone());
            return Ok(());
        }
        self.surroundings.sleep(1000 + self.surroundings.draw(9000)).await;
        let outcome = self.items().apply(&parts);
        self.surroundings.sleep(self.surroundings.draw(3000)).await;
        self.items().end(&token, &parts, outcome.is_ok());
        outcome
    }

    /// Makes a write of one item.
    fn write(
        &self,
        place: &Place,
        condition: Option<&str>,
        values: Option<&Item>,
        write: impl FnOnce(Option<Item>) -> Item,
    ) -> Result<(), Failure> {
        let written = self.items().write(place, condition, values, write);
        if let Err(Failure::Code(..)) = written {
            self.surroundings.note("conflict", || format!("{place:?}"));
        }
        written
    }

    /// Reads some items, one after another. Returns the unread ones as well.
    async fn read(self, mut keys: KeysAndAttributes) -> (Vec<Item>, Option<KeysAndAttributes>) {
        assert_eq!(keys.consistent_read, Some(true));
        let mut wanted = std::mem::take(&mut keys.keys);
        if wanted.len() > 1 && self.surroundings.chance(self.weather().unread) {
            let from = 1 + self.surroundings.draw(wanted.len() as u64 - 1);
            keys.keys = wanted.split_off(usize::try_from(from).unwrap());
            self.surroundings.note("items left unread", || keys.keys.len().to_string());
        }
        let mut items = Vec::new();
        let writes = self.items().writes;
        while !wanted.is_empty() {
            let next = usize::try_from(self.surroundings.draw(wanted.len() as u64)).unwrap();
            let place = place(&wanted.swap_remove(next));
            items.extend(self.items().get(&place));
            if !wanted.is_empty() {
                self.dawdle().await;
            }
        }
        if self.items().writes > writes {
            self.surroundings.note("read torn by a write", String::new);
        }
        let left = (!keys.keys.is_empty()).then_some(keys);
        (items, left)
    }

    /// Reads a page of a partition, one item after another.
    async fn page(self, pk: String, from: Option<Place>) -> (Vec<Item>, Option<Item>) {
        self.surroundings.note("page of a list read", || pk.clone());
        let size = 1 + self.surroundings.draw(PAGE_MAX);
        let mut last = from.unwrap_or_else(|| (pk.clone(), String::new()));
        let mut items = Vec::new();
        while (items.len() as u64) < size {
            let next = self.items().after(&last);
            let Some((place, item)) = next else { return (items, None) };
            items.push(item);
            last = place;
            self.dawdle().await;
        }
        let is_cut = self.items().flaw == Some(Flaw::CutsQueries);
        (items, (!is_cut).then(|| item_at(&last)))
    }

    /// Takes some time between the items of a read, now and then.
    async fn dawdle(&self) {
        if self.surroundings.chance(300) {
            self.surroundings.sleep(self.surroundings.draw(5000)).await;
        }
    }
}

impl<T: Surroundings> DynamoDbApi for Table<T> {
    fn batch_get_item(
        &self,
        request: BatchGetItemInputBuilder,
    ) -> Sending<BatchGetItemOutput, BatchGetItemError> {
        let mut request = request.build().unwrap().request_items.unwrap();
        let keys = request.remove(TABLE_NAME).unwrap();
        self.send("BatchGetItem", async move |table: Self| {
            let (items, left) = table.read(keys).await;
            let output = BatchGetItemOutput::builder().responses(TABLE_NAME, items);
            let left = left.map(|left| [(TABLE_NAME.to_owned(), left)].into());
            Ok(output.set_unprocessed_keys(left).build())
        })
    }

    fn put_item(&self, request: PutItemInputBuilder) -> Sending<PutItemOutput, PutItemError> {
        let request = request.build().unwrap();
        self.send("PutItem", async move |table: Self| {
            let item = request.item.unwrap();
            let values = request.expression_attribute_values.as_ref();
            let condition = request.condition_expression.as_deref();
            table.write(&place(&item), condition, values, |_| item.clone())?;
            Ok(PutItemOutput::builder().build())
        })
    }

    fn query(&self, request: QueryInputBuilder) -> Sending<QueryOutput, QueryError> {
        let request = request.build().unwrap();
        assert_eq!(request.key_condition_expression.as_deref(), Some("pk = :pk"));
        assert_eq!(request.consistent_read, Some(true));
        self.send("Query", async move |table: Self| {
            let pk = request.expression_attribute_values.unwrap()[":pk"].as_s().unwrap().clone();
            let from = request.exclusive_start_key.as_ref().map(place);
            let (items, last) = table.page(pk, from).await;
            let output = QueryOutput::builder().set_items(Some(items));
            Ok(output.set_last_evaluated_key(last).build())
        })
    }

    fn transact_write_items(
        &self,
        request: TransactWriteItemsInputBuilder,
    ) -> Sending<TransactWriteItemsOutput, TransactWriteItemsError> {
        let request = request.build().unwrap();
        self.send("TransactWriteItems", async move |table: Self| {
            let token = request.client_request_token.unwrap();
            let parts = request.transact_items.unwrap().into_iter().map(Part::of);
            table.transact(token, parts.collect()).await?;
            Ok(TransactWriteItemsOutput::builder().build())
        })
    }

    fn update_item(
        &self,
        request: UpdateItemInputBuilder,
    ) -> Sending<UpdateItemOutput, UpdateItemError> {
        let request = request.build().unwrap();
        self.send("UpdateItem", async move |table: Self| {
            let key = request.key.unwrap();
            let values = request.expression_attribute_values.unwrap();
            let condition = request.condition_expression.as_deref();
            table.write(&place(&key), condition, Some(&values), |item| {
                let mut item = item.unwrap_or(key.clone());
                update(&mut item, request.update_expression.as_deref().unwrap(), &values);
                item
            })?;
            Ok(UpdateItemOutput::builder().build())
        })
    }

    fn now(&self) -> Instant {
        *START + Duration::from_micros(self.surroundings.now_micros())
    }

    fn sleep(&self, time: Duration) -> impl Future<Output = ()> + Send {
        self.surroundings.sleep(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
    }
}

/// The reference for all other moments.
#[expect(clippy::disallowed_methods, reason = "only differences to it are looked at")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
