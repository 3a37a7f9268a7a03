//! Runs an operation on a few documents, for the unit tests of its rules.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::{Map, Value, json};

use crate::document::Resource;
use crate::error::{ErrorRow, Refusal};
use crate::key::{Key, Scope};
use crate::operation::{Common, Fresh, Halt, Listed, Operation, Outcome, Seen, Write};
use crate::parameters::Parameters;

/// The account that calls and owns the documents.
pub(crate) const ACCOUNT_ID: &str = "1234567890123456";
/// The time of every trial.
pub(crate) const NOW_SECS: u64 = 1_767_323_045;
/// The end of the new ids in every trial.
pub(crate) const ID_TAIL: &str = "abcdefghij0123456";
/// The most rounds of reading for a call.
const ROUNDS_MAX: usize = 3;

/// The result of a call that no rule refused.
#[derive(Debug, PartialEq)]
pub(crate) struct Passed {
    pub(crate) answer: Value,
    pub(crate) changes: Vec<Write>,
    pub(crate) taken: Vec<(&'static str, String)>,
}

/// Parameters and documents: `{"Parameters": {name: value}, <kind>: {<id>: {members}}}`.
#[derive(Clone, Debug)]
pub(crate) struct Trial(Value);

impl Trial {
    pub(crate) fn new(parameters_and_documents: Value) -> Self {
        Self(parameters_and_documents)
    }

    /// This trial changed by a merge patch (RFC 7396): null removes.
    pub(crate) fn with(&self, patch: &Value) -> Self {
        let mut changed = self.0.clone();
        merge(&mut changed, patch);
        Self(changed)
    }

    fn texts(&self) -> BTreeMap<String, String> {
        let parameters = self.0["Parameters"].as_object().into_iter().flatten();
        parameters.map(|(name, value)| (name.clone(), value.as_str().unwrap().into())).collect()
    }

    fn documents(&self) -> Vec<Resource> {
        let kinds = self.0.as_object().unwrap().iter().filter(|(kind, _)| *kind != "Parameters");
        let named = kinds.flat_map(|(kind, documents)| {
            documents.as_object().unwrap().iter().map(move |(id, members)| (kind, id, members))
        });
        let documents = named.map(|(kind, id, members)| {
            Resource::read(kind, ACCOUNT_ID, id, members).expect("a document in form")
        });
        documents.flat_map(|document| document.implied().into_iter().chain([document])).collect()
    }

    /// The resources that RAM checks after the first read.
    pub(crate) fn resources<O: Operation>(&self) -> Vec<String> {
        let (texts, documents) = (self.texts(), self.documents());
        let look_up = |name: &str| texts.get(name).map(String::as_str);
        let parameters = Parameters::new(&look_up);
        let mut seen = Seen::default();
        if let Ok((common, call)) = Common::parse::<O>(&parameters) {
            read(&mut seen, &documents, O::first(&call, common.scope(ACCOUNT_ID)));
        }
        let region_id = parameters.given("RegionId").unwrap_or_default();
        O::resources(&parameters, Scope { account_id: ACCOUNT_ID, region_id }, &seen)
    }

    /// The parameters that a client token compares.
    pub(crate) fn compared<O: Operation>(&self) -> Vec<(&'static str, String)> {
        let texts = self.with(&json!({"Parameters": {"ClientToken": "t-1"}})).texts();
        let look_up = |name: &str| texts.get(name).map(String::as_str);
        let read = Common::parse::<O>(&Parameters::new(&look_up));
        let (common, call) = read.expect("a call in form");
        assert_eq!(common.client_token, Some("t-1"), "of an operation that changes something");
        O::compared(&call).into_iter().map(|(name, value)| (name, value.into_owned())).collect()
    }

    /// Runs the call; a refusal is returned as its code.
    pub(crate) fn run<O: Operation>(&self) -> Result<Passed, &'static str> {
        self.run_in_rounds::<O>().1.map_err(|refusal| refusal.row.code)
    }

    /// Runs the call and also returns the keys of each round of reading; a listing is `list` and
    /// its partition.
    pub(crate) fn run_in_rounds<O: Operation>(
        &self,
    ) -> (Vec<Vec<String>>, Result<Passed, Refusal>) {
        let (texts, documents) = (self.texts(), self.documents());
        let look_up = |name: &str| texts.get(name).map(String::as_str);
        let (common, call) = match Common::parse::<O>(&Parameters::new(&look_up)) {
            Ok(read) => read,
            Err(refusal) => return (Vec::new(), Err(refusal)),
        };
        let scope = common.scope(ACCOUNT_ID);
        let mut seen = Seen::default();
        let mut rounds = vec![read(&mut seen, &documents, O::first(&call, scope))];
        loop {
            let asked = match decide::<O>(&call, &common, &seen) {
                Ok(passed) => return (rounds, Ok(passed)),
                Err(Halt::Refused(refusal)) => return (rounds, Err(refusal)),
                Err(Halt::Read(keys)) => read(&mut seen, &documents, keys),
                Err(Halt::List) => {
                    let listing = O::listing(&call, scope).expect("an operation that lists");
                    let mut matching: Vec<_> = documents
                        .iter()
                        .filter(|document| document.key().partition() == listing.partition.text())
                        .filter(|document| (listing.matches)(document))
                        .cloned()
                        .collect();
                    matching.sort_by_key(|document| document.id());
                    let shown = matching.iter().enumerate();
                    let shown = shown.filter(|(position, _)| listing.page.shows(*position));
                    let page = shown.map(|(_, document)| document.clone()).collect();
                    seen.add_listed(Listed { total: matching.len(), page });
                    vec![format!("list {}", listing.partition.text())]
                }
            };
            rounds.push(asked);
            assert!(rounds.len() <= ROUNDS_MAX, "no more rounds: {rounds:?}");
        }
    }
}

