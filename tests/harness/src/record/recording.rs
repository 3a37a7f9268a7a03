//! The recording of an endpoint's answers to a case.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::redaction::Redaction;
use crate::case::Case;
use crate::contract::Contract;
use crate::decisions::decisions;
use crate::error::Result;
use crate::json;
use crate::judge::Place;
use crate::verify::Trial;

/// An endpoint's answers to a case, beside the expected ones.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Recording {
    pub(super) case: String,
    description: String,
    pub(super) expectation: Expectation,
    pub(super) observation: Observation,
    pub(super) agrees: bool,
    pub(super) answers: Vec<Recorded>,
}

/// The source of an expectation.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Expectation {
    provenance: Provenance,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) decision: Option<String>,
    /// The places in answers that the decision concerns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    about: Vec<String>,
}

/// The kinds of sources.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Provenance {
    /// The page documents it.
    Documented,
    /// The page is silent, and a decision answers it.
    Chosen,
    /// An endpoint answered it.
    Observed,
}

/// The host and the date of the answers.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Observation {
    provenance: Provenance,
    pub(super) date: String,
    pub(super) host: String,
}

impl Observation {
    pub(super) fn new(date: &str, host: &str) -> Self {
        Self { provenance: Provenance::Observed, date: date.to_owned(), host: host.to_owned() }
    }
}

/// A recorded answer.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Recorded {
    signature: String,
    format: String,
    agrees: bool,
    pub(super) fields: Vec<Field>,
    observed: Vec<String>,
}

/// A field of an answer.
#[derive(Debug, Deserialize, Serialize)]
pub(super) struct Field {
    pub(super) field: String,
    pub(super) expected: String,
    pub(super) observed: String,
    pub(super) agrees: bool,
}

impl Recording {
    /// The recording of a case's trials.
    pub(super) fn new(
        contract: &Contract,
        case: &Case,
        trials: &[&Trial],
        redaction: &mut Redaction<'_>,
        observation: Observation,
    ) -> Self {
        let provenance =
            if case.decision.is_some() { Provenance::Chosen } else { Provenance::Documented };
        for trial in trials {
            trial.answered.iter().for_each(|answered| redaction.learn(answered));
            for finding in &trial.findings {
                redaction.learn_text(&finding.expected);
                redaction.learn_text(&finding.actual);
            }
        }
        Self {
            case: case.path.clone(),
            description: case.description.clone(),
            expectation: Expectation {
                provenance,
                page: case.page.clone(),
                decision: case.decision.clone(),
                about: case
                    .decision
                    .as_deref()
                    .map_or_else(Vec::new, |id| about(contract, id, case)),
            },
            observation,
            agrees: trials.iter().all(|trial| trial.holds()),
            answers: trials.iter().map(|trial| Recorded::new(case, trial, redaction)).collect(),
        }
    }

    /// Whether the answers confirm the expectation: in the places that the decision concerns, or in all of
    /// them without a decision.
    pub(super) fn confirms(&self) -> bool {
        let about = &self.expectation.about;
        if about.is_empty() {
            return self.agrees;
        }
        let mut fields = self.answers.iter().flat_map(|answer| &answer.fields);
        // These always count: findings on earlier calls, which hide the last one, and a missing answer or an
        // unreadable body, which hides the place.
        let is_about = |place: &str| {
            let is_in =
                |one: &str, other: &str| Place { call: None, path: one.to_owned() }.is_in(other);
            ["answer", "body"].contains(&place)
                || place.starts_with("call ")
                || about.iter().any(|about| is_in(place, about) || is_in(about, place))
        };
        fields.all(|field| field.agrees || !is_about(&field.field))
    }

    /// Reads an earlier recording.
    pub(super) fn read(path: &Path) -> Result<Self> {
        json::read_file(path)
    }
}

impl Recorded {
    fn new(case: &Case, trial: &Trial, redaction: &Redaction<'_>) -> Self {
        let field = |place: &str, expected: &str, observed: &str, agrees: bool| Field {
            field: place.to_owned(),
            expected: redaction.apply(expected),
            observed: redaction.apply(observed),
            agrees,
        };
        let is_wrong = |place: &str| trial.findings.iter().any(|it| it.place.is_in(place));
        let demanded = demanded(case).into_iter().filter(|(place, _)| !is_wrong(place));
        let mut fields: Vec<Field> = demanded
            .map(|(place, expected)| {
                // Without an answer, nothing was observed.
                let is_read = trial.answered.is_some();
                field(&place, &expected, if is_read { &expected } else { "" }, is_read)
            })
            .collect();
        fields.extend(trial.findings.iter().map(|finding| {
            field(&finding.place.to_string(), &finding.expected, &finding.actual, false)
        }));
        let transcript = trial.answered.as_ref().map_or("", |answered| &answered.transcript);
        Self {
            signature: trial.variant.style.to_string(),
            format: trial.format.to_owned(),
            agrees: trial.holds(),
            fields,
            observed: redaction.apply(transcript).lines().map(str::to_owned).collect(),
        }
    }
}

/// The places that a decision concerns: those after `**About.**`, or else the code and the case's other
/// demands. The texts that every answer has belong to other decisions.
fn about(contract: &Contract, decision: &str, case: &Case) -> Vec<String> {
    let named = decisions(contract).find(|known| known.id() == Some(decision));
    let named = named.map(|decision| decision.about()).unwrap_or_default();
    if !named.is_empty() {
        return named.into_iter().map(str::to_owned).collect();
    }
    let demanded = &case.demanded;
    let usual = ["status", "body/Code", "body/AccessDeniedDetail", "state", "list"];
    let elements = demanded.elements.keys().map(|name| format!("body/{name}"));
    let headers = demanded.headers.keys().map(|name| format!("header/{name}"));
    usual.map(str::to_owned).into_iter().chain(elements).chain(headers).collect()
}

/// The demands of a case, by place.
fn demanded(case: &Case) -> Vec<(String, String)> {
    let demanded = &case.demanded;
    let mut fields = vec![("status".to_owned(), demanded.status.to_string())];
    let body = |name: &str, value: String| (format!("body/{name}"), value);
    fields.extend(demanded.code.clone().map(|code| body("Code", code)));
    fields.extend(demanded.message.clone().map(|message| body("Message", message)));
    let detail = demanded.access_denied_detail.as_ref();
    let detail = detail.map(|detail| serde_json::to_value(detail).unwrap_or(Value::Null));
    fields.extend(detail.map(|detail| body("AccessDeniedDetail", detail.to_string())));
    fields.extend(demanded.elements.iter().map(|(name, value)| {
        body(name, value.as_str().map_or_else(|| value.to_string(), str::to_owned))
    }));
    fields
}
