//! A case: a world, a request, and the answer that the contract demands.

mod request;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::contract::Contract;
use crate::secrets;

pub use request::{Asked, Pairs, Request, Setting, Style, Text};

/// A case file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Case {
    /// Where the file stands, relative to `contracts/`.
    #[serde(skip)]
    pub path: String,
    /// What happens.
    pub description: String,
    /// The page's sentence that the case rests on.
    pub page: Option<String>,
    /// The decision that the case rests on.
    pub decision: Option<String>,
    /// The operation that is called, where the folder does not say it.
    #[serde(default)]
    pub action: String,
    /// The documents that there are: a world, or the name of one with what is merged into it.
    pub world: Value,
    /// Calls made first, each of which succeeds.
    #[serde(default)]
    pub before: Vec<Request>,
    /// The call.
    pub request: Request,
    /// What befalls the store meanwhile.
    pub fault: Option<Fault>,
    /// How often an account may call; absent: as often as it likes.
    pub throttling: Option<Throttling>,
    /// The answer demanded.
    #[serde(rename = "answer")]
    pub demanded: Demanded,
    /// The members that documents of the caller's account hold afterwards, by kind and id.
    #[serde(default)]
    pub after: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A fault that needs a target whose store can be made to fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fault {
    /// The store fails at whatever it is asked.
    StoreUnavailable,
    /// The store panics at whatever it is asked.
    StorePanics,
}

/// How often an account may call an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub struct Throttling {
    /// How many calls.
    pub calls: u32,
    /// In how many seconds.
    pub seconds: u64,
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
    /// Why the caller's policies do not allow the call.
    #[serde(rename = "accessDeniedDetail")]
    pub access_denied_detail: Option<BTreeMap<String, String>>,
    /// Headers beyond those of every answer, and what they match.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// Top elements, each with the whole of what it holds.
    #[serde(default)]
    pub elements: BTreeMap<String, Value>,
    /// What is drawn anew for each success is that of the last call made before.
    #[serde(rename = "sameAsBefore", default)]
    pub same_as_before: bool,
}

impl Case {
    /// Reads the case at `path` of a contract.
    ///
    /// # Errors
    ///
    /// What is wrong with it, with its file, line and field.
    pub fn read(contract: &Contract, path: &str) -> Result<Self, String> {
        let text = secrets::disguise(contract.existing(path)?);
        let mut case: Self = contract.parse(path, &text)?;
        path.clone_into(&mut case.path);
        if case.action.is_empty() {
            let folder = case.folder().to_owned();
            case.action = folder;
        }
        for request in case.before.iter_mut().chain([&mut case.request]) {
            // The default too.
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

    /// What the case rests on, for a report.
    #[must_use]
    pub fn rests_on(&self) -> String {
        let page = self.page.as_ref().map(|page| format!("page: {page:?}"));
        let decision = self.decision.as_ref().map(|id| format!("decision {id}"));
        [page, decision].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// The variants in which the case is tried: each signature and format that it leaves open.
    #[must_use]
    pub fn variants(&self) -> Vec<Variant> {
        let styles = match self.request.signature {
            Some(style) => vec![style],
            None => vec![Style::V1, Style::V3],
        };
        let formats = match &self.request.format {
            Asked::Either => vec![Some("JSON".to_owned()), Some("XML".to_owned())],
            Asked::None => vec![None],
            Asked::Format(format) => vec![Some(format.clone())],
        };
        formats
            .iter()
            .flat_map(|format| {
                styles.iter().map(|style| Variant { style: *style, format: format.clone() })
            })
            .collect()
    }
}

/// One way to try a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// The kind of signature.
    pub style: Style,
    /// The format asked for.
    pub format: Option<String>,
}