/// Reads `keys` into `seen`.
fn read(seen: &mut Seen, documents: &[Resource], keys: Vec<Key>) -> Vec<String> {
    let texts = keys.iter().map(|key| key.text().to_owned()).collect();
    for key in keys {
        let document = documents.iter().find(|document| document.key() == key).cloned();
        seen.add(key, document);
    }
    texts
}

fn decide<O: Operation>(
    call: &O::Call<'_>,
    common: &Common<'_>,
    seen: &Seen,
) -> Result<Passed, Halt> {
    let outcome = O::decide(
        call,
        common.scope(ACCOUNT_ID),
        seen,
        &mut Fresh::new(NOW_SECS, &mut || ID_TAIL.into()),
    )?;
    let (answer, changes, taken) = match outcome {
        Outcome::Answer(answer) => (answer, Vec::new(), Vec::new()),
        Outcome::Commit { changes, answer, taken } => (answer, changes, taken),
    };
    assert_eq!(changes.is_empty(), !O::CHANGES, "a change is committed, a read not");
    if common.dry_run {
        return Err(Halt::Refused(row::<O>("DryRunOperation").into()));
    }
    // A commit removes only documents that were read.
    let removed = changes.iter().filter_map(|change| match change {
        Write::Delete(key) | Write::Check(key) => Some(key),
        Write::Put(_) => None,
    });
    let is_unread = |key: &&Key| seen.keys().all(|read| read != *key);
    let unread: Vec<_> = removed.filter(is_unread).cloned().collect();
    if !unread.is_empty() {
        return Err(Halt::Read(unread));
    }
    let remembered = serde_json::to_value(O::remember(&answer)).expect("texts are JSON");
    let answer = serde_json::to_value(answer).expect("an answer is JSON");
    if O::CHANGES {
        assert_eq!(remembered, answer, "a token remembers every element");
    }
    // Terraform crashes on a null, and an element cannot be missing.
    assert!(!answer.to_string().contains("null"), "{answer}");
    let elements = answer.as_object().expect("named elements").keys().map(String::as_str);
    let documented = O::JSON.iter().copied().filter(|name| *name != "RequestId");
    assert_eq!(elements.collect::<BTreeSet<_>>(), documented.collect::<BTreeSet<_>>());
    Ok(Passed { answer, changes, taken })
}

fn row<O: Operation>(code: &str) -> &'static ErrorRow {
    O::ERRORS.iter().find(|row| row.code == code).expect("a row of the operation")
}

fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        patch.clone_into(target);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let members = target.as_object_mut().unwrap();
    for (name, value) in patch {
        if value.is_null() {
            members.remove(name);
        } else {
            merge(members.entry(name.clone()).or_insert(Value::Null), value);
        }
    }
}

/// Checks that each fault, a change to a `sound` call, is answered with its code, and two faults
/// with the code that [`Operation::ERRORS`] lists first. `faults` has every error of a rule, in that
/// order; `elsewhere` has the errors that no rule returns. Returns the number of pairs tried: two
/// faults that overwrite one another are no pair.
pub(crate) fn check_order<O: Operation>(
    sound: &Trial,
    faults: &[(&str, Value)],
    elsewhere: &[&str],
) -> usize {
    let codes: Vec<_> = faults.iter().map(|(code, _)| *code).collect();
    let rules = O::ERRORS.iter().map(|row| row.code).filter(|code| !elsewhere.contains(code));
    assert_eq!(codes, rules.collect::<Vec<_>>());

    assert!(sound.run::<O>().is_ok(), "{:?}", sound.run::<O>());
    let (mut pairs, mut wrong) = (0, String::new());
    for (first, (winner, winning)) in faults.iter().enumerate() {
        let code = sound.with(winning).run::<O>().map(drop);
        assert_eq!(code, Err(*winner), "alone");
        for (loser, losing) in &faults[first + 1..] {
            let both = sound.with(winning).with(losing);
            if both.0 != sound.with(losing).with(winning).0 {
                continue;
            }
            pairs += 1;
            match both.run::<O>() {
                Err(code) if code == *winner => {}
                other => writeln!(wrong, "{winner} before {loser}: {other:?}").unwrap(),
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    pairs
}
