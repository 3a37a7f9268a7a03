//! Checks the commands that pages show: their program, subcommand and options exist.

use std::collections::BTreeSet;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::LazyLock;

use serde_json::Value;
use suites::endpoint::built;

use super::page::root;

/// Programs of others, and what of this repository they are given.
const FOREIGN: &[&str] = &[
    "cargo insta review",
    "docker run ",
    "gh attestation verify ",
    "git ",
    "grep -rl ",
    "npm install ",
    "pip install ",
    "sam ",
    "sha256sum --check ",
];

/// The targets of the workspace, as `--bin contract` or `--package suites`.
static TARGETS: LazyLock<BTreeSet<String>> = LazyLock::new(|| {
    let arguments = ["metadata", "--no-deps", "--format-version=1", "--offline"];
    let mut cargo = Command::new(env!("CARGO"));
    let output = cargo.args(arguments).current_dir(root()).output().unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let mut all = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        all.insert(format!("--package {}", package["name"].as_str().unwrap()));
        for target in package["targets"].as_array().unwrap() {
            let (kind, name) = (&target["kind"][0], &target["name"]);
            all.insert(format!("--{} {}", kind.as_str().unwrap(), name.as_str().unwrap()));
        }
    }
    all
});

/// What is wrong with a line of a shell block.
pub(super) fn check(line: &str) -> Result<(), String> {
    line.split(" && ").try_for_each(command)
}

fn command(text: &str) -> Result<(), String> {
    if FOREIGN.iter().any(|known| text.starts_with(known)) {
        return Ok(());
    }
    let words = words(text);
    let is_setting = |word: &&String| word.split_once('=').is_some_and(|(name, _)| is_name(name));
    let mut words = words.iter().skip_while(is_setting).map(String::as_str);
    match words.next() {
        Some("cargo") => cargo(&words.collect::<Vec<_>>()),
        Some(program @ ("contract" | "local-endpoint")) => {
            understands(program, &words.collect::<Vec<_>>())
        }
        Some(script) if script.starts_with(".ci/") => {
            let mode = std::fs::metadata(root().join(script)).map(|file| file.permissions().mode());
            match mode {
                Ok(mode) if mode & 0o111 != 0 => Ok(()),
                _ => Err(format!("{script} is no program")),
            }
        }
        other => Err(format!("a program that no test knows: {other:?}")),
    }
}

/// Whether a text is the name of an environment variable.
fn is_name(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_')
}

/// The words of a line, as a shell splits them.
fn words(line: &str) -> Vec<String> {
    let (mut all, mut is_quoted) = (vec![String::new()], false);
    for c in line.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            ' ' if !is_quoted => all.push(String::new()),
            c => all.last_mut().unwrap().push(c),
        }
    }
    all.retain(|word| !word.is_empty());
    all
}

/// Has a program of this repository parse its arguments, and do nothing else.
fn understands(program: &str, arguments: &[&str]) -> Result<(), String> {
    let binary = built(program)?;
    let output = Command::new(binary).args(arguments).arg("--help").output().unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    if output.status.success() { Ok(()) } else { Err(told) }
}

fn cargo(words: &[&str]) -> Result<(), String> {
    let Some((&subcommand @ ("run" | "test" | "bench" | "build"), options)) = words.split_first()
    else {
        return Err(format!("a subcommand that no test knows: cargo {words:?}"));
    };
    let own = options.iter().position(|word| *word == "--").unwrap_or(options.len());
    let (options, arguments) = options.split_at(own);
    let mut options = options.iter();
    let mut program = None;
    while let Some(&option) = options.next() {
        match option {
            "--release" | "--workspace" | "--locked" => {}
            "--bin" | "--test" | "--bench" | "--package" | "-p" => {
                let name = *options.next().ok_or_else(|| format!("{option} names nothing"))?;
                let option = if option == "-p" { "--package" } else { option };
                if !TARGETS.contains(&format!("{option} {name}")) {
                    return Err(format!("there is no {option} {name}"));
                }
                program = Some(name);
            }
            filter if subcommand == "test" && !filter.starts_with('-') => {
                if !has_test(&root().join("tests"), filter) {
                    return Err(format!("no test is called {filter}"));
                }
            }
            option => return Err(format!("an option that no test knows: {option}")),
        }
    }
    match (subcommand, program, arguments) {
        ("run", Some(program), arguments) => {
            understands(program, arguments.get(1..).unwrap_or_default())
        }
        (_, _, [] | ["--", "--nocapture"]) => Ok(()),
        (_, _, arguments) => Err(format!("arguments that no test knows: {arguments:?}")),
    }
}

/// Whether a test or its file below a folder has a filter in its name.
fn has_test(folder: &Path, filter: &str) -> bool {
    let mut entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.any(|path| {
        let stem = path.file_stem().unwrap().to_str().unwrap();
        let is_source = path.extension().is_some_and(|extension| extension == "rs");
        let names_it = |line: &str| {
            let (_, name) = line.split_once("fn ").unwrap_or_default();
            name.split('(').next().is_some_and(|name| name.contains(filter))
        };
        path.is_dir() && has_test(&path, filter)
            || is_source && stem.contains(filter)
            || is_source && std::fs::read_to_string(&path).unwrap().lines().any(names_it)
    })
}
