//! `lint` names each spoilt file, the place in it and the fix. An ambiguous contract ends every
//! command; an inconsistent one fails `lint` alone.

use harness::contract::Contract;
use harness::lint::{Class, problems};
use serde::Deserialize;
use suites::scratch;

use crate::reading::{run, small, write};

const A: &str = "AllocateIpv6InternetBandwidth";

/// The spoilt files, by theme. Each row has a file (`A/` is the action), a text in it and the
/// replacement of its first occurrence (an empty text: the whole file), what it stops (`every
/// command` or `lint`), and a part of the message.
#[derive(Deserialize)]
struct Spoilt {
    rows: Vec<[String; 5]>,
}

/// A case of a success whose parameters are those in `changed`.
fn success(changed: &str) -> String {
    let mut query = serde_json::json!({
        "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-free", "Bandwidth": "200"
    });
    for pair in changed.split('&') {
        let (name, value) = pair.split_once('=').unwrap();
        query[name] = value.into();
    }
    serde_json::json!({
        "description": "d", "decision": "missing", "world": { "from": "one-address" },
        "request": { "query": query }, "answer": { "status": 200 }
    })
    .to_string()
}

#[test]
fn each_spoilt_file_is_reported_with_its_fix() {
    let folder = scratch();
    small(folder.path());
    let whole = Contract::in_folder(folder.path()).unwrap();
    let told_of = |contract: &Contract| -> Vec<(bool, String)> {
        let problems = problems(contract).into_iter();
        problems
            .map(|problem| (problem.class == Class::Ambiguous, format!("{problem}\n")))
            .collect()
    };
    let as_it_was = told_of(&whole);
    let mut wrong = Vec::new();
    let spoilt: Vec<Spoilt> = serde_json::from_str(include_str!("lint/spoilt.json")).unwrap();
    let rows: Vec<[String; 5]> = spoilt.into_iter().flat_map(|group| group.rows).collect();
    for [path, old, new, stops, printed] in &rows {
        let path = path.replacen("A/", &format!("{A}/"), 1);
        let text = match (whole.text(&path), old.as_str()) {
            (_, "") if path.ends_with("Success/x.json") => success(new),
            (_, "") => new.clone(),
            (Some(before), old) => before.replacen(old, new, 1),
            (None, _) => panic!("there is no {path}"),
        };
        let stops_all = stops == "every command";
        assert!(stops_all || stops == "lint", "{stops}");
        assert_ne!(Some(text.as_str()), whole.text(&path), "{path} has no {old}");
        let mut files = whole.files().clone();
        files.insert(path.clone(), text);
        let spoilt = told_of(&Contract::of("own", files));
        let is_told = spoilt
            .iter()
            .any(|(is_ambiguous, problem)| problem.contains(printed) && *is_ambiguous == stops_all);
        let is_alone = stops_all || !spoilt.iter().any(|(is_ambiguous, _)| *is_ambiguous);
        if !is_told || !is_alone || as_it_was.iter().any(|(_, problem)| problem.contains(printed)) {
            let more = spoilt.iter().filter(|problem| !as_it_was.contains(problem));
            let more: Vec<&str> = more.map(|(_, problem)| problem.as_str()).collect();
            wrong.push(format!(
                "{path}: {old:?} -> {new:?}: not {printed}, but:\n{}",
                more.concat()
            ));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn ambiguity_ends_every_command_and_inconsistency_fails_lint_alone() {
    let folder = scratch();
    let own = folder.path().join("own");
    small(&own);
    write(&own, "format.json", "\u{feff}{ \"format\": 2 }".as_bytes());
    let spoil = |old: &str, new: &str| {
        let path = format!("{A}/schemas/success.json");
        let text = std::fs::read_to_string(own.join(&path)).unwrap();
        assert!(text.contains(old), "{old}");
        write(&own, &path, text.replacen(old, new, 1).as_bytes());
    };
    let own_place = ["--contracts", "own"];
    let commands: [&[&str]; 5] = [
        &["list"],
        &["coverage"],
        &["diff", "own"],
        &["unpack", "new"],
        &["verify", "--in-process"],
    ];
    spoil(
        "\"type\": \"object\"",
        "\"type\": \"object\", \"minProperties\": 9, \"maxProperties\": 8",
    );
    let (code, text) = run(folder.path(), &[&["lint"][..], &own_place].concat());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(&format!("own/{A}/schemas/success.json: no value fits")), "{text}");
    assert!(text.contains("own/format.json: it begins with a byte order mark"), "{text}");
    for arguments in commands {
        let (code, text) = run(folder.path(), &[arguments, &own_place].concat());
        assert_ne!(code, 2, "{arguments:?}: {text}");
        assert_eq!(text.matches("note: own/").count(), 1, "{arguments:?}: {text}");
        assert!(text.contains("more are listed by `contract lint`"), "{arguments:?}: {text}");
    }
    std::fs::remove_dir_all(folder.path().join("new")).unwrap();
    spoil("\"required\"", "\"requierd\"");
    for arguments in commands {
        let (code, text) = run(folder.path(), &[arguments, &own_place].concat());
        assert_eq!(code, 2, "{arguments:?}: {text}");
        assert!(text.contains("success.json:/requierd: unknown member"), "{text}");
    }
    // A contract can be compared with the change that mends it.
    std::fs::create_dir(folder.path().join("mended")).unwrap();
    small(&folder.path().join("mended"));
    let (code, text) = run(folder.path(), &["diff", "own", "mended"]);
    assert_ne!(code, 2, "{text}");
}

#[test]
fn nothing_is_wrong_with_the_contract_of_this_repository() {
    let problems = problems(&Contract::embedded());
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
}
