//! The items of the model, and the changes to them, each at one moment.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use aws_sdk_dynamodb::types::{AttributeValue, TransactWriteItem};

use super::failures::{Failure, Reason};
use crate::expression::{Item, holds, number, update};

/// The partition key and the sort key of an item.
pub(crate) type Place = (String, String);

/// The flaw of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A write is made even if its condition does not hold.
    IgnoresConditions,
    /// A transaction writes the parts whose conditions hold.
    TearsTransactions,
    /// A read shows an item as it was before its last write.
    ReadsLate,
    /// A deletion does nothing.
    KeepsDeleted,
    /// A query ends with its first page.
    CutsQueries,
}

/// The items of a table.
#[derive(Default)]
pub(crate) struct Items {
    items: BTreeMap<Place, Item>,
    /// Each item as it was before its last write.
    before: BTreeMap<Place, Option<Item>>,
    /// How many writes there were.
    pub(crate) writes: u64,
    /// Items of transactions that are in progress.
    in_transactions: BTreeSet<Place>,
    /// The tokens of transactions that are in progress (`false`) or complete.
    tokens: BTreeMap<String, bool>,
    pub(crate) flaw: Option<Flaw>,
}

impl Items {
    /// Reads an item.
    pub(crate) fn get(&self, place: &Place) -> Option<Item> {
        match self.before.get(place) {
            Some(before) if self.flaw == Some(Flaw::ReadsLate) => before.clone(),
            _ => self.items.get(place).cloned(),
        }
    }

    /// The item of a partition that follows a place.
    pub(crate) fn after(&self, place: &Place) -> Option<(Place, Item)> {
        let (next, item) =
            self.items.range::<Place, _>((Bound::Excluded(place), Bound::Unbounded)).next()?;
        (next.0 == place.0).then(|| (next.clone(), item.clone()))
    }

    /// Removes expired items, and returns whether there were any.
    pub(crate) fn expire(&mut self, now_secs: u64) -> bool {
        let before = self.items.len();
        self.items.retain(|_, item| {
            item.get("expires_at_secs").is_none_or(|secs| now_secs < number(Some(secs)))
        });
        self.items.len() < before
    }

    /// Makes a write of one item.
    pub(crate) fn write(
        &mut self,
        place: &Place,
        condition: Option<&str>,
        values: Option<&Item>,
        write: impl FnOnce(Option<Item>) -> Item,
    ) -> Result<(), Failure> {
        if self.in_transactions.contains(place) {
            return Err(Failure::Code(400, "TransactionConflictException"));
        }
        let item = self.items.get(place);
        if self.flaw != Some(Flaw::IgnoresConditions) && !holds(condition, item, values) {
            return Err(Failure::Condition(item.cloned()));
        }
        let written = write(item.cloned());
        self.put(place, Some(written));
        Ok(())
    }

    /// Begins a transaction; `false`: it is complete already.
    pub(crate) fn begin(&mut self, token: &str, parts: &[Part]) -> Result<bool, Failure> {
        match self.tokens.get(token) {
            Some(true) => return Ok(false),
            Some(false) => return Err(Failure::Code(400, "TransactionInProgressException")),
            None => {}
        }
        let meets = |part: &Part| self.in_transactions.contains(&part.place);
        if parts.iter().any(meets) {
            let reason = |part| if meets(part) { Reason::Conflict } else { Reason::None };
            return Err(Failure::Cancelled(parts.iter().map(reason).collect()));
        }
        self.tokens.insert(token.to_owned(), false);
        self.in_transactions.extend(parts.iter().map(|part| part.place.clone()));
        Ok(true)
    }

    /// Makes all writes of a transaction if all conditions hold.
    pub(crate) fn apply(&mut self, parts: &[Part]) -> Result<(), Failure> {
        let reason = |part: &Part| {
            let item = self.items.get(&part.place);
            let holds = self.flaw == Some(Flaw::IgnoresConditions)
                || holds(Some(&part.condition), item, part.values.as_ref());
            if holds { Reason::None } else { Reason::Condition(item.cloned()) }
        };
        let reasons: Vec<Reason> = parts.iter().map(reason).collect();
        let is_refused = |reason: &Reason| !matches!(reason, Reason::None);
        if !reasons.iter().any(is_refused) {
            for part in parts {
                self.change(part);
            }
            return Ok(());
        }
        if self.flaw == Some(Flaw::TearsTransactions) {
            let holding = parts.iter().zip(&reasons).filter(|(_, reason)| !is_refused(reason));
            holding.for_each(|(part, _)| self.change(part));
        }
        Err(Failure::Cancelled(reasons))
    }

    /// Ends a transaction.
    pub(crate) fn end(&mut self, token: &str, parts: &[Part], is_made: bool) {
        for part in parts {
            self.in_transactions.remove(&part.place);
        }
        if is_made {
            self.tokens.insert(token.to_owned(), true);
        } else {
            self.tokens.remove(token);
        }
    }

    fn change(&mut self, part: &Part) {
        match &part.change {
            Change::Put(item) => self.put(&part.place, Some(item.clone())),
            Change::Delete if self.flaw == Some(Flaw::KeepsDeleted) => {}
            Change::Delete => self.put(&part.place, None),
            Change::Update(expression) => {
                let item = self.items.get(&part.place).cloned();
                let mut item = item.unwrap_or_else(|| item_at(&part.place));
                update(&mut item, expression, part.values.as_ref().unwrap());
                self.put(&part.place, Some(item));
            }
            Change::Check => {}
        }
    }

    fn put(&mut self, place: &Place, item: Option<Item>) {
        self.writes += 1;
        let before = match item {
            Some(item) => self.items.insert(place.clone(), item),
            None => self.items.remove(place),
        };
        if self.flaw.is_some() {
            self.before.insert(place.clone(), before);
        }
    }
}

/// A part of a transaction.
pub(crate) struct Part {
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
    pub(crate) fn of(part: TransactWriteItem) -> Self {
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

/// The place of an item.
pub(crate) fn place(item: &Item) -> Place {
    let key = |name: &str| item[name].as_s().unwrap().clone();
    (key("pk"), key("sk"))
}

/// The keys of an item.
pub(crate) fn item_at((pk, sk): &Place) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    [("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))].into()
}
