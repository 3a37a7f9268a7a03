//! A model of a table of `DynamoDB`, behind the store's own code.
//!
//! A write is cancelled while a transaction on one of its items is under way. A read of several items
//! reads one after the other. A request may be throttled, and its answer lost before or after the
//! effect. What has expired may be gone at any time.

mod failures;

use std::collections::{BTreeMap, BTreeSet};
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
use aws_sdk_dynamodb::types::{AttributeValue, KeysAndAttributes, TransactWriteItem};
use store::{Api, Sending};

use crate::executor::Surroundings;
use crate::expression::{Item, holds, number, update};
use failures::{Fail, Failure, Reason};

/// The name of the table.
pub(crate) const TABLE_NAME: &str = "table";

/// The partition key and the sort key of an item.
type Place = (String, String);

/// How many items a page of a query has at most.
const PAGE_MAX: u64 = 3;

/// What befalls requests, each so often in a thousand.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Weather {
    /// Refused for lack of capacity.
    pub(crate) throttled: u64,
    /// Lost on the way to the table.
    pub(crate) lost_before: u64,
    /// The answer is lost, the effect is not.
    pub(crate) lost_after: u64,
    /// A read leaves items unread.
    pub(crate) unread: u64,
    /// Items that have expired are removed.
    pub(crate) expiring: u64,
}

/// A table.
#[derive(Clone)]
pub(crate) struct Table<T> {
    pub(crate) surroundings: T,
    contents: Arc<Mutex<Contents>>,
}

#[derive(Default)]
struct Contents {
    items: BTreeMap<Place, Item>,
    /// How many writes there were.
    writes: u64,
    /// Items of transactions that are under way.
    in_transactions: BTreeSet<Place>,
    /// The tokens of transactions that are under way, or were made.
    tokens: BTreeMap<String, bool>,
    weather: Weather,
    /// When the run began, in seconds since 1970 UTC.
    began_at_secs: u64,
}

impl<T: Surroundings> Table<T> {
    /// An empty table of a run that begins at this time.
    pub(crate) fn new(surroundings: T, began_at_secs: u64) -> Self {
        let contents = Contents { began_at_secs, ..Contents::default() };
        Self { surroundings, contents: Arc::new(Mutex::new(contents)) }
    }

    pub(crate) fn set_weather(&self, weather: Weather) {
        self.contents().weather = weather;
    }

