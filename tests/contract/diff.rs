//! `contract diff`: each kind of change is found and classified.

use std::collections::{BTreeMap, BTreeSet};

use comrak::Arena;
use comrak::nodes::NodeValue;
use harness::contract::Contract;
use harness::diff::{RULES, Severity, compare};
use harness::judge::validator;
use serde_json::{Value, json};
use suites::command::copy;
use suites::command::{contract, printed};
use suites::scratch;

use crate::reading::{git, run};

/// A contract, and changes to it.
fn pairs() -> Value {
    serde_json::from_str(include_str!("diff/pairs.json")).unwrap()
}

/// The files of a contract that are written as JSON or as text.
pub(crate) fn files(written: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    };
    let written = written.as_object().unwrap().iter();
    written.map(|(path, value)| (path.clone(), text(value))).collect()
}

/// The base with changes made to it.
fn changed(base: &Value, changes: &Value) -> Value {
    let mut all = base.clone();
    for change in changes.as_array().unwrap() {
        let files = all.as_object_mut().unwrap();
        let (file, at) = (change["file"].as_str().unwrap(), change["at"].as_str().unwrap());
        if at.is_empty() {
            match change.get("to") {
                Some(to) => drop(files.insert(file.to_owned(), to.clone())),
                None => drop(files.remove(file).unwrap()),
            }
            continue;
        }
        let (inner, name) = at.rsplit_once('/').unwrap();
        match (files[file].pointer_mut(inner).unwrap(), change.get("to")) {
            (Value::Object(members), Some(to)) => drop(members.insert(name.to_owned(), to.clone())),
            (Value::Object(members), None) => drop(members.remove(name).unwrap()),
            (Value::Array(items), Some(to)) if items.len() == name.parse::<usize>().unwrap() => {
                items.push(to.clone());
            }
            (Value::Array(items), Some(to)) => items[name.parse::<usize>().unwrap()] = to.clone(),
            (Value::Array(items), None) => drop(items.remove(name.parse().unwrap())),
            (other, _) => panic!("{at}: {other}"),
        }
    }
    all
}

