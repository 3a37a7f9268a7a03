//! Changes to the meaning of reviewed answers.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::finding::{Finding, HEADER_ADDED, SNAPSHOT_ADDED, SNAPSHOT_CHANGED};
use super::findings::{Findings, pairs, without};
use crate::contract::Contract;
use crate::judge::{is_same_header, meaning};

/// The text of a snapshot. A case without its own has the shared one of its code.
pub(super) fn text<'a>(contract: &'a Contract, path: &str) -> Option<&'a str> {
    let shared = || {
        let (stem, name) = path.strip_suffix(".snap")?.split_once('@')?;
        let case = format!("{}/{name}.json", stem.replacen("/snapshots/", "/cases/", 1));
        contract.text(&case).and_then(|_| contract.text(&format!("{stem}.snap")))
    };
    contract.text(path).or_else(shared)
}

/// The changes of a file of reviewed answers.
pub(super) fn snapshot(all: &mut Findings<'_>, old: &str, new: &str) {
    let ((old_head, before), (new_head, now)) = (parts(old), parts(new));
    match changes(all.file(), before, now) {
        Some(changes) if changes.is_empty() => {
            all.words("answers", &json!(before), &json!(now));
            all.words("description", &json!(old_head), &json!(new_head));
        }
        Some(changes) => all.all.extend(changes),
        None => all.add(&SNAPSHOT_CHANGED, "", &json!(before), &json!(now)),
    }
}

/// Whether two snapshots have answers with the same meaning.
pub(super) fn is_same(old: &str, new: &str) -> bool {
    changes("", parts(old).1, parts(new).1).is_some_and(|changes| changes.is_empty())
}

/// The header, which describes the reviewed case, and the answers.
fn parts(text: &str) -> (&str, &str) {
    text.split_once("\n---\n").unwrap_or(("", text))
}

/// The additions of the new answers; `None` if they are not additions only.
fn changes(file: &str, old: &str, new: &str) -> Option<Vec<Finding>> {
    if old == new {
        return Some(Vec::new());
    }
    let (mut before, now) = (answers(old)?, answers(new)?);
    let mut changes = Vec::new();
    for (format, now) in now {
        let Some(before) = before.remove(format) else {
            changes.push(Finding::new(
                &SNAPSHOT_ADDED,
                &format!("{file}#{format}"),
                Value::Null,
                Value::Null,
            ));
            continue;
        };
        if before.len() != now.len() {
            return None;
        }
        for (number, (before, now)) in before.iter().zip(&now).enumerate() {
            if without(before, &["headers"]) != without(now, &["headers"]) {
                return None;
            }
            for (name, old, new) in pairs(&before["headers"], &now["headers"], "") {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                let place = format!("{file}#{format}/{}/{name}", number + 1);
                if old.is_null() {
                    changes.push(Finding::new(&HEADER_ADDED, &place, Value::Null, new.clone()));
                } else if new.is_null() || !is_same_header(&name, &text(old), &text(new)) {
                    return None;
                }
            }
        }
    }
    before.is_empty().then_some(changes)
}

/// The answers by format; `None` if they cannot be read.
fn answers(text: &str) -> Option<BTreeMap<&str, Vec<Value>>> {
    let text = text.trim_start().strip_prefix("== ")?;
    let sections = text.split("\n== ").map(|section| {
        let (format, answers) = section.split_once('\n')?;
        Some((format.trim(), meaning(answers)?))
    });
    sections.collect()
}