    fn contents(&self) -> MutexGuard<'_, Contents> {
        self.contents.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends a request: it travels, is done by `work` whether or not anybody still waits for it, and
    /// its answer travels back.
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
        let table = self.clone();
        Box::pin(async move {
            let surroundings = table.surroundings.clone();
            let (done, answer) = tokio::sync::oneshot::channel();
            let of_server = table.clone();
            surroundings.spawn(async move {
                let surroundings = of_server.surroundings.clone();
                surroundings.sleep(100 + surroundings.draw(2000)).await;
                let weather = of_server.contents().weather;
                if surroundings.chance(weather.expiring) {
                    of_server.expire();
                }
                let answer = if surroundings.chance(weather.lost_before) {
                    surroundings.note("answer lost before the effect", || operation.to_owned());
                    Err(Failure::Lost)
                } else if surroundings.chance(weather.throttled) {
                    surroundings.note("throttled", || operation.to_owned());
                    let codes = ["ThrottlingException", "ProvisionedThroughputExceededException"];
                    let code = codes[usize::from(surroundings.chance(500))];
                    Err(Failure::Code(400, code))
                } else {
                    let answer = work(of_server).await;
                    if surroundings.chance(weather.lost_after) {
                        surroundings.note("answer lost after the effect", || operation.to_owned());
                        match surroundings.draw(2) {
                            0 => Err(Failure::Code(500, "InternalServerError")),
                            _ => Err(Failure::Lost),
                        }
                    } else {
                        answer
                    }
                };
                // Of whoever waits no longer.
                let _ = done.send(answer);
            });
            let answer = answer.await.unwrap_or(Err(Failure::Lost));
            match answer {
                Err(Failure::Lost) if surroundings.chance(500) => {
                    surroundings.note("silence", || operation.to_owned());
                    std::future::pending().await
                }
                answer => {
                    surroundings.sleep(100 + surroundings.draw(2000)).await;
                    answer.map_err(Failure::into_error)
                }
            }
        })
    }

    /// Removes what has expired.
    fn expire(&self) {
        let mut contents = self.contents();
        let now_secs = contents.began_at_secs + self.surroundings.now_micros() / 1_000_000;
        let is_over = |item: &Item| {
            item.get("expires_at_secs").is_some_and(|secs| number(Some(secs)) <= now_secs)
        };
        let before = contents.items.len();
        contents.items.retain(|_, item| !is_over(item));
        if contents.items.len() < before {
            drop(contents);
            self.surroundings.note("expired items removed", String::new);
        }
    }

    /// Makes a write of one item, unless a transaction on the item is under way.
    fn write(
        &self,
        place: &Place,
        condition: Option<&str>,
        values: Option<&Item>,
        write: impl FnOnce(Option<Item>) -> Item,
    ) -> Result<(), Failure> {
        let mut contents = self.contents();
        if contents.in_transactions.contains(place) {
            drop(contents);
            self.surroundings.note("conflict", || format!("{place:?}"));
            return Err(Failure::Code(400, "TransactionConflictException"));
        }
        let item = contents.items.get(place);
        if !holds(condition, item, values) {
            return Err(Failure::Condition(item.cloned()));
        }
        let written = write(item.cloned());
        contents.writes += 1;
        contents.items.insert(place.clone(), written);
        Ok(())
    }

    async fn transact(self, token: String, parts: Vec<TransactWriteItem>) -> Result<(), Failure> {
        let parts: Vec<Part> = parts.into_iter().map(Part::of).collect();
        {
            let mut contents = self.contents();
            match contents.tokens.get(&token) {
                Some(true) => return Ok(()),
                Some(false) => return Err(Failure::Code(400, "TransactionInProgressException")),
                None => {}
            }
            let meets = |part: &Part| contents.in_transactions.contains(&part.place);
            if parts.iter().any(meets) {
                let reason = |part| if meets(part) { Reason::Conflict } else { Reason::None };
                let reasons = parts.iter().map(reason).collect();
                drop(contents);
                self.surroundings.note("conflict", || "of transactions".to_owned());
                return Err(Failure::Cancelled(reasons));
            }
            contents.tokens.insert(token.clone(), false);
            contents.in_transactions.extend(parts.iter().map(|part| part.place.clone()));
        }
        self.surroundings.sleep(1000 + self.surroundings.draw(9000)).await;
        let outcome = self.apply(&parts);
        self.surroundings.sleep(self.surroundings.draw(3000)).await;
        let mut contents = self.contents();
        for part in &parts {
            contents.in_transactions.remove(&part.place);
        }
        match outcome {
            Ok(()) => contents.tokens.insert(token, true),
            Err(_) => contents.tokens.remove(&token),
        };
        outcome
    }

    /// Makes all writes of a transaction at one moment, if all conditions hold.
    fn apply(&self, parts: &[Part]) -> Result<(), Failure> {
        let mut contents = self.contents();
        let reason = |part: &Part| {
            let item = contents.items.get(&part.place);
            let holds = holds(Some(&part.condition), item, part.values.as_ref());
            if holds { Reason::None } else { Reason::Condition(item.cloned()) }
        };
        let reasons: Vec<Reason> = parts.iter().map(reason).collect();
        if reasons.iter().any(|reason| !matches!(reason, Reason::None)) {
            return Err(Failure::Cancelled(reasons));
        }
        contents.writes += 1;
        for part in parts {
            match &part.change {
                Change::Put(item) => {
                    contents.items.insert(part.place.clone(), item.clone());
                }
                Change::Delete => {
                    contents.items.remove(&part.place);
                }
                Change::Update(expression) => {
                    let item = contents
                        .items
                        .entry(part.place.clone())
                        .or_insert_with(|| place_of_item(&part.place));
                    update(item, expression, part.values.as_ref().unwrap());
                }
                Change::Check => {}
            }
        }
        Ok(())
    }

    /// Reads some items, one after the other.
    async fn read(
        self,
        keys: KeysAndAttributes,
    ) -> Result<(Vec<Item>, Option<KeysAndAttributes>), Failure> {
        assert_eq!(keys.consistent_read, Some(true));
        let weather = self.contents().weather;
        let mut wanted = keys.keys.clone();
        let mut left = Vec::new();
        if wanted.len() > 1 && self.surroundings.chance(weather.unread) {
            let from = 1 + self.surroundings.draw(wanted.len() as u64 - 1);
            left = wanted.split_off(usize::try_from(from).unwrap());
            self.surroundings.note("items left unread", || left.len().to_string());
        }
        let mut items = Vec::new();
        let writes = self.contents().writes;
        while !wanted.is_empty() {
            let next = usize::try_from(self.surroundings.draw(wanted.len() as u64)).unwrap();
            let place = place(&wanted.swap_remove(next));
            items.extend(self.contents().items.get(&place).cloned());
            if !wanted.is_empty() && self.surroundings.chance(300) {
                self.surroundings.sleep(self.surroundings.draw(5000)).await;
            }
        }
        if self.contents().writes > writes {
            self.surroundings.note("read torn by a write", String::new);
        }
        let left = (!left.is_empty()).then(|| {
            let mut keys = keys;
            keys.keys = left;
            keys
        });
        Ok((items, left))
    }

    /// Reads a page of a partition, one item after the other.
    async fn page(self, pk: String, from: Option<Place>) -> (Vec<Item>, Option<Item>) {
        let size = 1 + self.surroundings.draw(PAGE_MAX);
        let mut last = from.unwrap_or_else(|| (pk.clone(), String::new()));
        let mut items = Vec::new();
        loop {
            let next = {
                let contents = self.contents();
                let after = (std::ops::Bound::Excluded(&last), std::ops::Bound::Unbounded);
                let next = contents.items.range::<Place, _>(after).next();
                next.filter(|((next, _), _)| *next == pk)
                    .map(|(place, item)| (place.clone(), item.clone()))
            };
            let Some((place, item)) = next else { return (items, None) };
            items.push(item);
            last = place;
            if items.len() as u64 >= size {
                return (items, Some(place_of_item(&last)));
            }
            if self.surroundings.chance(300) {
                self.surroundings.sleep(self.surroundings.draw(5000)).await;
            }
        }
    }
}

