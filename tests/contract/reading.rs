//! A file that is unreadable or ambiguous ends every command with its name. Traces of editors and
//! desktops have no effect.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use harness::contract::Contract;
use suites::command::{command, printed};
use suites::scratch;

const ALLOCATE: &str = "AllocateIpv6InternetBandwidth";
const CASE: &str = "AllocateIpv6InternetBandwidth/cases/MissingBandwidth/absent.json";

/// A contract of one operation with two of its cases.
pub(crate) fn small(folder: &Path) {
    for (path, text) in Contract::embedded().files() {
        let parts: Vec<&str> = path.split('/').collect();
        let is_wanted = match parts[..] {
            [_] => path == "format.json" || path == "decisions.md",
            [_, "schemas", "errors", file] => {
                ["MissingBandwidth.json", "IllegalParam.Bandwidth.json"].contains(&file)
            }
            ["common", "schemas", ..] => false,
            ["common", kind, ..] => {
                !["cases", "snapshots", "policies", "signatures"].contains(&kind)
            }
            [ALLOCATE, "cases" | "snapshots", code, ..] => code.starts_with("MissingBandwidth"),
            [ALLOCATE, ..] => !path.contains("decision-table"),
            _ => false,
        };
        if is_wanted {
            write(folder, path, text.as_bytes());
        }
    }
}

pub(crate) fn write(folder: &Path, path: &str, content: &[u8]) {
    let path = folder.join(path);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, content).unwrap();
}

/// The output of `contract` in a folder, and its exit code.
pub(crate) fn run(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let output = command(arguments).current_dir(folder).output().unwrap();
    (output.status.code().unwrap(), printed(&output))
}

