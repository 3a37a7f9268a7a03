//! An operation has three places: one file of rules, one line in the table of operations, one
//! folder of the contract. Nothing else under `functions/` or in the harness names an operation.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use harness::contract::Contract;
use harness::operations::{Operation, Operations};
use serde_json::Value;

/// The files that may name operations, with the reason. A file that names none must leave the list.
const ALLOWED: &[(&str, &str)] = &[
    (
        "functions/allocation/src/error.rs",
        "the readers of parameters raise these rows for every operation that pages",
    ),
    ("functions/allocation/src/operation.rs", "the example in the documentation"),
    (
        "functions/ipv6-gateway/src/operations.rs",
        "the names of the product's actions, by which one that is not built says so",
    ),
    ("functions/local-endpoint/src/banner.rs", "the samples that the endpoint prints at start"),
    ("functions/local-endpoint/src/command.rs", "the sample call in the help of the command"),
];

/// Whether a file belongs to operations or shows them to people: their rules, the table of
/// operations, the demo world, and tests.
fn is_exempt(path: &str) -> bool {
    path.starts_with("functions/allocation/src/operations")
        || path.starts_with("functions/local-endpoint/src/demo-world")
        || path.contains("/tests/")
        || path.ends_with("/tests.rs")
        || path.contains("/benches/")
}

/// The texts that belong to one operation alone, with their kind.
fn of_one() -> BTreeMap<String, &'static str> {
    let contract = Contract::embedded();
    let operations = Operations::read(&contract).unwrap();
    let actions = operations.all().iter().map(|operation| operation.action.clone());
    let mut all: BTreeMap<String, &str> = actions.map(|action| (action, "an action")).collect();

    let documents = |code: &str| {
        let has = |operation: &&Operation| operation.error(code).is_some();
        operations.all().iter().filter(has).count()
    };
    for operation in operations.all() {
        let codes = operation.errors.iter().map(|row| &row.code);
        let own = codes.filter(|code| documents(code) == 1);
        let is_common = |code: &str| operations.gate().iter().any(|row| row.code == code);
        let own = own.filter(|code| !is_common(code));
        all.extend(own.map(|code| (code.clone(), "a code of one operation")));
    }

    let elements = |operation: &Operation| {
        let mut names = BTreeSet::new();
        let path = format!("{}/schemas/success.json", operation.action);
        properties(&contract.json(&path).unwrap(), &mut names);
        names
    };
    let mut shared = BTreeSet::new();
    for path in contract.paths().filter(|path| path.starts_with("common/schemas/")) {
        properties(&contract.json(path).unwrap(), &mut shared);
    }
    for operation in operations.all() {
        let others = operations.all().iter().filter(|other| other.action != operation.action);
        let others: BTreeSet<String> = others.flat_map(elements).collect();
        let own = elements(operation).into_iter();
        let own = own.filter(|name| !others.contains(name) && !shared.contains(name));
        // A parameter that operations share is no element of one.
        let is_parameter = |name: &String| {
            let mut takes = operations.all().iter().flat_map(Operation::accepted);
            takes.any(|parameter| parameter.name == *name)
        };
        all.extend(own.filter(|name| !is_parameter(name)).map(|name| (name, "an element")));
    }
    all
}

/// The names of all properties in a schema.
fn properties(schema: &Value, names: &mut BTreeSet<String>) {
    match schema {
        Value::Object(members) => {
            for (name, value) in members {
                if let ("properties", Value::Object(properties)) = (name.as_str(), value) {
                    names.extend(properties.keys().cloned());
                }
                properties(value, names);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| properties(item, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The sources below a folder.
fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let extension = path.extension().and_then(|extension| extension.to_str());
        if path.is_dir() && name != "target" {
            sources(&path, found);
        } else if matches!(extension, Some("rs" | "json")) {
            found.push(path);
        }
    }
}

/// Whether a text has a word of its own.
fn names(text: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + word.len()..].chars();
        // A full stop may end a sentence.
        let (next, then) = (after.next(), after.next());
        let goes_on = next.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_')
            || next == Some('.') && then.is_some_and(is_part);
        !before.is_some_and(is_part) && !goes_on
    })
}

#[test]
fn nothing_outside_of_its_three_places_names_an_operation() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").canonicalize().unwrap();
    let mut files = Vec::new();
    sources(&root.join("functions"), &mut files);
    sources(&root.join("tests/harness"), &mut files);
    let words = of_one();
    assert!(words.len() > 20, "{words:?}");
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for file in files {
        let path = file.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
        if is_exempt(&path) {
            continue;
        }
        let text = std::fs::read_to_string(&file).unwrap();
        // Samples in tests are not part of the programs.
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (word, what) in &words {
            // An element is a text; a type may have its name.
            let word = if *what == "an element" { &format!("\"{word}\"") } else { word };
            if names(text, word) {
                found.entry(path.clone()).or_default().push(format!("{what}: {word}"));
            }
        }
    }
    let allowed: BTreeMap<&str, &str> = ALLOWED.iter().copied().collect();
    let wrong: Vec<String> = found
        .iter()
        .filter(|(path, _)| !allowed.contains_key(path.as_str()))
        .map(|(path, found)| format!("{path} names {}", found.join(", ")))
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    for (path, reason) in ALLOWED {
        assert!(!reason.is_empty(), "{path}: no reason");
        assert!(
            found.contains_key(*path),
            "{path} names no operation and needs no place in ALLOWED"
        );
    }
}
