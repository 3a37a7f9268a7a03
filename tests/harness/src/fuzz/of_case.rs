//! A case as the model sees it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::plan::{Call, Encoding};
use crate::case::{Asked, Request, Setting, Style};

/// The time of the model's clock for cases: everything that a case remembers is remembered then.
pub const CASES_SECS: i64 = 1_767_323_045;

impl Call {
    /// A case's request. What the case leaves open is of this signature and format.
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
            format: match &request.format {
                Asked::Either => Some(format.to_owned()),
                Asked::None => None,
                Asked::Format(format) => Some(format.clone()),
            },
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
