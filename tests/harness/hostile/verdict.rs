//! What must hold of every answer.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use ipv6_gateway::Response;
use jsonschema::Validator;
use serde::Deserialize;
use serde_json::Value;

use super::signing::KEYS;
use crate::answer::{Answer, Body};
use crate::contract::Contract;
use crate::judge::{ACTION, Schemas, validator};

/// An answer that the contract allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Verdict {
    /// The code; none for a success.
    pub(super) code: Option<String>,
    /// The bandwidth of a success.
    pub(super) bandwidth_id: Option<String>,
    /// Whether the signature was taken for a right one: all that is checked later comes of it.
    pub(super) is_authentic: bool,
}

/// The most bytes of an answer without what it shows of the request.
const ANSWER_BYTES: usize = 4096;

/// How many bytes of an answer come of one of a payload: one that is no UTF-8 becomes the three of
/// a replacement character, each of which is encoded twice where a string to sign is shown.
const BYTES_OF_BYTE: usize = 15;

/// What the contract says of answers.
struct Documented {
    success: Validator,
    schemas: Schemas,
    /// The documented codes, with their status.
    statuses: BTreeMap<String, u16>,
    /// Those that are answered before the signature is found right.
    strangers: BTreeSet<String>,
}

impl Documented {
    fn get() -> &'static Self {
        static CONTRACT: OnceLock<Documented> = OnceLock::new();
        CONTRACT.get_or_init(|| Self::read().unwrap_or_else(|error| panic!("{error}")))
    }

    fn read() -> Result<Self, String> {
        #[derive(Deserialize)]
        struct Table {
            errors: Vec<Row>,
        }
        #[derive(Deserialize)]
        struct Row {
            code: String,
            status: u16,
        }
        let contract = Contract::embedded();
        let rows = |folder: &str| -> Result<Vec<Row>, String> {
            let path = format!("{folder}/errors.json");
            let table: Table = contract.parse(&path, contract.existing(&path)?)?;
            Ok(table.errors)
        };
        let (common, operation) = (rows("common")?, rows(ACTION)?);
        // The rows stand in checking order.
        let last = common.iter().position(|row| row.code == "SignatureDoesNotMatch");
        let last = last.ok_or("SignatureDoesNotMatch is not documented")?;
        let strangers = common[..=last].iter().map(|row| row.code.clone()).collect();
        let rows = common.into_iter().chain(operation);
        Ok(Self {
            success: validator(&contract, &format!("{ACTION}/schemas/success.json"))?,
            schemas: Schemas::read(&contract)?,
            statuses: rows.map(|row| (row.code, row.status)).collect(),
            strangers,
        })
    }
}

/// Judges an answer to a payload of `payload_bytes`.
pub(super) fn of(response: &Response, payload_bytes: usize) -> Verdict {
    let contract = Documented::get();
    let answer = read(response);
    let shown = || format!("{answer:?}");
    let body = answer.read().unwrap_or_else(|error| panic!("{error}: {}", shown()));
    let code = body.text("Code").map(str::to_owned);
    let (status, schema) = match &code {
        None => (200, Some(&contract.success)),
        Some(code) => {
            let status = contract.statuses.get(code);
            let status = status.unwrap_or_else(|| panic!("undocumented: {}", shown()));
            (*status, contract.schemas.error(code))
        }
    };
    assert_eq!(answer.status, status, "the status is not the documented one: {}", shown());
    // These two are the rules' own: the vendor answers them with 500.
    let is_rule = ["OperationFailed.QueryAccountInfo", "OperationFailed.SaleValidate"];
    let is_rule = code.as_deref().is_some_and(|code| is_rule.contains(&code));
    assert!(status < 500 || is_rule, "the function failed: {}", shown());
    let schema = schema.unwrap_or_else(|| panic!("without a schema: {}", shown()));
    fits(&answer, &body, schema);
    for key in KEYS {
        let secrets = [Some(key.secret), key.security_token];
        for secret in secrets.into_iter().flatten() {
            assert!(!answer.body.contains(secret), "a secret of {} is told: {}", key.id, shown());
        }
    }
    let bytes_max = ANSWER_BYTES + BYTES_OF_BYTE * payload_bytes;
    assert!(answer.body.len() <= bytes_max, "{} bytes of an answer", answer.body.len());
    let is_authentic = code.as_ref().is_none_or(|code| !contract.strangers.contains(code));
    let bandwidth_id = body.text("InternetBandwidthId").map(str::to_owned);
    Verdict { code, bandwidth_id, is_authentic }
}

fn read(response: &Response) -> Answer {
    let single = response.headers.iter().map(|(name, value)| (name, &**value));
    let multi = response.multi_value_headers.iter().map(|(name, [value])| (name, &**value));
    let status = response.status_code;
    let description = response.status_description.as_deref();
    let is_status = |text: &str| text.starts_with(&format!("{status} "));
    assert!(description.is_none_or(is_status), "{description:?} of {status}");
    Answer {
        status,
        headers: single
            .chain(multi)
            .map(|(name, it)| ((*name).to_owned(), it.to_owned()))
            .collect(),
        body: response.body.clone(),
    }
}

fn fits(answer: &Answer, body: &Body, schema: &Validator) {
    let elements = Value::Object(body.elements.clone());
    if let Err(error) = schema.validate(&elements) {
        panic!("{error}, at {}: {answer:?}", error.instance_path());
    }
    let root =
        if body.text("Code").is_some() { "Error".to_owned() } else { format!("{ACTION}Response") };
    let is_root = body.root.as_ref().is_none_or(|named| *named == root);
    assert!(is_root, "not in {root}: {answer:?}");
    assert_eq!(answer.header("x-acs-request-id"), body.text("RequestId"), "{answer:?}");
    for name in ["access-control-allow-origin", "access-control-expose-headers"] {
        assert_eq!(answer.header(name), Some("*"), "{name}: {answer:?}");
    }
    let trace_id = answer.header("x-acs-trace-id").unwrap_or_default();
    let is_hex = trace_id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    assert!(trace_id.len() == 32 && is_hex, "x-acs-trace-id: {answer:?}");
    // HTTP/1.1 carries no others, and XML 1.0 none of them.
    let is_control = |c: char| c.is_control() && c != '\n';
    assert!(body.root.is_none() || !answer.body.contains(is_control), "{answer:?}");
    assert!(!answer.headers.values().any(|value| value.contains(char::is_control)), "{answer:?}");
}
