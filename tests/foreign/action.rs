//! The GitHub Action: the verdicts and the output of its scripts, on a repository made for the
//! test.

use std::path::Path;
use std::process::Output;

use foreign::tools::{self, run};
use suites::command::{copy, printed};
use suites::endpoint::built;
use suites::scratch;
use suites::support::ALLOCATE;

/// Makes a folder a repository, and commits all of it.
pub(crate) fn commit_all(folder: &Path) {
    let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
    for arguments in [
        &["-c", "init.defaultBranch=main", "init", "--quiet"][..],
        &["add", "."],
        &["commit", "--quiet", "--message", "The contract"],
    ] {
        run(tools::command("git").args(identity).args(arguments).current_dir(folder));
    }
}

fn action(name: &str) -> String {
    format!("{}/../../.github/actions/contract/{name}", env!("CARGO_MANIFEST_DIR"))
}

fn check(folder: &Path, verify: &str) -> (Output, String) {
    let out = folder.join("out");
    let contract = built("contract").unwrap();
    let output = tools::command("bash")
        .arg(action("check"))
        .env("CONTRACT", contract)
        .env("CONTRACTS", "contracts")
        .env("BASE", "HEAD")
        .env("VERIFY", verify)
        .env("OUT", &out)
        .env("GITHUB_STEP_SUMMARY", folder.join("summary.md"))
        .current_dir(folder)
        .output()
        .unwrap();
    let comment = std::fs::read_to_string(out.join("comment.md")).unwrap();
    (output, comment)
}

#[test]
fn a_breaking_change_fails_and_every_change_is_explained() {
    let folder = scratch();
    let place = folder.path();
    copy(&place.join("contracts"), &[]);
    commit_all(place);
    let verify = "--in-process --case IllegalParam.Bandwidth/*";

    let (output, comment) = check(place, verify);
    assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
    for part in [
        "<!-- contract: contract -->",
        "all hold",
        "no problems",
        "No row has lost a proof.",
        "0 breaking",
    ] {
        assert!(comment.contains(part), "{part}\n{comment}");
    }

    let case =
        place.join(format!("contracts/{ALLOCATE}/cases/IllegalParam.Bandwidth/letters.json"));
    let text = std::fs::read_to_string(&case).unwrap();
    std::fs::write(&case, text.replace("The param of", "The parameter")).unwrap();
    let snapshot = place.join("contracts/common/snapshots/MissingAction.snap");
    std::fs::remove_file(snapshot).unwrap();
    let (output, comment) = check(place, verify);
    assert_eq!(output.status.code(), Some(1), "{}", printed(&output));
    for part in [
        "do not hold",
        "error/MissingAction: it had 5 snapshots and has 0",
        "| breaking | `case-answer-changed` |",
        "| breaking | `snapshot-removed` |",
    ] {
        assert!(comment.contains(part), "{part}\n{comment}");
    }
    let message = printed(&output);
    assert!(message.contains("::error file=contracts/"), "{message}");
    let summary = std::fs::read_to_string(place.join("summary.md")).unwrap();
    assert!(summary.contains("case-answer-changed"), "{summary}");
    for name in [
        "verdict.json",
        "verdict.html",
        "verdict.xml",
        "changes.json",
        "coverage.html",
        "review.html",
    ] {
        assert!(place.join("out").join(name).is_file(), "{name}");
    }
}

/// Makes the release `v1.2.0`, stand-ins for `curl` and `cargo`, and has the action get the command.
const GET: &str = r#"
cd "$HOME"
name=ipv6-gateway-$(uname -m)-unknown-linux-musl
mkdir -p programs releases/v1.2.0 "$name"
echo downloaded >"$name/contract"
tar -czf "releases/v1.2.0/$name.tar.gz" "$name"
(cd releases/v1.2.0 && sha256sum -- *.gz >SHA256SUMS)
[[ -z $SPOILT ]] || echo more >>"releases/v1.2.0/$name.tar.gz"
cat >programs/curl <<'END'
#!/bin/bash
while [[ $1 != --output ]]; do shift; done
[[ $3 == https://git.example/me/action/releases/download/* ]] && cp "$HOME/releases/${3##*/download/}" "$2"
END
cat >programs/cargo <<'END'
#!/bin/bash
mkdir -p "$HOME/out/bin"
echo "$*" >"$HOME/out/bin/contract"
END
chmod +x programs/*
PATH=$HOME/programs:$PATH GITHUB_SERVER_URL=https://git.example REPOSITORY=me/action bash "$1" into "$HOME/out"
"#;

/// Has the action, used by this ref and with these arguments of `verify`, get the command. Yields the text in
/// its place: `downloaded`, or the arguments of `cargo`.
fn get(reference: &str, verify: &str, is_spoilt: bool) -> (Output, Option<String>) {
    let folder = scratch();
    let output = tools::command("bash")
        .args(["-euc", GET, "bash", &action("build")])
        .envs([
            ("REF", reference),
            ("VERIFY", verify),
            ("SPOILT", if is_spoilt { "yes" } else { "" }),
        ])
        .env("HOME", folder.path())
        .output()
        .unwrap();
    let command = std::fs::read_to_string(folder.path().join("out/bin/contract")).ok();
    (output, command)
}

#[test]
fn used_by_the_tag_of_a_release_it_downloads_the_command() {
    let (output, command) = get("v1.2.0", "--endpoint http://localhost", false);
    assert_eq!(command.as_deref(), Some("downloaded\n"), "{}", printed(&output));
}

#[test]
fn it_installs_nothing_whose_checksum_does_not_fit() {
    let (output, command) = get("v1.2.0", "--endpoint http://localhost", true);
    assert_eq!((output.status.code(), command), (Some(1), None));
    assert!(
        printed(&output).contains("::error title=contract::The checksum of"),
        "{}",
        printed(&output)
    );
}

#[test]
fn without_a_released_binary_that_will_do_it_builds_the_command() {
    let endpoint = "--endpoint http://localhost";
    for (reference, verify, has_feature) in [
        ("main", endpoint, false),
        ("v1.3.0", endpoint, false),
        ("v1.2.0", "--case a --in-process", true),
    ] {
        let (output, command) = get(reference, verify, false);
        assert_eq!(output.status.code(), Some(0), "{}", printed(&output));
        let command = command.unwrap();
        assert!(command.starts_with("install --locked --path tests/harness "), "{command}");
        assert_eq!(command.contains("--features in-process"), has_feature, "{command}");
    }
}

#[test]
fn its_scripts_can_be_read_by_a_shell_and_its_steps_name_them() {
    let yaml = std::fs::read_to_string(action("action.yml")).unwrap();
    for name in ["build", "check", "comment"] {
        let output = tools::command("bash").args(["-n", &action(name)]).output().unwrap();
        assert!(output.status.success(), "{}", printed(&output));
        assert!(yaml.contains(&format!("$GITHUB_ACTION_PATH/{name}")), "{yaml}");
    }
}
