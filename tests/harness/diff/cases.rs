//! Changes to what holds the contract: cases, reviewed answers, decisions and rows of tables.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::finding::{
    CASE_ANSWER_CHANGED, CASE_SITUATION_CHANGED, CASE_STATE_CHANGED, CELL_CHANGED, DECISION_ADDED,
    DECISION_CHANGED, DECISION_REMOVED, Finding, HEADER_ADDED, HEADER_CHANGED, HEADER_REMOVED,
    ROW_ADDED, ROW_CHANGED, ROW_REMOVED, SNAPSHOT_CHANGED,
};
use super::{changed_text, named};
use crate::contract::Contract;

/// Members of a case that only say something to readers.
const CASE_WORDS: [&str; 3] = ["decision", "description", "page"];

/// The changes of a case: another situation, another answer, or other words.
pub(super) fn case(file: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    let situation = |case: &Value| {
        let mut members = case.as_object().cloned().unwrap_or_default();
        members.retain(|name, _| {
            !CASE_WORDS.contains(&name.as_str()) && name != "answer" && name != "after"
        });
        members
    };
    let (before, now) = (situation(old), situation(new));
    if before != now {
        let (old, new) = differing(&before, &now);
        all.push(Finding::new(&CASE_SITUATION_CHANGED, &format!("{file}#situation"), old, new));
    }
    all.extend(answer(file, &old["answer"], &new["answer"]));
    if old["after"] != new["after"] {
        let (old, new) = (old["after"].clone(), new["after"].clone());
        all.push(Finding::new(&CASE_STATE_CHANGED, &format!("{file}#after"), old, new));
    }
    for name in CASE_WORDS {
        all.extend(changed_text(&format!("{file}#{name}"), &old[name], &new[name]));
    }
    all
}

fn answer(file: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    let without_headers = |answer: &Value| {
        let mut members = answer.as_object().cloned().unwrap_or_default();
        members.remove("headers");
        members
    };
    let (before, now) = (without_headers(old), without_headers(new));
    if before != now {
        let (old, new) = differing(&before, &now);
        all.push(Finding::new(&CASE_ANSWER_CHANGED, &format!("{file}#answer"), old, new));
    }
    let none = Map::new();
    let headers = |answer: &Value| answer["headers"].as_object().unwrap_or(&none).clone();
    let (old, new) = (headers(old), headers(new));
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let rule = match (old.get(name), new.get(name)) {
            (Some(old), Some(new)) if old == new => continue,
            (Some(_), Some(_)) => &HEADER_CHANGED,
            (Some(_), None) => &HEADER_REMOVED,
            (None, _) => &HEADER_ADDED,
        };
        let value = |of: &Map<String, Value>| of.get(name).cloned().unwrap_or_default();
        let place = format!("{file}#answer/headers/{name}");
        all.push(Finding::new(rule, &place, value(&old), value(&new)));
    }
    all
}

/// The members in which two objects differ.
fn differing(old: &Map<String, Value>, new: &Map<String, Value>) -> (Value, Value) {
    let only = |one: &Map<String, Value>, other: &Map<String, Value>| {
        let members = one.iter().filter(|(name, value)| other.get(*name) != Some(value));
        Value::from(members.map(|(k, v)| (k.clone(), v.clone())).collect::<Map<_, _>>())
    };
    (only(old, new), only(new, old))
}

/// The text of a snapshot. A case without one of its own has the one that the cases of its code
/// share.
pub(super) fn snapshot_text<'a>(contract: &'a Contract, path: &str) -> Option<&'a str> {
    let shared = || {
        let (stem, name) = path.strip_suffix(".snap")?.split_once('@')?;
        let case = format!("{}/{name}.json", stem.replacen("/snapshots/", "/cases/", 1));
        contract.text(&case).and_then(|_| contract.text(&format!("{stem}.snap")))
    };
    contract.text(path).or_else(shared)
}

/// The changes of a file of reviewed answers.
pub(super) fn snapshot(file: &str, old: &str, new: &str) -> Vec<Finding> {
    // Before the answers stands what was said of the case when they were reviewed.
    let parts = |text: &str| {
        let (head, answers) = text.split_once("\n---\n").unwrap_or(("", text));
        (head.to_owned(), answers.to_owned())
    };
    let ((old_head, old), (new_head, new)) = (parts(old), parts(new));
    if old != new {
        return vec![Finding::new(&SNAPSHOT_CHANGED, file, old.into(), new.into())];
    }
    changed_text(&format!("{file}#description"), &old_head.into(), &new_head.into())
        .into_iter()
        .collect()
}

