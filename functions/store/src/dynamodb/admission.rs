//! Spending nonces and counting calls.

use aws_sdk_dynamodb::error::ProvideErrorMetadata;
use aws_sdk_dynamodb::operation::put_item::builders::PutItemFluentBuilder;
use aws_sdk_dynamodb::types::{
    Put, ReturnValuesOnConditionCheckFailure, TransactWriteItem, Update,
};

use super::attempts::{Attempt, Attempts, Sending};
use super::failure::{Reason, Reasons};
use super::item::{self, CALLS, EXPIRES_AT_SECS, Item, PK, Place, SCHEMA};
use super::{DynamoDbStore, unavailable, wrote};
use crate::{Admission, Admitted, Error, Quota, Version, kinds};

impl DynamoDbStore {
    /// See [`crate::Store::admit`].
    pub(super) async fn spend_nonce(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        let Admission { account_id, quota, now_secs, .. } = *admission;
        let version = self.new_version();
        let item = item::nonce(admission, version);
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
                let count = self.count(account_id, &quota, now_secs)?;
                let parts = [
                    TransactWriteItem::builder().put(put).build(),
                    TransactWriteItem::builder().update(count).build(),
                ];
                let request = self.transaction(parts.into());
                self.spend("TransactWriteItems", version, || Box::pin(request.clone().send())).await
            }
        }
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

    /// Puts `item` if `condition` holds for the existing item; if it does not, the existing item is
    /// returned.
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
    fn count(&self, account_id: &str, quota: &Quota<'_>, now_secs: u64) -> Result<Update, Error> {
        let (place, expires_at_secs) = Place::of_calls(account_id, quota, now_secs);
        // The first call of a window finds no counter; where none is allowed, it must.
        let condition = match quota.calls_max {
            0 => format!("{CALLS} < :calls_max"),
            _ => format!("attribute_not_exists({PK}) OR {CALLS} < :calls_max"),
        };
        let set = format!("{EXPIRES_AT_SECS} = :expires_at_secs, {SCHEMA} = :schema");
        Update::builder()
            .table_name(&self.table_name)
            .set_key(Some(place.into_item()))
            .update_expression(format!("ADD {CALLS} :one SET {set}"))
            .condition_expression(condition)
            .expression_attribute_values(":one", item::number(1))
            .expression_attribute_values(":calls_max", item::number(quota.calls_max.into()))
            .expression_attribute_values(":expires_at_secs", item::number(expires_at_secs))
            .expression_attribute_values(":schema", item::schema(kinds::CALLS))
            .build()
            .map_err(unavailable)
    }

    /// A put without a transaction.
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
