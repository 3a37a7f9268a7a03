//! Uses nonces and counts calls.
//!
//! These are two writes and no transaction: concurrent transactions on the counter of an account and
//! action would cancel each other, while updates of an item queue. The nonce is written first:
//! otherwise replays could use up the account's quota.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::operation::put_item::PutItemInput;
use aws_sdk_dynamodb::operation::update_item::UpdateItemInput;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;

use super::api::DynamoDbApi;
use super::attempts::{Attempt, Attempts};
use super::failure::Reason;
use super::item::{self, CALLS, EXPIRES_AT_SECS, Item, ItemKey, PK, REUSABLE_AT_SECS, SCHEMA};
use super::{DynamoDbStore, wrote};
use crate::{Admission, Admitted, Error, kinds};

/// The most windows to keep in which a quota is used up.
const WINDOWS_MAX: usize = 10_000;

/// The windows in which a quota is used up, and the quota. A quota stays used up until its window
/// ends, so further calls need no write.
#[derive(Debug, Default)]
pub(super) struct UsedUp(Mutex<HashMap<ItemKey, u32>>);

impl UsedUp {
    fn is_for(&self, counter: &ItemKey, calls_max: u32) -> bool {
        let windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        windows.get(counter).is_some_and(|used_up| calls_max <= *used_up)
    }

    fn remember(&self, counter: ItemKey, calls_max: u32) {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if windows.len() >= WINDOWS_MAX {
            windows.clear();
        }
        windows.insert(counter, calls_max);
    }
}

impl<A: DynamoDbApi> DynamoDbStore<A> {
    /// See [`crate::Store::admit`].
    pub(super) async fn spend_and_count(
        &self,
        admission: &Admission<'_>,
    ) -> Result<Admitted, Error> {
        let Some(quota) = &admission.quota else { return self.spend_nonce(admission).await };
        let (counter, expires_at_secs) =
            ItemKey::of_calls(admission.account_id, quota, admission.now_secs);
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

    /// Puts the nonce, unless it exists.
    async fn spend_nonce(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        let version = self.new_version();
        // DynamoDB may take days to remove an expired item.
        let condition = format!("attribute_not_exists({PK}) OR {REUSABLE_AT_SECS} <= :now_secs");
        let request = PutItemInput::builder()
            .table_name(&self.table_name)
            .set_item(Some(item::nonce(admission, version)))
            .condition_expression(condition)
            .expression_attribute_values(":now_secs", item::number(admission.now_secs))
            // The version of the existing item shows whether an earlier attempt put it.
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut attempts = Attempts::new(self, "PutItem");
        loop {
            match attempts.make(self.api.put_item(request.clone())).await? {
                Attempt::Done(_) => return Ok(Admitted::Yes),
                Attempt::Failed(reasons) if wrote(&reasons, version) => return Ok(Admitted::Yes),
                Attempt::Failed(reasons) if reasons.iter().any(Reason::is_condition) => {
                    return Ok(Admitted::NonceUsed);
                }
                Attempt::Failed(_) => {}
            }
        }
    }

    /// Counts a call, unless the quota is used up. If the answer is lost, the call is taken as counted:
    /// a repeated request could count it twice.
    async fn count(
        &self,
        counter: &ItemKey,
        calls_max: u32,
        expires_at_secs: u64,
    ) -> Result<Admitted, Error> {
        // The first call of a window finds no counter. With a quota of 0 it must be refused.
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
                Attempt::Failed(reasons) if reasons.iter().any(Reason::is_condition) => {
                    return Ok(Admitted::OverQuota);
                }
                Attempt::Failed(_) if attempts.is_unknown() => return Ok(Admitted::Yes),
                Attempt::Failed(_) => {}
            }
        }
    }
}