pub(crate) fn git(folder: &Path, arguments: &[&str]) -> String {
    let mut git = Command::new("git");
    let names =
        ["-c", "user.name=n", "-c", "user.email=e@example.com", "-c", "commit.gpgSign=false"];
    git.current_dir(folder).args(names).args(["-c", "init.defaultBranch=main"]).args(arguments);
    let output = git.output().unwrap();
    assert!(output.status.success(), "git {arguments:?}: {}", printed(&output));
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

fn utf_16(text: &str, mark: bool) -> Vec<u8> {
    let units = mark.then_some(0xfeff).into_iter().chain(text.encode_utf16());
    units.flat_map(u16::to_le_bytes).collect()
}

fn latin_1(text: &str) -> Vec<u8> {
    text.chars().map(|letter| u8::try_from(letter).unwrap()).collect()
}

#[test]
fn an_unreadable_file_is_named_with_its_likely_encoding() {
    let case = Contract::embedded().text(CASE).unwrap().to_owned();
    let with = |letters: &str| {
        case.replacen("\"description\": \"", &format!("\"description\": \"{letters}"), 1)
    };
    let french = with("D\u{e9}bit");
    let offset = french.find('\u{e9}').unwrap();
    let at_offset = format!("at offset {offset}, in line 2, would be 'é' in Latin-1");
    let windows: Vec<u8> = latin_1(&with("\u{93}quoted\u{94}"));
    let cut = [case.as_bytes(), &[0xe2, 0x82]].concat();
    let schema = format!("{ALLOCATE}/schemas/success.json");
    for (path, content, message) in [
        (CASE, latin_1(&french), at_offset.as_str()),
        (CASE, windows, "Windows-1252"),
        (CASE, utf_16(&case, true), "begins with the byte order mark of UTF-16"),
        (CASE, utf_16(&case, false), "it looks like UTF-16"),
        (&schema, utf_16("{}", true), "begins with the byte order mark of UTF-16"),
        (&schema, latin_1("{\"title\": \"\u{fc}\"}"), "would be 'ü' in Latin-1"),
        (CASE, [&b"\xff\xfe\0\0"[..], b"{\0\0\0"].concat(), "byte order mark of UTF-32"),
        (CASE, cut, "begins a character that the file's end cuts off"),
        (CASE, b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "binary file"),
        ("decisions.md", latin_1("# D\u{e9}cisions\n"), "would be 'é' in Latin-1"),
        ("notes.txt", latin_1("caf\u{e9}\n"), "would be 'é' in Latin-1"),
        ("common/logo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(), "binary file"),
        (&format!("{ALLOCATE}/snapshots/MissingBandwidth.snap"), latin_1("\u{e9}"), "Latin-1"),
        (&format!("{ALLOCATE}/cases/MissingBandwidth/empty.json"), vec![0xff], "not UTF-8 text"),
    ] {
        let folder = scratch();
        small(&folder.path().join("own"));
        write(&folder.path().join("own"), path, &content);
        for arguments in [&["list", "--contracts", "own"][..], &["diff", "own"]] {
            let (code, text) = run(folder.path(), arguments);
            assert_eq!(code, 2, "{path} {message}: {text}");
            assert!(
                text.contains(&format!("own/{path}: ")) && text.contains(message),
                "{message}: {text}"
            );
        }
        // As a committed file as well.
        git(folder.path(), &["init", "-q"]);
        git(folder.path(), &["add", "-A"]);
        git(folder.path(), &["commit", "-qm", "c"]);
        let (code, text) = run(folder.path(), &["list", "--contracts", "HEAD:own"]);
        assert_eq!(code, 2, "{path} {message}: {text}");
        assert!(text.contains(&format!("HEAD:own/{path}: ")) && text.contains(message), "{text}");
    }
}

#[test]
fn marks_and_line_ends_of_editors_and_files_of_desktops_change_nothing() {
    let folder = scratch();
    let own = folder.path().join("own");
    small(&own);
    let before = Contract::in_folder(&own).unwrap();
    for (path, text) in before.files() {
        let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        write(&own, path, text.as_bytes());
    }
    let cases = format!("{ALLOCATE}/cases/MissingBandwidth");
    for name in [
        ".DS_Store",
        "._absent.json",
        ".absent.json.swp",
        "absent.json~",
        "#absent.json#",
        "Thumbs.db",
    ] {
        write(&own, &format!("{cases}/{name}"), b"\0\0\0\x01Bud1\xff");
    }
    write(&own, ".idea/x.json", b"\xff");
    symlink("me@host.1234:5678", own.join(&cases).join(".#absent.json")).unwrap();
    let after = Contract::in_folder(&own).unwrap();
    assert_eq!(before.files(), after.files());
}

#[test]
fn a_link_is_followed_inside_the_folder_only() {
    let cases = format!("{ALLOCATE}/cases/MissingBandwidth");
    for (link, target, message) in [
        ("link.json", "absent.json", None),
        ("link.json", "/etc/hostname", Some("a link to /")),
        ("link.json", "../../../../outside.json", Some("a link to /")),
        ("link", "../../../../outside", Some("a link to /")),
        ("link", "..", Some("a link to a folder that contains it")),
        ("link", ".", Some("a link to a folder that contains it")),
        ("link.json", "link.json", Some("a link that cannot be followed")),
        ("link.json", "nowhere.json", Some("a dangling link")),
    ] {
        let folder = scratch();
        let own = folder.path().join("own");
        small(&own);
        write(folder.path(), "outside.json", b"{}");
        write(folder.path(), "outside/x.json", b"{}");
        symlink(target, own.join(&cases).join(link)).unwrap();
        let (code, text) = run(folder.path(), &["list", "--contracts", "own"]);
        assert_eq!(code, if message.is_some() { 2 } else { 0 }, "{link} -> {target}: {text}");
        let wanted = message.map(|message| format!("own/{cases}/{link}: {message}"));
        assert!(wanted.is_none_or(|wanted| text.contains(&wanted)), "{link} -> {target}: {text}");
    }
}

#[test]
fn a_member_that_is_given_twice_is_an_error_at_any_depth() {
    let schema = &format!("{ALLOCATE}/schemas/errors/IllegalParam.Bandwidth.json");
    let (errors, operation) =
        (&format!("{ALLOCATE}/errors.json"), &format!("{ALLOCATE}/operation.json"));
    for (path, old, new, message) in [
        (schema.as_str(), "\"required\"", "\"required\": [], \"required\"", "required"),
        (errors, "\"status\"", "\"status\": 200, \"status\"", "status"),
        (operation, "\"minimum\"", "\"minimum\": 0, \"minimum\"", "minimum"),
        (operation, "\"name\"", "\"n\\u0061me\": \"x\", \"name\"", "name"),
        (CASE, "\"request\"", "\"request\": {}, \"request\"", "request"),
        (CASE, "\"status\"", "\"status\": 200, \"status\"", "status"),
        ("common/when.json", "\"when\"", "\"when\": {}, \"when\"", "when"),
        (
            "common/worlds/one-address.json",
            "\"Accounts\"",
            "\"Accounts\": {}, \"Accounts\"",
            "Accounts",
        ),
        ("format.json", "\"format\"", "\"format\": 1, \"format\"", "format"),
        (&format!("{ALLOCATE}/roles.json"), "{", "{ \"x\": 1, \"x\": 2,", "x"),
        (&format!("{ALLOCATE}/coverage.json"), "{", "{ \"x\": 1, \"x\": 2,", "x"),
    ] {
        let folder = scratch();
        let own = folder.path().join("own");
        small(&own);
        let text = std::fs::read_to_string(own.join(path)).unwrap();
        assert!(text.contains(old), "{path}: {old}");
        write(&own, path, text.replacen(old, new, 1).as_bytes());
        let message = format!("the member \"{message}\" is given twice");
        for arguments in [&["list", "--contracts", "own"][..], &["coverage", "--contracts", "own"]]
        {
            let (code, text) = run(folder.path(), arguments);
            assert_eq!(code, 2, "{path}: {arguments:?}: {text}");
            assert!(
                text.contains(&format!("own/{path}:")) && text.contains(&message),
                "{path}: {text}"
            );
        }
    }
}

#[test]
fn a_revision_is_read_from_any_folder_and_a_missing_one_says_what_to_fetch() {
    let folder = scratch();
    let there = |name: &str| folder.path().join(name);
    std::fs::create_dir(there("made")).unwrap();
    let made = there("made");
    git(&made, &["init", "-q"]);
    git(&made, &["commit", "-q", "--allow-empty", "-m", "nothing yet"]);
    git(&made, &["tag", "empty"]);
    small(&made.join("api/own"));
    write(&made, ".gitattributes", b"*.json export-ignore text eol=crlf\n");
    git(&made, &["add", "-A"]);
    git(&made, &["commit", "-qm", "one"]);
    git(&made, &["tag", "one"]);
    small(&made.join("second"));
    git(&made, &["add", "-A"]);
    git(&made, &["commit", "-qm", "two"]);
    git(&made, &["branch", "side"]);
    let hash = git(&made, &["rev-parse", "HEAD"]);
    write(&made, "api/own/format.json", b"spoilt");
    write(&made, "api/own/x.json", b"new");
    git(&made, &["add", "-A"]);
    let index = git(&made, &["ls-files", "--stage"]);
    let whole = Contract::in_folder(&made.join("second")).unwrap();
    for place in [
        "one",
        "one:api",
        "one:api/own",
        "one:api/own/",
        "HEAD:second",
        "HEAD:./second",
        &format!("{hash}:second"),
        "HEAD^{/two}:second",
        "HEAD~1",
        "side:second",
    ] {
        let (code, text) = run(&made, &["list", "--contracts", place]);
        assert_eq!(code, 0, "{place}: {text}");
        let (code, text) = run(&made, &["diff", place, "--contracts", "second"]);
        assert_eq!(code, 0, "{place}: {text}");
    }
    let (code, text) = run(&made.join("api"), &["list", "--contracts", "HEAD:./own"]);
    assert_eq!(code, 0, "{text}");
    // The variables that git sets for a hook name another repository and index.
    let mut hook = command(&["list", "--contracts", "one"]);
    hook.current_dir(&made)
        .env("GIT_DIR", "/nowhere")
        .env("GIT_INDEX_FILE", made.join(".git/index"));
    let output = hook.output().unwrap();
    assert!(output.status.success(), "{}", printed(&output));
    assert_eq!(git(&made, &["ls-files", "--stage"]), index);
    assert_eq!(
        whole.files().len(),
        Contract::in_folder(&made.join("second")).unwrap().files().len()
    );

    let url = format!("file://{}", made.display());
    git(folder.path(), &["clone", "-q", "--depth", "1", "--branch", "side", &url, "shallow"]);
    git(folder.path(), &["clone", "-q", &url, "clone"]);
    for (repository, place, message) in [
        ("made", "HEAD", "HEAD: it has several contracts; name one of HEAD:api/own, HEAD:second"),
        ("made", "one:second", "one:second: no contract; that revision has one at one:api/own"),
        ("made", "one:api/own/format.json", "one:api/own/format.json: a file, not a folder"),
        ("made", "empty", "empty: no contract: it has no <Action>/operation.json"),
        ("made", "empty:own", "empty:own: no contract: it has no <Action>/operation.json"),
        ("made", "nowhere", "nowhere: neither a folder nor a git revision"),
        ("made", "HEAD~9", "HEAD has no such ancestor"),
        ("clone", "side", "in this clone the branch is origin/side"),
        ("clone", "side:second", "in this clone the branch is origin/side"),
        ("shallow", "origin/main", "git fetch origin +refs/heads/main:refs/remotes/origin/main"),
        (
            "shallow",
            "origin/main:own",
            "git fetch origin +refs/heads/main:refs/remotes/origin/main",
        ),
        ("shallow", "HEAD~1:second", "git fetch --unshallow"),
        ("shallow", "0123456789012345678901234567890123456789", "git fetch origin 0123456789"),
        ("shallow", "origin/main", "`fetch-depth: 0`"),
        (".", "HEAD:x", "not a git repository"),
    ] {
        let mut list = command(&["list", "--contracts", place]);
        list.current_dir(there(repository))
            .env("GIT_CEILING_DIRECTORIES", folder.path().parent().unwrap());
        let output = list.output().unwrap();
        let text = printed(&output);
        assert_eq!(output.status.code(), Some(2), "{place}: {text}");
        assert!(text.contains(message), "{place}: {text}");
    }
}

#[test]
fn a_clone_with_other_line_ends_is_the_same_contract() {
    let folder = scratch();
    let made = folder.path().join("made");
    std::fs::create_dir(&made).unwrap();
    git(&made, &["init", "-q"]);
    small(&made.join("plain"));
    let (code, text) = run(&made, &["unpack", "own", "--contracts", "plain"]);
    assert_eq!(code, 0, "{text}");
    git(&made, &["-c", "core.autocrlf=false", "add", "-A"]);
    git(&made, &["commit", "-qm", "c"]);
    let options = ["-c", "core.autocrlf=true", "-c", "core.safecrlf=false"];
    git(folder.path(), &[&["clone", "-q"][..], &options, &["made", "clone"]].concat());
    let clone = folder.path().join("clone");
    for (own, has_cr) in [("plain", true), ("own", false)] {
        let case = std::fs::read_to_string(clone.join(own).join(CASE)).unwrap();
        assert_eq!(case.contains('\r'), has_cr, "{own}");
        let case = ["--case", "MissingBandwidth/*"];
        let verify = [&["verify", "--in-process", "--contracts", own][..], &case].concat();
        let (code, text) = run(&clone, &verify);
        assert_eq!(code, 0, "{own}: {text}");
        let base = format!("HEAD:{own}");
        for places in [[base.as_str(), own], [own, base.as_str()]] {
            let arguments = [&["diff", "--format", "json"][..], &places].concat();
            let output = command(&arguments).current_dir(&clone).output().unwrap();
            let text = printed(&output);
            assert!(output.status.success(), "{own}: {text}");
            let message: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
            assert_eq!(message["findings"], serde_json::json!([]), "{own}: {text}");
        }
    }
}
