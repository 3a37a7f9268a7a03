//! A case: a world, a request, and the answer that the contract demands.

mod request;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::contract::Contract;
use crate::error::Result;
use crate::secrets;

pub use request::{Asked, Pairs, Request, Setting, Style, Text};

/// A case file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// The path of the file, relative to `contracts/`.
    #[serde(skip)]
    pub path: String,
    /// A description of the situation.
    pub description: String,
    /// The page's sentence behind the case.
    pub page: Option<String>,
    /// The decision behind the case.
    pub decision: Option<String>,
    /// The operation, if it is not the folder's.
    #[serde(default)]
    pub action: String,
    /// The world before the calls: a whole one, or a named one with a merge.
    pub world: Value,
    /// Earlier calls, each of which must succeed.
    #[serde(default)]
    pub before: Vec<Request>,
    /// The call.
    pub request: Request,
    /// The fault of the store during the call.
    pub fault: Option<Fault>,
    /// The rate limit of an account; absent: no limit.
    pub throttling: Option<Throttling>,
    /// The answer that the case demands.
    #[serde(rename = "answer")]
    pub demanded: Demanded,
    /// The members that documents of the caller's account have after the call, by kind and id.
    #[serde(default)]
    pub after: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A fault of the store. Only a controlled target can play it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// Every request to the store fails.
    StoreUnavailable,
    /// Every request to the store panics.
    StorePanics,
}

impl Fault {
    /// The document that plans the fault for the next call of `action`, for the control path `faults`.
    pub(crate) fn document(self, action: &str) -> String {
        let kind = match self {
            Self::StoreUnavailable => "StoreUnavailable",
            Self::StorePanics => "StorePanics",
        };
        json!({ "Faults": [{ "Action": action, "Times": 1, "Kind": kind }] }).to_string()
    }
}

/// The rate limit of an account for an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Throttling {
    /// The number of calls.
    pub calls: u32,
    /// The window, in seconds.
    pub seconds: u64,
}

impl Throttling {
    /// The document of the control path `throttling`.
    pub(crate) fn document(self) -> String {
        json!({ "Calls": self.calls, "Seconds": self.seconds }).to_string()
    }
}

/// The answer that a case demands.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Demanded {
    /// The HTTP status.
    pub status: u16,
    /// The error's code.
    pub code: Option<String>,
    /// The error's message; `[StringToSign]` and `[CanonicalRequest]` name the server's.
    pub message: Option<String>,
    /// The reason why the caller's policies do not allow the call.
    #[serde(rename = "accessDeniedDetail")]
    pub access_denied_detail: Option<BTreeMap<String, String>>,
    /// The headers that only some answers have, and the patterns of their values.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Top elements, each with its whole value.
    #[serde(default)]
    pub elements: BTreeMap<String, Value>,
    /// Whether the ids are those of the earlier call, not newly drawn.
    #[serde(rename = "sameAsBefore", default)]
    pub same_as_before: bool,
}

impl Case {
    /// Reads the case at `path` of a contract.
    pub fn read(contract: &Contract, path: &str) -> Result<Self> {
        let text = secrets::disguise(contract.existing(path)?);
        let mut case: Self = contract.parse(path, &text)?;
        path.clone_into(&mut case.path);
        if case.action.is_empty() {
            let folder = case.folder().to_owned();
            case.action = folder;
        }
        for request in case.before.iter_mut().chain([&mut case.request]) {
            // The default secret is replaced too.
            request.access_key_secret = secrets::disguise(&request.access_key_secret);
            if request.action.is_empty() {
                request.action.clone_from(&case.action);
            }
        }
        let world = contract.world(&case.world)?.to_string();
        case.world = contract.parse(path, &secrets::disguise(&world))?;
        Ok(case)
    }

    /// The folder of the contract that the case belongs to: an action, or `common`.
    #[must_use]
    pub fn folder(&self) -> &str {
        self.path.split('/').next().unwrap_or_default()
    }

    /// The folder of the case: a code, or `Success`.
    #[must_use]
    pub fn group(&self) -> &str {
        self.path.split('/').nth(2).unwrap_or_default()
    }

    /// The file's name without its ending.
    #[must_use]
    pub fn name(&self) -> &str {
        let file = self.path.rsplit('/').next().unwrap_or_default();
        file.strip_suffix(".json").unwrap_or(file)
    }

    /// The page's sentence and the decision behind the case, for a report.
    #[must_use]
    pub fn rests_on(&self) -> String {
        let page = self.page.as_ref().map(|page| format!("page: {page:?}"));
        let decision = self.decision.as_ref().map(|id| format!("decision {id}"));
        [page, decision].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// The variants of the case: each signature and format that it leaves open.
    #[must_use]
    pub fn variants(&self) -> Vec<Variant> {
        let styles = match self.request.signature {
            Some(style) => vec![style],
            None => vec![Style::V1, Style::V3],
        };
        let mut formats =
            ["JSON", "XML"].map(|format| self.request.format.or(Some(format))).to_vec();
        formats.dedup();
        formats
            .iter()
            .flat_map(|format| {
                styles.iter().map(|style| Variant { style: *style, format: format.clone() })
            })
            .collect()
    }
}

/// A variant of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The kind of signature.
    pub style: Style,
    /// The requested format.
    pub format: Option<String>,
}
