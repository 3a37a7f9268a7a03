//! Spending nonces and counting calls.
//!
//! These are two writes and no transaction: transactions on the one counter of an account and action
//! would cancel each other when many calls come at once, while updates of an item queue. The nonce
//! comes first, or a call that is played back could use up the account's quota.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::api::Api;
use super::attempts::{Attempt, Attempts};
use super::failure::Reason;
use super::item::{self, CALLS, EXPIRES_AT_SECS, Item, PK, Place, REUSABLE_AT_SECS, SCHEMA};
use super::{DynamoDbStore, wrote};
use crate::{Admission, Admitted, Error, kinds};

/// How many windows are remembered in which a quota is used up.
const WINDOWS_MAX: usize = 10_000;

/// The windows in which a quota is used up, and for how many calls it was. Within a window a quota
/// does not become free again, so a flood of calls over it writes nothing.
#[derive(Debug, Default)]
pub(super) struct UsedUp(Mutex<HashMap<Place, u32>>);

impl UsedUp {
    fn is_for(&self, counter: &Place, calls_max: u32) -> bool {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.get(counter).is_some_and(|used_up| calls_max <= *used_up)
    }

    fn remember(&self, counter: Place, calls_max: u32) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS_MAX {
            windows.clear();
        }
        windows.insert(counter, calls_max);
    }
}

impl<A: Api> DynamoDbStore<A> {
    /// See [`crate::Store::admit`].
    pub(super) async fn spend_and_count(
        &self,
        admission: &Admission<'_>,
    ) -> Result<Admitted, Error> {
        let Some(quota) = &admission.quota else { return self.spend_nonce(admission).await };
        let (counter, expires_at_secs) =
            Place::of_calls(admission.account_id, quota, admission.now_secs);
        if self.used_up.is_for(&counter, quota.calls_max) {
            return Ok(Admitted::OverQuota);
        }
        let spent = self.spend_nonce(admission).await?;
        if spent != Admitted::Yes {
            return Ok(spent);
        }
        let admitted = self.count(&counter, quota.calls_max, expires_at_secs).await?;
        if admitted == Admitted::OverQuota {
            self.used_up.remember(counter, quota.calls_max);
        }
        Ok(admitted)
    }

    /// Puts the nonce, unless it is there.
    async fn spend_nonce(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        let version = self.new_version();
        // DynamoDB may take days to remove what has expired.
        let condition = format!("attribute_not_exists({PK}) OR {REUSABLE_AT_SECS} <= :now_secs");
        let request = PutItemInput::builder()
            .table_name(&self.table_name)
            .set_item(Some(item::nonce(admission, version)))
            .condition_expression(condition)
            .expression_attribute_values(":now_secs", item::number(admission.now_secs))
            // By its version it is told whether an earlier attempt put it.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut attempts = Attempts::new(self, "PutItem");
        loop {
            match attempts.make(self.api.put_item(request.clone())).await? {
                Attempt::Done(_) => return Ok(Admitted::Yes),
                Attempt::Undone(reasons) if wrote(&reasons, version) => return Ok(Admitted::Yes),
                Attempt::Undone(reasons) if reasons.iter().any(Reason::is_condition) => {
                    return Ok(Admitted::NonceUsed);
                }
                Attempt::Undone(_) => {}
            }
        }
    }

    /// Counts a call, if there is room for it. One whose answer was lost may be counted, and counts as
    /// such: to ask again could count it twice.
    async fn count(
        &self,
        counter: &Place,
        calls_max: u32,
        expires_at_secs: u64,
    ) -> Result<Admitted, Error> {
        // The first call of a window finds no counter; where none is allowed, it must.
        let condition = match calls_max {
            0 => format!("{CALLS} < :calls_max"),
            _ => format!("attribute_not_exists({PK}) OR {CALLS} < :calls_max"),
        };
        let set = format!("{EXPIRES_AT_SECS} = :expires_at_secs, {SCHEMA} = :schema");
        let values = Item::from(
            [
                (":one", item::number(1)),
                (":calls_max", item::number(calls_max.into())),
                (":expires_at_secs", item::number(expires_at_secs)),
                (":schema", item::schema(kinds::CALLS)),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        let request = UpdateItemInput::builder()
            .table_name(&self.table_name)
            .set_key(Some(counter.clone().into_item()))
            .update_expression(format!("ADD {CALLS} :one SET {set}"))
            .condition_expression(condition)
            .set_expression_attribute_values(Some(values));
        let mut attempts = Attempts::new(self, "UpdateItem");
        loop {
            match attempts.make(self.api.update_item(request.clone())).await? {
                Attempt::Done(_) => return Ok(Admitted::Yes),
                Attempt::Undone(reasons) if reasons.iter().any(Reason::is_condition) => {
                    return Ok(Admitted::OverQuota);
                }
                Attempt::Undone(_) if attempts.is_open() => return Ok(Admitted::Yes),
                Attempt::Undone(_) => {}
            }
        }
    }
}