/// The changes of `decisions.md`.
pub(super) fn decisions(file: &str, old: &str, new: &str) -> Vec<Finding> {
    let (old, new) = (sections(old), sections(new));
    let ids: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut all = Vec::new();
    for id in ids {
        let place = format!("{file}#{id}");
        match (old.get(id), new.get(id)) {
            (Some(old), Some(new)) => {
                let (before, now) = (choice(old), choice(new));
                if before == now {
                    all.extend(changed_text(&place, &(*old).into(), &(*new).into()));
                } else {
                    all.push(Finding::new(&DECISION_CHANGED, &place, before.into(), now.into()));
                }
            }
            (Some(old), None) => {
                let old = choice(old).into();
                all.push(Finding::new(&DECISION_REMOVED, &place, old, Value::Null));
            }
            (None, new) => {
                let new = new.map(|new| choice(new)).unwrap_or_default().into();
                all.push(Finding::new(&DECISION_ADDED, &place, Value::Null, new));
            }
        }
    }
    all
}

/// The sections of decisions by their ids.
fn sections(text: &str) -> BTreeMap<String, &str> {
    let parts = text.split("\n## ").skip(1);
    let section = |part| {
        let part: &str = part;
        let (id, rest) = part.split_once('\n')?;
        Some((id.trim().trim_matches('`').to_owned(), rest.trim()))
    };
    parts.filter_map(section).collect()
}

/// What a decision chooses.
fn choice(section: &str) -> &str {
    let from = section.split_once("**Choice.**").map_or(section, |(_, rest)| rest);
    from.split("\n**").next().unwrap_or(from).trim()
}

/// The changes of a decision table, cell by cell.
pub(super) fn decision_table(file: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    let (old_cells, new_cells) = (cells(old), cells(new));
    let names: BTreeSet<&String> = old_cells.keys().chain(new_cells.keys()).collect();
    for name in names {
        let (old, new) = (old_cells.get(name), new_cells.get(name));
        if old != new {
            let value = |cell: Option<&Value>| cell.cloned().unwrap_or_default();
            let place = format!("{file}#{name}");
            all.push(Finding::new(&CELL_CHANGED, &place, value(old), value(new)));
        }
    }
    if old["calls"] != new["calls"] {
        let (old, new) = (old["calls"].clone(), new["calls"].clone());
        all.push(Finding::new(&CELL_CHANGED, &format!("{file}#calls"), old, new));
    }
    for name in ["columns", "description"] {
        all.extend(changed_text(&format!("{file}#{name}"), &old[name], &new[name]));
    }
    all
}

/// What each combination comes to.
fn cells(table: &Value) -> BTreeMap<String, Value> {
    let columns = ["token", "parameters", "address", "caller"];
    let mut cells = BTreeMap::new();
    for row in table["rows"].as_array().into_iter().flatten() {
        let mut names = vec![String::new()];
        for column in columns {
            let values = row[column].as_array().into_iter().flatten().filter_map(Value::as_str);
            let values: Vec<&str> = values.collect();
            names = names
                .iter()
                .flat_map(|name| values.iter().map(move |value| format!("{name}/{value}")))
                .collect();
        }
        let comes_to = match row.get("impossible") {
            Some(_) => json!("impossible"),
            None => json!({ "answer": row["answer"], "after": row["after"] }),
        };
        for name in names {
            cells.insert(name.trim_start_matches('/').to_owned(), comes_to.clone());
        }
    }
    cells
}

/// The changes of a list of rows that have names.
pub(super) fn rows(file: &str, list: &str, key: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = Vec::new();
    for (name, pair) in named(&old[list], &new[list], key) {
        let place = format!("{file}#{name}");
        match pair {
            (Some(old), Some(new)) => {
                let meant = |row: &Value| {
                    let mut members = row.as_object().cloned().unwrap_or_default();
                    members.remove("description");
                    members
                };
                let (before, now) = (meant(old), meant(new));
                if before != now {
                    let (old, new) = differing(&before, &now);
                    all.push(Finding::new(&ROW_CHANGED, &place, old, new));
                }
                all.extend(changed_text(&place, &old["description"], &new["description"]));
            }
            (Some(old), None) => {
                all.push(Finding::new(&ROW_REMOVED, &place, old.clone(), Value::Null));
            }
            (None, new) => {
                let new = new.cloned().unwrap_or_default();
                all.push(Finding::new(&ROW_ADDED, &place, Value::Null, new));
            }
        }
    }
    all.extend(changed_text(
        &format!("{file}#description"),
        &old["description"],
        &new["description"],
    ));
    all
}

/// The changes of `roles.json`.
pub(super) fn roles(file: &str, old: &Value, new: &Value) -> Vec<Finding> {
    let mut all = rows(file, "roles", "role", old, new);
    if old["needNothing"] != new["needNothing"] {
        let (old, new) = (old["needNothing"].clone(), new["needNothing"].clone());
        all.push(Finding::new(&ROW_CHANGED, &format!("{file}#needNothing"), old, new));
    }
    all
}
