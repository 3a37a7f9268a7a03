//! The tools of these tests: those that the system must have ([`TOOLS`]), and those that are
//! installed into `target/` from committed lock files on first use, and kept.

use std::fmt::Write as _;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::LazyLock;

/// A tool that the system must have.
#[derive(Debug)]
pub struct Tool {
    /// The command, with its other names.
    names: &'static [&'static str],
    /// The arguments that print its version, or prove that it works.
    probe: &'static [&'static str],
    /// The least sufficient version, if older ones do not suffice.
    version_min: Option<&'static str>,
    /// The packages of Debian that have it.
    packages: &'static str,
    /// The tests that need it.
    needed_by: &'static str,
}

/// All system tools.
pub const TOOLS: &[Tool] = &[
    Tool {
        names: &["bash"],
        probe: &["--version"],
        version_min: Some("5"),
        packages: "bash",
        needed_by: "the GitHub Action, and where a test needs a shell",
    },
    Tool {
        names: &["curl"],
        probe: &["--version"],
        version_min: None,
        packages: "curl",
        needed_by: "`contract call --curl`",
    },
    Tool {
        names: &["git"],
        probe: &["--version"],
        version_min: Some("2"),
        packages: "git",
        needed_by: "contracts of another revision, and the GitHub Action",
    },
    Tool {
        names: &["python3"],
        probe: &["-c", "import ensurepip, platform, venv; print(platform.python_version())"],
        version_min: Some("3.10"),
        packages: "python3 python3-venv",
        needed_by: "the Python clients, Schemathesis, and the second runner",
    },
    Tool {
        names: &["node"],
        probe: &["--version"],
        version_min: Some("20.19"),
        packages: "nodejs",
        needed_by: "the Node clients, the tools for OpenAPI, and the driver of the browser",
    },
    Tool {
        names: &["npm"],
        probe: &["--version"],
        version_min: None,
        packages: "npm",
        needed_by: "installing these, and DynamoDB Local",
    },
    Tool {
        names: &["java"],
        probe: &["-version"],
        version_min: Some("17"),
        packages: "default-jre-headless",
        needed_by: "DynamoDB Local",
    },
    Tool {
        names: &["script"],
        probe: &["--version"],
        version_min: None,
        packages: "bsdutils",
        needed_by: "what `contract fuzz` shows in a terminal",
    },
    Tool {
        names: &["chromium", "chromium-browser", "google-chrome"],
        probe: &["--version"],
        version_min: None,
        packages: "chromium",
        needed_by: "the page of `contract review`",
    },
];

impl Tool {
    /// The name of a sufficient version on the system.
    fn find(&self) -> Option<&'static str> {
        self.names.iter().copied().find(|name| {
            let Ok(printed) = Command::new(name).args(self.probe).output() else { return false };
            let text =
                String::from_utf8_lossy(&[printed.stdout, printed.stderr].concat()).into_owned();
            let is_new = self.version_min.is_none_or(|min| version(&text) >= version(min));
            printed.status.success() && is_new
        })
    }
}

/// The first number in a text, with further numbers joined by dots.
fn version(text: &str) -> Vec<u32> {
    let mut words = text.split(|character: char| !character.is_ascii_digit() && character != '.');
    let version = words.find(|word| word.starts_with(|first: char| first.is_ascii_digit()));
    version.unwrap_or_default().split('.').map_while(|number| number.parse().ok()).collect()
}

/// The names of all tools, in the order of [`TOOLS`]. The first use checks all: if any is missing,
/// one message names them all, outside of libtest's capture, and every test fails.
///
/// # Panics
///
/// A tool is missing.
fn found() -> &'static [&'static str] {
    static FOUND: LazyLock<Option<Vec<&'static str>>> = LazyLock::new(|| {
        let found: Vec<_> = TOOLS.iter().map(Tool::find).collect();
        let lacking = TOOLS.iter().zip(&found).filter(|(_, found)| found.is_none());
        let lacking: Vec<&Tool> = lacking.map(|(tool, _)| tool).collect();
        if !lacking.is_empty() {
            drop(io::Write::write_all(&mut io::stderr(), message(&lacking).as_bytes()));
        }
        found.into_iter().collect()
    });
    FOUND.as_deref().expect("the system lacks tools, which the message above names")
}

