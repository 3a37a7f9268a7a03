//! Snapshots that no case uses, and proposals that wait for review, fail every run.

use std::fs;

use suites::scratch;

use crate::reading::{run, small};

const SNAPSHOTS: &str = "own/AllocateIpv6InternetBandwidth/snapshots/MissingBandwidth";
const CASES: &str = "own/AllocateIpv6InternetBandwidth/cases/MissingBandwidth";

/// The changes to files (`new` is copied from a right snapshot, `-` is removed), the options of the
/// run, its exit code, the files that exist afterwards or not, and a part of the output.
type Row =
    (&'static [&'static str], &'static [&'static str], i32, &'static [&'static str], &'static str);

const ROWS: &[Row] = &[
    (&[], &[], 0, &[], "answers"),
    (&["S@nobody.snap"], &[], 1, &["S@nobody.snap"], "S@nobody.snap: a snapshot without a case"),
    (
        &["S@nobody.snap"],
        &["--case", "MissingBandwidth/absent"],
        1,
        &[],
        "S@nobody.snap: a snapshot without a case",
    ),
    (&["S@nobody.snap"], &["--propose"], 1, &["S@nobody.snap"], "a snapshot without a case"),
    (&["S@absent.snap"], &[], 0, &["S@absent.snap"], "answers"),
    (&["S@absent.snap", "-C/absent.json"], &[], 1, &[], "S@absent.snap: a snapshot without a case"),
    (
        &["S@absent.snap.new"],
        &[],
        1,
        &["S@absent.snap.new"],
        "S@absent.snap.new: an answer that waits for review",
    ),
    (
        &["S@absent.snap.new"],
        &["--case", "MissingBandwidth/empty"],
        1,
        &["S@absent.snap.new"],
        "waits for review",
    ),
    // Once the case holds, its proposal is obsolete.
    (
        &["S@absent.snap.new"],
        &["--propose"],
        0,
        &["-S@absent.snap.new"],
        "removed: S@absent.snap.new",
    ),
    (
        &["S@absent.snap.new"],
        &["--propose", "--case", "MissingBandwidth/absent"],
        0,
        &["-S@absent.snap.new"],
        "removed",
    ),
    (
        &["S@absent.snap.new"],
        &["--propose", "--case", "MissingBandwidth/empty"],
        1,
        &["S@absent.snap.new"],
        "waits for review",
    ),
    (&["S@nobody.snap.new"], &["--propose"], 1, &["S@nobody.snap.new"], "waits for review"),
    (&["S.snap.new"], &["--propose"], 0, &["-S.snap.new"], "removed: S.snap.new"),
    (
        &["S.snap.new"],
        &["--propose", "--case", "MissingBandwidth/absent"],
        1,
        &["S.snap.new"],
        "waits for review",
    ),
    // A new proposal waits for review as well.
    (&["!S@absent.snap"], &["--propose"], 1, &["S@absent.snap.new"], "proposed: S@absent.snap.new"),
    (
        &["!S@absent.snap", "S@absent.snap.new"],
        &["--propose"],
        1,
        &["S@absent.snap.new"],
        "proposed",
    ),
];

#[test]
fn a_snapshot_of_no_case_and_one_that_waits_for_review_fail_every_run() {
    for (changes, options, code, files, message) in ROWS {
        let folder = scratch();
        small(&folder.path().join("own"));
        let place = |name: &str| {
            let inner = name.replacen('S', SNAPSHOTS, 1).replacen("C/", &format!("{CASES}/"), 1);
            folder.path().join(inner)
        };
        let right = fs::read_to_string(folder.path().join(format!("{SNAPSHOTS}.snap"))).unwrap();
        for change in *changes {
            if let Some(name) = change.strip_prefix('-') {
                fs::remove_file(place(name)).unwrap();
            } else if let Some(name) = change.strip_prefix('!') {
                fs::write(place(name), right.replace("MissingBandwidth", "WrongBandwidth"))
                    .unwrap();
            } else {
                fs::write(place(change), &right).unwrap();
            }
        }
        let report = ["--report", "json=verdict.json,junit=verdict.xml"];
        let verify = ["verify", "--in-process", "--contracts", "own"];
        let (ended, text) = run(folder.path(), &[&verify[..], options, &report].concat());
        let row = format!("{changes:?} {options:?}: {text}");
        assert_eq!(ended, *code, "{row}");
        assert!(
            text.contains(&message.replacen("S@", &format!("{SNAPSHOTS}@"), 1).replacen(
                "S.",
                &format!("{SNAPSHOTS}."),
                1
            )),
            "{message} {row}"
        );
        let verdict = fs::read_to_string(folder.path().join("verdict.json")).unwrap();
        let verdict: serde_json::Value = serde_json::from_str(&verdict).unwrap();
        assert_eq!(verdict["holds"], *code == 0, "{row}");
        let junit = fs::read_to_string(folder.path().join("verdict.xml")).unwrap();
        assert_eq!(junit.contains("<failure"), *code != 0, "{row}: {junit}");
        for file in *files {
            match file.strip_prefix('-') {
                Some(gone) => assert!(!place(gone).exists(), "{gone} {row}"),
                None => assert!(place(file).exists(), "{file} {row}"),
            }
        }
    }
}
