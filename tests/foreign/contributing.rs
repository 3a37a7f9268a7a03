//! `.github/CONTRIBUTING.md`, followed to the letter on a copy of the repository: its blocks are written to
//! the files that they name, applied, or run. A person's review is played by taking every proposed answer.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use comrak::nodes::NodeValue;
use comrak::{Arena, Options};
use foreign::tools::{self, run};
use suites::endpoint::{Endpoint, built};
use suites::scratch;
use tempfile::TempDir;

use crate::action::commit_all;

/// A block of the page.
struct Block {
    /// The heading that it is under.
    section: String,
    language: String,
    text: String,
    /// The last path that the paragraph before it names.
    file: Option<String>,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn blocks() -> Vec<Block> {
    let page = std::fs::read_to_string(root().join(".github/CONTRIBUTING.md")).unwrap();
    let (arena, options) = (Arena::new(), Options::default());
    let (mut section, mut file) = (String::new(), None);
    let mut blocks = Vec::new();
    for node in comrak::parse_document(&arena, &page, &options).children() {
        match &node.data().value {
            NodeValue::Heading(_) => section = node.collect_text(),
            NodeValue::Paragraph => {
                let codes = node.descendants().filter_map(|node| match &node.data().value {
                    NodeValue::Code(code) if code.literal.contains('/') => {
                        Some(code.literal.clone())
                    }
                    _ => None,
                });
                file = codes.last();
            }
            NodeValue::CodeBlock(block) => blocks.push(Block {
                section: section.clone(),
                language: block.info.clone(),
                text: block.literal.clone(),
                file: file.take(),
            }),
            _ => {}
        }
    }
    blocks
}

/// The repository, copied, and the endpoint that was built from it last.
struct Walk {
    repository: TempDir,
    programs: TempDir,
    endpoint: Option<Endpoint>,
}

impl Walk {
    fn new() -> Self {
        let walk = Self { repository: scratch(), programs: scratch(), endpoint: None };
        let listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
        let listed = run(tools::command("git").args(listed).current_dir(root()));
        for path in String::from_utf8(listed.stdout).unwrap().split_terminator('\0') {
            let to = walk.repository.path().join(path);
            std::fs::create_dir_all(to.parent().unwrap()).unwrap();
            // A file that was removed is listed until that is committed.
            if root().join(path).exists() {
                std::fs::copy(root().join(path), to).unwrap();
            }
        }
        std::fs::create_dir_all(walk.repository.path().join("target")).unwrap();
        // Crates of the same name and version would take each other's place in the shared build.
        let manifest = walk.repository.path().join("Cargo.toml");
        let text = std::fs::read_to_string(&manifest).unwrap();
        let version = format!("version = \"{}\"", env!("CARGO_PKG_VERSION"));
        assert!(text.contains(&version), "{version}");
        std::fs::write(manifest, text.replacen(&version, "version = \"0.0.0-guide\"", 1)).unwrap();
        let contract = built("contract").unwrap();
        std::os::unix::fs::symlink(contract, walk.programs.path().join("contract")).unwrap();
        walk
    }

    /// Builds the copy's endpoint, with what is built already of other people's crates, and starts it.
    async fn serve(&mut self) {
        let main = built("local-endpoint").unwrap();
        let (profile, main) = (main.parent().unwrap(), main.ancestors().nth(2).unwrap());
        let target = main.join("contributing");
        let mut cargo = std::process::Command::new(env!("CARGO"));
        cargo.args(["build", "--quiet", "--offline", "--bin", "local-endpoint", "--examples"]);
        if profile.ends_with("release") {
            cargo.arg("--release");
        }
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(&name);
            }
        }
        cargo.env("CARGO_BUILD_BUILD_DIR", main).env("CARGO_TARGET_DIR", &target);
        run(cargo.current_dir(self.repository.path()).stderr(Stdio::inherit()));
        let binary = target.join(profile.file_name().unwrap()).join("local-endpoint");
        self.endpoint = Some(Endpoint::start(&binary, &[]).await.unwrap());
        let link = self.programs.path().join("local-endpoint");
        drop(std::fs::remove_file(&link));
        std::os::unix::fs::symlink(binary, link).unwrap();
    }

    /// Takes every answer that is proposed.
    fn review(&self) {
        let snapshots = ["ls-files", "--others", "*.snap.new"];
        let proposed =
            run(tools::command("git").args(snapshots).current_dir(self.repository.path()));
        let proposed = String::from_utf8(proposed.stdout).unwrap();
        assert!(!proposed.is_empty(), "nothing is proposed");
        for path in proposed.lines() {
            let new = self.repository.path().join(path.trim_matches('"'));
            std::fs::rename(&new, new.with_extension("")).unwrap();
        }
    }

    /// Runs a line of a shell.
    fn shell(&self, line: &str) {
        let address = self.endpoint.as_ref().map_or("", Endpoint::address);
        let mut text = line.replace("127.0.0.1:8787", address);
        if let Some(call) = text.strip_prefix("cargo run --release --bin local-endpoint -- ") {
            text = format!("local-endpoint {call} --endpoint {address}");
        }
        let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
        let output = tools::command("bash")
            .args(["-eo", "pipefail", "-c", &text])
            .env("PATH", format!("{}:{path}", self.programs.path().display()))
            .current_dir(self.repository.path())
            .output()
            .unwrap();
        let expected: &[i32] = if line.ends_with("--propose") {
            // What is proposed does not hold yet.
            &[1]
        } else if line == "contract diff HEAD contracts" {
            // A change may be breaking.
            &[0, 1]
        } else {
            &[0]
        };
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(expected.contains(&output.status.code().unwrap()), "{line}\n{told:.4000}");
    }
}

// The endpoint's log is read while a line of the shell runs.
#[tokio::test(flavor = "multi_thread")]
async fn the_guide_changes_a_message_and_adds_a_parameter_and_an_operation() {
    let mut walk = Walk::new();
    let mut sections: Vec<String> = Vec::new();
    for block in blocks() {
        if !["Change a message", "Add a"].iter().any(|begin| block.section.starts_with(begin)) {
            continue;
        }
        if sections.last() != Some(&block.section) {
            commit_all(walk.repository.path());
            sections.push(block.section.clone());
        }
        let repository = walk.repository.path();
        match (block.language.as_str(), block.file) {
            ("sh", _) => {
                for line in block.text.lines() {
                    match line {
                        "cargo run --release --bin local-endpoint" => walk.serve().await,
                        "cargo insta review" => walk.review(),
                        line => walk.shell(line),
                    }
                }
            }
            ("diff", _) => {
                let file = walk.programs.path().join("patch");
                std::fs::write(&file, block.text).unwrap();
                let apply = ["apply", "--recount"];
                run(tools::command("git").args(apply).arg(file).current_dir(repository));
            }
            (_, Some(file)) => {
                let file = repository.join(file);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, block.text).unwrap();
            }
            (language, None) => panic!("{}: a block of {language} without a file", block.section),
        }
    }
    assert_eq!(sections.len(), 3, "{sections:?}");
}
