//! Changes to cases, decisions and rows of tables.

use serde_json::{Map, Value, json};

use super::finding::{
    CASE_ANSWER_CHANGED, CASE_SITUATION_CHANGED, CASE_STATE_CHANGED, CELL_CHANGED, DECISION_ADDED,
    DECISION_CHANGED, DECISION_REMOVED, HEADER_ADDED, HEADER_CHANGED, HEADER_REMOVED, ROW_ADDED,
    ROW_CHANGED, ROW_REMOVED, Rule,
};
use super::findings::{Findings, differing, pairs, without};
use crate::contract::Contract;
use crate::error::Result;

/// The members of a case that only explain it to readers.
pub(super) const CASE_WORDS: [&str; 3] = ["decision", "description", "page"];

/// The changes of a case: of its situation, its answer, or its words.
pub(super) fn case(all: &mut Findings<'_>, old: &Value, new: &Value) {
    let situation = |case| without(case, &[&CASE_WORDS[..], &["answer", "after"]].concat());
    members(all, &CASE_SITUATION_CHANGED, "situation", &situation(old), &situation(new));
    let (before, now) = (&old["answer"], &new["answer"]);
    let answer = |answer| without(answer, &["headers"]);
    members(all, &CASE_ANSWER_CHANGED, "answer", &answer(before), &answer(now));
    for (name, old, new) in pairs(&before["headers"], &now["headers"], "") {
        let at = format!("answer/headers/{name}");
        if !all.alone([&HEADER_REMOVED, &HEADER_ADDED], &at, old, new) {
            all.whole(&HEADER_CHANGED, &at, old, new);
        }
    }
    all.whole(&CASE_STATE_CHANGED, "after", &old["after"], &new["after"]);
    for name in CASE_WORDS {
        all.words(name, &old[name], &new[name]);
    }
}

/// Adds a change of an object, which shows the different members.
fn members(all: &mut Findings<'_>, rule: &'static Rule, at: &str, old: &Value, new: &Value) {
    let (old, new) = differing(old, new);
    all.whole(rule, at, &old, &new);
}

/// A case with its world inserted.
pub(super) fn whole(contract: &Contract, path: &str) -> Result<Value> {
    let mut case = contract.json(path)?;
    case["world"] = contract.world(&case["world"])?;
    Ok(case)
}

/// The changes of `decisions.md`.
pub(super) fn decisions(all: &mut Findings<'_>, old: &str, new: &str) {
    for (id, old, new) in pairs(&sections(old), &sections(new), "") {
        let (before, now) = (choice(old), choice(new));
        if !all.alone([&DECISION_REMOVED, &DECISION_ADDED], &id, &before, &now) {
            let is_same = before == now;
            all.whole(&DECISION_CHANGED, &id, &before, &now);
            if is_same {
                all.words(&id, old, new);
            }
        }
    }
}

/// The sections of decisions by their ids.
fn sections(text: &str) -> Value {
    let section = |part: &str| {
        let (id, rest) = part.split_once('\n')?;
        Some((id.trim().trim_matches('`').to_owned(), rest.trim().into()))
    };
    text.split("\n## ").skip(1).filter_map(section).collect::<Map<_, _>>().into()
}

/// The choice of a decision.
fn choice(section: &Value) -> Value {
    let Some(section) = section.as_str() else { return Value::Null };
    let from = section.split_once("**Choice.**").map_or(section, |(_, rest)| rest);
    from.split("\n**").next().unwrap_or(from).trim().into()
}

/// The changes of a decision table, cell by cell.
pub(super) fn decision_table(all: &mut Findings<'_>, old: &Value, new: &Value) {
    for (name, old, new) in pairs(&cells(old), &cells(new), "") {
        all.whole(&CELL_CHANGED, &name, old, new);
    }
    all.whole(&CELL_CHANGED, "calls", &old["calls"], &new["calls"]);
    for name in ["columns", "description"] {
        all.words(name, &old[name], &new[name]);
    }
}

/// The outcome of each combination.
fn cells(table: &Value) -> Value {
    let mut cells = Map::new();
    for row in table["rows"].as_array().into_iter().flatten() {
        let mut names = vec![String::new()];
        for column in ["token", "parameters", "address", "caller"] {
            let values = row[column].as_array().into_iter().flatten().filter_map(Value::as_str);
            let values: Vec<&str> = values.collect();
            names = names
                .iter()
                .flat_map(|name| values.iter().map(move |value| format!("{name}/{value}")))
                .collect();
        }
        let outcome = match row.get("impossible") {
            Some(_) => json!("impossible"),
            None => json!({ "answer": row["answer"], "after": row["after"] }),
        };
        for name in names {
            cells.insert(name.trim_start_matches('/').to_owned(), outcome.clone());
        }
    }
    cells.into()
}

/// The changes of a list of rows that have names.
fn rows(all: &mut Findings<'_>, key: &str, old: &Value, new: &Value) {
    for (name, old, new) in pairs(old, new, key) {
        if !all.alone([&ROW_REMOVED, &ROW_ADDED], &name, old, new) {
            let meant = |row| without(row, &["description"]);
            members(all, &ROW_CHANGED, &name, &meant(old), &meant(new));
            all.words(&name, &old["description"], &new["description"]);
        }
    }
}

/// The changes of a table of policies.
pub(super) fn policies(all: &mut Findings<'_>, old: &Value, new: &Value) {
    rows(all, "name", &old["rows"], &new["rows"]);
    all.words("description", &old["description"], &new["description"]);
}

/// The changes of `roles.json`.
pub(super) fn roles(all: &mut Findings<'_>, old: &Value, new: &Value) {
    rows(all, "role", &old["roles"], &new["roles"]);
    all.words("description", &old["description"], &new["description"]);
    all.whole(&ROW_CHANGED, "needNothing", &old["needNothing"], &new["needNothing"]);
}

/// The changes of a signature vector's file.
pub(super) fn signature(all: &mut Findings<'_>, old: &str, new: &str) {
    all.whole(&ROW_CHANGED, "", &old.into(), &new.into());
}