/// A part of a transaction.
struct Part {
    place: Place,
    condition: String,
    values: Option<Item>,
    change: Change,
}

enum Change {
    Put(Item),
    Delete,
    Update(String),
    Check,
}

impl Part {
    fn of(part: TransactWriteItem) -> Self {
        if let Some(put) = part.put {
            let (condition, values) = (put.condition_expression, put.expression_attribute_values);
            let place = place(&put.item);
            return Self::new(place, condition, values, Change::Put(put.item));
        }
        if let Some(delete) = part.delete {
            let values = delete.expression_attribute_values;
            let condition = delete.condition_expression;
            return Self::new(place(&delete.key), condition, values, Change::Delete);
        }
        if let Some(update) = part.update {
            let values = update.expression_attribute_values;
            let change = Change::Update(update.update_expression);
            return Self::new(place(&update.key), update.condition_expression, values, change);
        }
        let check = part.condition_check.unwrap();
        let values = check.expression_attribute_values;
        Self::new(place(&check.key), Some(check.condition_expression), values, Change::Check)
    }

    fn new(place: Place, condition: Option<String>, values: Option<Item>, change: Change) -> Self {
        Self { place, condition: condition.unwrap(), values, change }
    }
}

fn place(item: &Item) -> Place {
    let key = |name: &str| item[name].as_s().unwrap().clone();
    (key("pk"), key("sk"))
}

fn place_of_item((pk, sk): &Place) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))].into()
}

impl<T: Surroundings> Api for Table<T> {
    fn batch_get_item(
        &self,
        request: BatchGetItemInputBuilder,
    ) -> Sending<BatchGetItemOutput, BatchGetItemError> {
        let mut request = request.build().unwrap().request_items.unwrap();
        let keys = request.remove(TABLE_NAME).unwrap();
        self.send("BatchGetItem", async move |table: Self| {
            let (items, left) = table.read(keys).await?;
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
            table.transact(token, request.transact_items.unwrap()).await?;
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

/// A moment that all others are measured from.
#[expect(clippy::disallowed_methods, reason = "only differences to it are looked at")]
static START: LazyLock<Instant> = LazyLock::new(Instant::now);