#[test]
fn each_change_falls_under_its_rule_and_every_rule_has_a_change() {
    let pairs = pairs();
    let base = Contract::of("base", files(&pairs["base"]));
    let (mut used, mut wrong, mut prints) = (BTreeSet::new(), Vec::new(), BTreeMap::new());
    for pair in pairs["pairs"].as_array().unwrap() {
        let name = pair["name"].as_str().unwrap();
        let new = Contract::of("new", files(&changed(&pairs["base"], &pair["changes"])));
        let findings = compare(&base, &new).unwrap().findings;
        let found: BTreeSet<String> = findings
            .iter()
            .map(|found| format!("{} {} {}", found.severity.name(), found.rule.id, found.place))
            .collect();
        let expected = pair["expected"].as_array().unwrap().iter();
        let expected: BTreeSet<String> =
            expected.map(|finding| finding.as_str().unwrap().to_owned()).collect();
        if found != expected {
            wrong.push(format!("{name}: expected {expected:#?}, found {found:#?}"));
        }
        for finding in findings {
            used.insert(finding.rule.id);
            assert!(finding.sentence.contains(finding.rule.says), "{}", finding.sentence);
            let said = (finding.rule.id, finding.place, finding.old, finding.new);
            let earlier = prints.insert(finding.fingerprint, said.clone());
            assert!(earlier.is_none_or(|earlier| earlier == said), "{name}: {said:?}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let unused: Vec<_> = RULES.iter().filter(|rule| !used.contains(rule.id)).collect();
    assert!(unused.is_empty(), "no change shows {unused:?}");
    assert!(pairs["pairs"].as_array().unwrap().len() >= 40);
}

#[test]
fn a_fingerprint_outlives_other_changes_and_the_way_files_are_written() {
    let pairs = pairs();
    let base = Contract::of("base", files(&pairs["base"]));
    let status = json!([{ "file": "Buy/errors.json", "at": "/errors/1/status", "to": 400 }]);
    let other = json!([
        { "file": "Buy/errors.json", "at": "/errors/0", "remove": true },
        { "file": "Buy/operation.json", "at": "/version", "to": "7" }
    ]);
    let found = |old: &Contract, new: &Value, is_pretty: bool| {
        let mut written = files(new);
        if is_pretty {
            let pretty = serde_json::to_string_pretty(&new["Buy/errors.json"]).unwrap();
            written.insert("Buy/errors.json".to_owned(), format!("\n\n{pretty}\n"));
        }
        let findings = compare(old, &Contract::of("new", written)).unwrap().findings;
        let status = findings.into_iter().find(|finding| finding.rule.id == "status-changed");
        status.unwrap().fingerprint
    };
    let alone = changed(&pairs["base"], &status);
    let first = found(&base, &alone, false);
    assert_eq!(found(&base, &alone, true), first);
    // As after a rebase onto other changes, and beside them.
    let moved = changed(&pairs["base"], &other);
    let rebased = changed(&alone, &other);
    assert_eq!(found(&Contract::of("moved", files(&moved)), &rebased, false), first);
    assert_eq!(found(&base, &rebased, false), first);
    let further = json!([{ "file": "Buy/errors.json", "at": "/errors/1/status", "to": 410 }]);
    assert_ne!(found(&base, &changed(&pairs["base"], &further), false), first);
}

#[test]
fn a_kind_of_file_that_only_one_side_has_is_listed_and_not_compared() {
    let pairs = pairs();
    let mut less = files(&pairs["base"]);
    less.retain(|path, _| path.ends_with("operation.json") || path.ends_with("errors.json"));
    let found = compare(&Contract::of("less", less), &Contract::of("all", files(&pairs["base"])));
    let found = found.unwrap();
    assert_eq!(found.findings, []);
    assert!(found.not_compared.contains(&"cases"), "{found:?}");
}

/// Runs `contract diff` in JSON, which fits its schema.
fn diff(arguments: &[&str]) -> (Option<i32>, Value) {
    let output = contract(&[&["diff", "--format", "json"], arguments].concat());
    let got = serde_json::from_slice(&output.stdout);
    let got: Value = got.unwrap_or_else(|_| panic!("{}", printed(&output)));
    let schema = validator(&Contract::embedded(), "common/schemas/changes.json").unwrap();
    schema.validate(&got).unwrap_or_else(|error| panic!("{error}: {got}"));
    (output.status.code(), got)
}

#[test]
fn the_changes_since_the_older_page_are_the_reviewed_ones() {
    let (code, got) = diff(&["history/2021"]);
    assert_eq!(code, Some(1));
    let findings = got["findings"].as_array().unwrap().iter();
    let lines: Vec<String> = findings
        .map(|finding| {
            let text = |name: &str| finding[name].as_str().unwrap().to_owned();
            format!("{} {} {}", text("severity"), text("rule"), text("sentence"))
        })
        .collect();
    insta::assert_snapshot!("since_2021", lines.join("\n"));
}

#[test]
fn an_approval_passes_its_breaking_change_and_no_other() {
    let (old, new) = (scratch(), scratch());
    let file = "AllocateIpv6InternetBandwidth/errors.json";
    let right = Contract::embedded().text(file).unwrap().to_owned();
    let wrong =
        right.replace("\"The param of Bandwidth is illegal.\"", "\"Bandwidth is illegal.\"");
    copy(old.path(), &[]);
    copy(new.path(), &[(file, &wrong)]);
    let places = [old.path().to_str().unwrap(), new.path().to_str().unwrap()];
    let (code, got) = diff(&places);
    assert_eq!((code, &got["holds"]), (Some(1), &json!(false)), "{got}");
    assert_eq!(got["findings"][0]["rule"], "message-changed");

    let output = contract(&[&["diff", "--approve", "a new wording"], &places[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    let approvals = Contract::in_folder(new.path()).unwrap().json("approved-changes.json").unwrap();
    let schema = validator(&Contract::embedded(), "common/schemas/approved-changes.json").unwrap();
    schema.validate(&approvals).unwrap();
    let (code, got) = diff(&places);
    assert_eq!((code, &got["holds"]), (Some(0), &json!(true)), "{got}");
    assert_eq!(got["findings"][0]["approved"], "a new wording");

    // Another wording is another change, which the approval does not cover.
    let another = right.replace("\"The param of Bandwidth is illegal.\"", "\"Illegal.\"");
    let path = Contract::in_folder(new.path()).unwrap().origin().to_owned();
    std::fs::write(format!("{path}/{file}"), another).unwrap();
    let (code, got) = diff(&places);
    assert_eq!((code, &got["holds"]), (Some(1), &json!(false)), "{got}");
    assert_eq!(got["staleApprovals"].as_array().unwrap().len(), 1);

    std::fs::create_dir(new.path().join(".git")).unwrap();
    let outputs = ["text", "markdown", "github"]
        .map(|format| printed(&contract(&[&["diff", "--format", format], &places[..]].concat())));
    for (got, part) in outputs.iter().zip([
        "breaking message-changed AllocateIpv6InternetBandwidth/errors.json#IllegalParam.Bandwidth",
        "| breaking | `message-changed` |",
        "::error file=AllocateIpv6InternetBandwidth/errors.json,title=message-changed::",
    ]) {
        assert!(got.contains(part), "{got}");
    }
}

#[test]
fn a_comment_quotes_hostile_text_as_plain_code() {
    let hostile = "@octocat fixes #1 | a `b` <b>c</b> </code> [d](https://e) https://f.g ![h](i) \
                   **j** \\| ::error::k ##[error]l\n::error::m &amp; -- \u{200b}n";
    let (old, new) = (scratch(), scratch());
    let file = "AllocateIpv6InternetBandwidth/errors.json";
    let mut errors = Contract::embedded().json(file).unwrap();
    errors["errors"][0]["message"] = hostile.into();
    copy(old.path(), &[]);
    copy(new.path(), &[(file, &errors.to_string())]);
    let places = [old.path().to_str().unwrap(), new.path().to_str().unwrap()];
    let output = contract(&[&["diff", "--format", "markdown"], &places[..]].concat());
    let markdown = printed(&output);
    assert!(markdown.contains("octocat"), "{markdown}");
    let arena = Arena::new();
    let mut options = comrak::Options::default();
    options.extension.table = true;
    options.extension.autolink = true;
    let document = comrak::parse_document(&arena, &markdown, &options);
    let (mut rows, mut is_code) = (0, false);
    for node in document.descendants() {
        match &node.data().value {
            NodeValue::TableRow(_) => {
                rows += 1;
                assert_eq!(node.children().count(), 5, "{markdown}");
            }
            NodeValue::Link(_) | NodeValue::Image(_) => panic!("a link: {markdown}"),
            // In a code span GitHub recognises no names and numbers.
            NodeValue::HtmlInline(tag) => match tag.as_str() {
                "<code>" => is_code = true,
                "</code>" => is_code = false,
                tag => assert_eq!(tag, "<br>", "{markdown}"),
            },
            NodeValue::Text(text) => {
                assert!(is_code || !text.contains(['@', '#']), "{text}: {markdown}");
            }
            _ => {}
        }
    }
    // Its heading, too.
    assert_eq!(rows, 2, "{markdown}");
    assert!(markdown.lines().all(|line| !line.trim_start().starts_with("::")), "{markdown}");
    assert!(!markdown.contains("##["), "{markdown}");
}

#[test]
fn a_long_comment_is_cut_to_the_limit_and_counts_what_it_leaves_out() {
    let (old, new) = (scratch(), scratch());
    let file = "common/errors.json";
    let mut errors = Contract::embedded().json(file).unwrap();
    for row in errors["errors"].as_array_mut().unwrap() {
        for name in ["message", "filled", "description", "source"] {
            row[name] = format!("{} {}", row[name], "ä".repeat(400)).into();
        }
    }
    copy(old.path(), &[]);
    copy(new.path(), &[(file, &errors.to_string())]);
    let places = [old.path().to_str().unwrap(), new.path().to_str().unwrap()];
    let markdown = printed(&contract(&[&["diff", "--format", "markdown"], &places[..]].concat()));
    let chars = markdown.chars().count();
    assert!(chars < 65_536, "{chars}");
}

#[test]
fn contracts_that_cannot_be_compared_are_errors() {
    let folder = scratch();
    let file = "AllocateIpv6InternetBandwidth/operation.json";
    copy(folder.path(), &[(file, "{\n  \"action\": 7,\n}")]);
    let place = folder.path().to_str().unwrap();
    for (arguments, code, got) in [
        (&["diff"][..], 3, "<OLD>"),
        (&["diff", "no-such-place"], 2, "no-such-place: neither a folder nor a git revision"),
        (&["diff", place], 2, "operation.json:3:1: "),
        (&["diff", "history/2021", "--approve", "why"], 2, "--approve: contracts"),
    ] {
        let output = contract(arguments);
        let printed = printed(&output);
        assert_eq!(output.status.code(), Some(code), "{printed}");
        assert!(printed.contains(got), "{got}\n{printed}");
    }
    let rules = printed(&contract(&["diff", "--rules"]));
    assert!(RULES.iter().all(|rule| rules.contains(rule.id)), "{rules}");
    assert!(RULES.iter().any(|rule| rule.severity == Severity::Cosmetic));
}

#[test]
fn a_first_contract_is_additive_unless_the_base_has_one_at_another_path() {
    let folder = scratch();
    let place = |name: &str| folder.path().join(name);
    for name in ["empty", "new", "base/api/v1/own"] {
        std::fs::create_dir_all(place(name)).unwrap();
    }
    copy(&place("new"), &[]);
    copy(&place("base/api/v1/own"), &[]);
    git(&place("empty"), &["init", "-q", "-b", "main"]);
    git(&place("empty"), &["commit", "-q", "--allow-empty", "-m", "none"]);
    git(&place("base"), &["init", "-q", "-b", "main"]);
    git(&place("base"), &["add", "-A"]);
    git(&place("base"), &["commit", "-q", "-m", "one"]);
    let new = place("new").to_str().unwrap().to_owned();
    for base in ["main", "main:contracts", "."] {
        let (code, got) = run(&place("empty"), &["diff", base, &new]);
        assert_eq!(code, 0, "{base}: {got}");
        assert!(
            got.contains("no contract there yet") && got.contains("0 breaking, 4 additive"),
            "{got}"
        );
        assert!(!got.contains("not compared"), "{got}");
        let page = place("page.html");
        let (code, got) =
            run(&place("empty"), &["review", base, &new, "--output", page.to_str().unwrap()]);
        assert_eq!(code, 0, "{base}: {got}");
    }
    for base in ["main:contracts", "."] {
        let (code, got) = run(&place("base"), &["diff", base, &new]);
        assert_eq!(code, 2, "{base}: {got}");
        assert!(got.contains("api/v1/own"), "{base}: {got}");
    }
    let (code, got) = run(&place("base"), &["diff", "main", &new]);
    assert_eq!(code, 0, "{got}");
    assert!(got.contains("0 breaking, 0 additive"), "{got}");
}