/// The missing tools, their purpose, and how to install them.
fn message(lacking: &[&Tool]) -> String {
    let mut text = "\n\nThe tests of tests/foreign need tools that this system lacks:\n".to_owned();
    for Tool { names, version_min, needed_by, .. } in lacking {
        let least = version_min.map(|min| format!(" {min} or newer")).unwrap_or_default();
        writeln!(text, "  {}{least}, for {needed_by}", names[0]).unwrap();
    }
    let packages: Vec<&str> = lacking.iter().map(|tool| tool.packages).collect();
    text + &format!("On Debian: apt-get install {}\n\n", packages.join(" "))
}

/// A command of the system, by its first name in [`TOOLS`].
///
/// # Panics
///
/// The tool is not in the table, or the system lacks a tool of the table.
#[must_use]
pub fn command(name: &str) -> Command {
    let position = TOOLS.iter().position(|tool| tool.names[0] == name);
    Command::new(found()[position.unwrap_or_else(|| panic!("{name} is not among the tools"))])
}

/// Runs a command.
///
/// # Panics
///
/// The command fails; the message has its output.
pub fn run(command: &mut Command) -> Output {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?} failed\n{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr),
    );
    output
}

/// Runs `install` on the folder of this name, unless the folder was filled from the same lock file.
/// One installation runs at a time, also among several test processes.
fn installed(name: &str, lock: &Path, install: impl FnOnce(&Path)) -> PathBuf {
    let all = suites::tmp().join("clients");
    let home = all.join(name);
    std::fs::create_dir_all(&home).unwrap();
    let installing = File::create(all.join("lock")).unwrap();
    installing.lock().unwrap();
    let (lock, marker) = (std::fs::read(lock).unwrap(), home.join("installed"));
    if std::fs::read(&marker).ok().as_ref() != Some(&lock) {
        install(&home);
        std::fs::write(marker, lock).unwrap();
    }
    home
}

/// A Python with the packages that `requirements.txt` in `folder` locks, kept under `name`.
///
/// # Panics
///
/// The system lacks a tool, or the Python package index cannot be reached.
#[must_use]
pub fn python(name: &str, folder: &Path) -> PathBuf {
    let lock = folder.join("requirements.txt");
    let home = installed(name, &lock, |home| {
        run(command("python3").args(["-m", "venv", "--clear"]).arg(home));
        let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
        let mut install = Command::new(home.join("bin/python"));
        run(install.args(pip).args(["--require-hashes", "--requirement"]).arg(&lock));
    });
    home.join("bin/python")
}

/// A folder with the packages that `package-lock.json` in `folder` locks, kept under `name`.
///
/// # Panics
///
/// The system lacks a tool, or the npm registry cannot be reached.
#[must_use]
pub fn node(name: &str, folder: &Path) -> PathBuf {
    installed(name, &folder.join("package-lock.json"), |home| {
        for file in ["package.json", "package-lock.json"] {
            std::fs::copy(folder.join(file), home.join(file)).unwrap();
        }
        let install = ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
        run(command("npm").args(install).current_dir(home));
    })
}

/// A document of YAML, as JSON.
///
/// # Panics
///
/// The text is not YAML, the system lacks a tool, or the npm registry cannot be reached.
#[must_use]
pub fn yaml(text: &str) -> serde_json::Value {
    let home = node("openapi-node", &folder("openapi"));
    let script = "console.log(JSON.stringify(require('js-yaml').load(process.argv[1])))";
    let output = run(command("node").args(["-e", script, text]).current_dir(home));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A folder of `tests/`.
#[must_use]
pub fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}
