//! The parts of a commit's transaction.

use aws_sdk_dynamodb::types::{
    ConditionCheck, Delete, Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem,
};

use super::failure::Reason;
use super::item::{self, Item, ItemKey, PK, SCHEMA, VERSION};
use super::{DynamoDbStore, no_item, unavailable};
use crate::row::check_schema;
use crate::{Change, Error, Version, Write};

/// A condition on an item, and the values in its expression.
struct Condition {
    expression: String,
    values: Option<Item>,
}

impl Condition {
    /// The condition that the item has not changed and, if it will be changed, that no newer program
    /// wrote it.
    fn of(write: &Write) -> Self {
        let Some(read) = write.rests_on else {
            return Self { expression: format!("attribute_not_exists({PK})"), values: None };
        };
        let as_read = format!("{VERSION} = :read");
        let mut values = Item::from([(":read".to_owned(), item::number(read.0))]);
        let expression = match write.change {
            Change::Check => as_read,
            Change::Put(_) | Change::Delete => {
                values.insert(":schema".to_owned(), item::schema(write.key.kind()));
                format!("{as_read} AND {SCHEMA} <= :schema")
            }
        };
        Self { expression, values: Some(values) }
    }
}

impl<A> DynamoDbStore<A> {
    /// The part of a transaction that makes one change. If its condition fails, DynamoDB returns the
    /// existing item.
    pub(super) fn part(&self, write: &Write, version: Version) -> Result<TransactWriteItem, Error> {
        let existing = ReturnValuesOnConditionCheckFailure::AllOld;
        let item_key = ItemKey::of(&write.key).ok_or_else(|| no_item(&write.key))?;
        let Condition { expression, values } = Condition::of(write);
        let part = TransactWriteItem::builder();
        let part = match &write.change {
            Change::Put(document) => {
                let item = item::encode(item_key, write.key.kind(), document, version);
                let put = Put::builder()
                    .table_name(&self.table_name)
                    .set_item(Some(item.map_err(unavailable)?))
                    .condition_expression(expression)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(existing);
                part.put(put.build().map_err(unavailable)?)
            }
            Change::Delete => {
                let delete = Delete::builder()
                    .table_name(&self.table_name)
                    .set_key(Some(item_key.into_item()))
                    .condition_expression(expression)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(existing);
                part.delete(delete.build().map_err(unavailable)?)
            }
            Change::Check => {
                let check = ConditionCheck::builder()
                    .table_name(&self.table_name)
                    .set_key(Some(item_key.into_item()))
                    .condition_expression(expression)
                    .set_expression_attribute_values(values)
                    .return_values_on_condition_check_failure(existing);
                part.condition_check(check.build().map_err(unavailable)?)
            }
        };
        Ok(part.build())
    }
}

/// The error of a commit with failed conditions: a document has changed, or a newer program wrote it.
pub(super) fn refusal(writes: &[Write], reasons: &[Reason]) -> Error {
    for (write, reason) in writes.iter().zip(reasons) {
        let is_as_read = reason.is_condition() && reason.version == write.rests_on;
        if is_as_read
            && let Err(newer) = check_schema(&write.key, reason.schema.unwrap_or_default())
        {
            return newer;
        }
    }
    Error::Conflict
}
