//! The decisions: each is cited, and each citation names an existing one.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use harness::contract::Contract;
use harness::decisions::decisions;

/// The ids of the decisions, in their order.
pub(crate) fn ledger() -> Vec<String> {
    let contract = Contract::embedded();
    decisions(&contract).filter_map(|decision| decision.id().map(str::to_owned)).collect()
}

/// The ids that a text cites as "decision `id`", or "decisions `id` and `id`".
fn cited(text: &str) -> BTreeSet<String> {
    // A comment may break a line between the words.
    let words = text.replace("///", " ").replace("//!", " ").replace("//", " ");
    let words: Vec<&str> = words.split_whitespace().collect();
    let mut ids = BTreeSet::new();
    for (position, word) in words.iter().enumerate() {
        if !matches!(word.trim_start_matches('('), "decision" | "decisions") {
            continue;
        }
        for word in &words[position + 1..] {
            if let Some((id, after)) = word.strip_prefix('`').and_then(|word| word.split_once('`'))
            {
                ids.insert(id.to_owned());
                // A list continues after a comma, or with "and".
                if !matches!(after, "" | ",") {
                    break;
                }
            } else if *word != "and" {
                break;
            }
        }
    }
    ids
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// Every citation, with its place.
fn citations() -> Vec<(String, String)> {
    let functions = Path::new(env!("CARGO_MANIFEST_DIR")).join("../functions");
    let mut files = Vec::new();
    sources(&functions, &mut files);
    let mut citations = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        citations.extend(cited(&text).into_iter().map(|id| (id, file.display().to_string())));
    }
    for case in Contract::embedded().cases().unwrap() {
        citations.extend(case.decision.clone().map(|id| (id, case.path.clone())));
    }
    citations
}

#[test]
fn a_citation_is_found_across_lines_and_in_lists() {
    let text =
        "/// As it is (decision\n/// `one`), and so (decisions `two` and `three`). A decision.";
    assert_eq!(cited(text), BTreeSet::from(["one", "two", "three"].map(str::to_owned)));
}

#[test]
fn every_citation_is_of_a_decision() {
    let ledger = ledger();
    for (id, place) in citations() {
        assert!(
            ledger.contains(&id),
            "{place} cites the decision {id}, which is not in the ledger"
        );
    }
}

#[test]
fn every_decision_is_cited_and_given_once() {
    let citations = citations();
    let ledger = ledger();
    assert!(ledger.len() > 40, "the ledger was read: {ledger:?}");
    for id in &ledger {
        assert_eq!(ledger.iter().filter(|other| *other == id).count(), 1, "{id} is given twice");
        assert!(citations.iter().any(|(cited, _)| cited == id), "nothing cites the decision {id}");
    }
}
