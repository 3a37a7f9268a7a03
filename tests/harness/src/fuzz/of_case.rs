//! Converts a case's request to a call of the model.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::plan::{Call, Encoding};
use crate::case::{Request, Setting, Style};

/// The time of the model's clock for cases. At this time, every remembered token of a case counts.
pub const CASES_SECS: i64 = 1_767_323_045;

impl Call {
    /// A case's request. Where the case leaves them open, it has this signature and format.
    #[must_use]
    pub fn of(request: &Request, style: Style, format: &str) -> Self {
        let settings = |settings: &BTreeMap<String, Setting>| -> BTreeMap<String, Value> {
            let value = |setting: &Setting| match setting {
                Setting::Text(text) => text.whole().into(),
                Setting::Time { offset_seconds } => json!({ "offsetSeconds": offset_seconds }),
                Setting::Absent(()) => Value::Null,
            };
            settings.iter().map(|(name, setting)| (name.clone(), value(setting))).collect()
        };
        Self {
            action: request.action.clone(),
            method: request.method.clone(),
            signature: request.signature.unwrap_or(style),
            format: request.format.or(Some(format)),
            access_key_id: request.access_key_id.clone(),
            access_key_secret: request.access_key_secret.clone(),
            security_token: request.security_token.clone(),
            nonce: request.nonce.clone(),
            query: request.query.list(),
            body: request.body.list(),
            common: settings(&request.common),
            after_signing: settings(&request.after_signing),
            encoding: Encoding::Plain,
        }
    }
}
