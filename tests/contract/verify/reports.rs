//! Where `contract verify` writes its reports.

use std::ffi::OsStr;
use std::fs::{Permissions, hard_link, metadata, read_dir, read_to_string, set_permissions, write};
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::process::{Command, Output};

use suites::command::{copy, printed};
use suites::endpoint::built;
use suites::scratch;

/// Runs a shell line in a folder; `$verify REPORTS` runs one case.
fn shell(folder: &Path, line: &str) -> Output {
    let contract = built("contract").unwrap();
    let verify =
        format!("{} verify --in-process --case MissingAction/* --report", contract.display());
    let mut shell = Command::new("bash");
    shell.current_dir(folder).env("HOME", "/nowhere").env("verify", verify);
    shell.args(["-c", &format!("set -o noglob; umask 027; {line}")]).output().unwrap()
}

fn is_report(path: &Path) -> bool {
    read_to_string(path).is_ok_and(|text| text.contains("\"trials\""))
}

/// The files in the folder after the shell line that hold one whole report.
#[test]
fn a_report_goes_where_its_path_leads() {
    for (line, code, reports) in [
        ("$verify json=new", 0, &["new"][..]),
        ("$verify json=folder/../old", 0, &["old"]),
        ("$verify json=link", 0, &["old"]),
        ("$verify json=chain", 0, &["old"]),
        ("$verify json=dangling", 0, &["absent"]),
        ("$verify json=hard", 0, &["hard", "one"]),
        ("$verify json=/dev/null", 0, &[]),
        ("$verify json=null", 0, &[]),
        ("cat pipe >out & $verify json=pipe; code=$?; wait; exit $code", 0, &["out"]),
        ("$verify json=- >out 2>text", 0, &["out"]),
        ("$verify json=/dev/stdout >out 2>text", 0, &["out"]),
        ("$verify json=stdout >out 2>text", 0, &["out"]),
        ("$verify json=/dev/fd/1 >out 2>text", 0, &["out"]),
        ("$verify json=/proc/self/fd/1 >out 2>text", 0, &["out"]),
        ("$verify json=/dev/../dev/./stdout >out 2>text", 0, &["out"]),
        ("$verify json=devices/stdout >out 2>text", 0, &["out"]),
        ("$verify json=/dev/stdout 2>text | cat >out", 0, &["out"]),
        ("$verify json=/dev/stderr 2>out", 0, &["out"]),
        ("$verify json=/dev/fd/7 7>out", 0, &["out"]),
        ("{ $verify json=/dev/stdout 2>text; echo after; } >out", 0, &["out"]),
        ("$verify json=new,junit=folder", 2, &["new"]),
        ("$verify junit=absent/a,json=new", 2, &["new"]),
        ("$verify json=new,junit=/dev/full", 2, &["new"]),
        ("$verify json=new,junit=/dev/fd/77", 2, &["new"]),
        ("$verify json=new,junit=circle", 2, &["new"]),
        ("$verify json=new,junit=./new", 2, &[]),
        ("$verify json=old,junit=link", 2, &[]),
        ("$verify json=hard,junit=one", 2, &[]),
        ("$verify json=-,junit=/dev/stdout", 2, &[]),
    ] {
        let scratch = scratch();
        let folder = scratch.path();
        let at = |name: &str| folder.join(name);
        std::fs::create_dir(at("folder")).unwrap();
        for name in ["old", "one"] {
            write(at(name), "older").unwrap();
            set_permissions(at(name), Permissions::from_mode(0o604)).unwrap();
        }
        hard_link(at("one"), at("hard")).unwrap();
        for (target, link) in [
            ("old", "link"),
            ("folder/../link", "chain"),
            ("absent", "dangling"),
            ("circle", "circle"),
            ("/dev/null", "null"),
            ("/dev/stdout", "stdout"),
            ("/dev", "devices"),
        ] {
            symlink(target, at(link)).unwrap();
        }
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let before: Vec<_> = read_dir(folder).unwrap().map(|it| it.unwrap().file_name()).collect();

        let output = shell(folder, line);
        assert_eq!(output.status.code(), Some(code), "{line}\n{}", printed(&output));
        assert_eq!(
            printed(&output).contains("--report"),
            code == 2,
            "{line}\n{}",
            printed(&output)
        );
        let mut written = Vec::new();
        for entry in read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let (name, kind) = (entry.file_name(), entry.file_type().unwrap());
            let is_new = !before.contains(&name);
            if kind.is_file() && is_report(&entry.path()) {
                let mode = if is_new { 0o640 } else { 0o604 };
                assert_eq!(entry.metadata().unwrap().mode() & 0o777, mode, "{line} {name:?}");
                written.push(name);
            } else {
                assert!(!is_new || name == "text", "{line}: {name:?} is left");
            }
        }
        written.sort();
        assert_eq!(written, reports.iter().map(OsStr::new).collect::<Vec<_>>(), "{line}");
        assert!(metadata("/dev/null").unwrap().file_type().is_char_device(), "{line}");
        assert!(metadata(at("pipe")).unwrap().file_type().is_fifo(), "{line}");
        let links = read_dir(folder).unwrap().filter(|it| it.as_ref().unwrap().path().is_symlink());
        assert_eq!(links.count(), 7, "{line}");
        assert_eq!(metadata(at("one")).unwrap().nlink(), 2, "{line}");
        if line.contains("after") {
            assert!(read_to_string(at("out")).unwrap().ends_with("}\nafter\n"));
        }
    }
}

#[test]
fn a_report_in_the_folder_of_the_contract_is_refused() {
    let folder = scratch();
    copy(&folder.path().join("contract"), &[]);
    for report in ["json=contract/common/a.json", "json=inside", "junit=contract/a.xml"] {
        drop(symlink("contract/a.json", folder.path().join("inside")));
        let output = shell(folder.path(), &format!("$verify {report} --contracts contract"));
        assert_eq!(output.status.code(), Some(2), "{report} {}", printed(&output));
        assert!(printed(&output).contains("the folder of the contract"), "{}", printed(&output));
    }
}
