//! The recipes for pipelines. Shell steps run as printed except for the port, and the action's
//! steps as in its file. Stand-ins replace the endpoint, `cargo`, which installs a command that is
//! built already, and `gh`, which keeps its input. Steps of GitHub and GitLab themselves do not
//! run: checkout, cache and artifacts.

use std::collections::BTreeMap;
use std::fs::{File, Permissions, create_dir, read_to_string, set_permissions, write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::action::commit_all;
use foreign::tools::{self, run};
use serde_json::Value;
use suites::command::command;
use suites::endpoint::built;
use suites::scratch;
use tempfile::TempDir;

const ACTION: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../.github/actions/contract");

/// The recipe of a page, with another port.
fn recipe(page: &str, port: u16) -> Value {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = read_to_string(root.join(page)).unwrap();
    let (_, block) = page.split_once("```yaml\n").unwrap();
    let (block, _) = block.split_once("```").unwrap();
    tools::yaml(&block.replace(":8787", &format!(":{port}")))
}

fn texts(value: &Value) -> impl Iterator<Item = (&str, &str)> {
    let members = value.as_object().into_iter().flatten();
    members.map(|(name, value)| (name.as_str(), value.as_str().unwrap()))
}

/// A checked-out pull request that brings the contract into a repository without one.
struct Pipeline {
    folder: TempDir,
    base: String,
    environment: BTreeMap<&'static str, String>,
}

impl Pipeline {
    fn new(port: u16) -> Self {
        let folder = scratch();
        let mut pipeline = Self { base: String::new(), environment: BTreeMap::new(), folder };
        let [repository, programs] =
            ["repository", "programs"].map(|name| pipeline.folder.path().join(name));
        for folder in [&repository, &programs] {
            create_dir(folder).unwrap();
        }
        let program = |file: PathBuf, text: &str| {
            write(&file, format!("#!/bin/bash\n{text}\n")).unwrap();
            set_permissions(file, Permissions::from_mode(0o755)).unwrap();
        };
        let endpoint = built("local-endpoint").unwrap();
        let start = format!(
            "echo $$ >>\"$STARTED\"\nsleep 1\nexec {} --listen 127.0.0.1:{port} >/dev/null 2>&1",
            endpoint.display()
        );
        program(repository.join("start-my-endpoint"), &start);
        let install = "while [[ $1 != --root ]]; do shift; done\nmkdir -p \"$2/bin\"\n";
        let contract = built("contract").unwrap();
        let link = format!("ln -sf {} \"$2/bin/contract\"", contract.display());
        program(programs.join("cargo"), &format!("{install}{link}"));
        program(
            programs.join("gh"),
            "[[ ! -e $GH_REFUSES ]] || { echo 'HTTP 403' >&2; exit 1; }\necho \"$*\" >>\"$GH_TOLD\"",
        );
        commit_all(&repository);
        let git = |arguments: &[&str]| {
            let identity = ["-c", "user.name=t", "-c", "user.email=t@example.com"];
            let output =
                run(tools::command("git").args(identity).args(arguments).current_dir(&repository));
            String::from_utf8(output.stdout).unwrap().trim().to_owned()
        };
        let base = git(&["rev-parse", "HEAD"]);
        run(command(&["unpack", "own"]).current_dir(&repository));
        git(&["add", "."]);
        git(&["commit", "--quiet", "--message", "Bring the contract"]);
        let path = std::env::var_os("PATH").unwrap().into_string().unwrap();
        let at = |name: &str| pipeline.folder.path().join(name).display().to_string();
        let environment = BTreeMap::from([
            ("PATH", format!("{}:{path}", programs.display())),
            ("STARTED", at("started")),
            ("GH_REFUSES", at("refuses")),
            ("GH_TOLD", at("gh")),
            ("RUNNER_TEMP", at("temp")),
            ("GITHUB_OUTPUT", at("output")),
            ("GITHUB_STEP_SUMMARY", at("summary")),
            ("GITHUB_ACTION_PATH", ACTION.to_owned()),
            ("GITHUB_REPOSITORY", "me/mine".to_owned()),
            ("CI_MERGE_REQUEST_DIFF_BASE_SHA", base.clone()),
        ]);
        pipeline.base = base;
        pipeline.environment = environment;
        pipeline
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        read_to_string(self.path(name)).unwrap()
    }

    /// Runs lines in a shell with these options. Returns the exit code and the output; processes
    /// that it starts keep running.
    fn shell(
        &self,
        options: &[&str],
        lines: &str,
        more: &[(&str, String)],
    ) -> (Option<i32>, String) {
        let log = File::create(self.path("log")).unwrap();
        let status = tools::command("bash")
            .args(options)
            .args(["-c", lines])
            .envs(&self.environment)
            .envs(more.iter().map(|(name, value)| (*name, value)))
            .env_remove("GITHUB_WORKSPACE")
            .env_remove("CI_PROJECT_DIR")
            .current_dir(self.path("repository"))
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .status()
            .unwrap();
        (status.code(), self.text("log"))
    }

    /// Runs a step of the action with these inputs, as GitHub does.
    fn step(&self, step: &Value, inputs: &BTreeMap<String, String>) -> (Option<i32>, String) {
        let filled = |text: &str| {
            let mut filled = text.to_owned();
            while let Some((before, rest)) = filled.split_once("${{ ") {
                let (expression, after) = rest.split_once(" }}").unwrap();
                let temp = &self.environment["RUNNER_TEMP"];
                let value = match expression {
                    "github.event.pull_request.base.sha" => self.base.clone(),
                    "github.event.pull_request.number" => "7".to_owned(),
                    "github.token" => "token".to_owned(),
                    "github.action_ref" => "main".to_owned(),
                    "github.action_repository" => "me/action".to_owned(),
                    "runner.temp" => temp.clone(),
                    "inputs.contract || format('{0}/contract-build/bin/contract', runner.temp)" => {
                        format!("{temp}/contract-build/bin/contract")
                    }
                    input => inputs[input.strip_prefix("inputs.").unwrap()].clone(),
                };
                filled = format!("{before}{value}{after}");
            }
            filled
        };
        let environment: Vec<(&str, String)> =
            texts(&step["env"]).map(|(name, text)| (name, filled(text))).collect();
        assert_eq!(step["shell"], "bash");
        let options = ["--noprofile", "--norc", "-eo", "pipefail"];
        self.shell(&options, step["run"].as_str().unwrap(), &environment)
    }
}

impl Drop for Pipeline {
    fn drop(&mut self) {
        for process in read_to_string(self.path("started")).unwrap_or_default().lines() {
            drop(Command::new("kill").arg(process).status());
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[test]
fn on_github_the_pull_request_that_brings_the_contract_is_green_and_commented() {
    let port = free_port();
    let recipe = recipe("README.md", port);
    let pipeline = Pipeline::new(port);
    let permissions: Vec<_> = texts(&recipe["permissions"]).collect();
    assert_eq!(permissions, [("contents", "read"), ("pull-requests", "write")]);
    let action = tools::yaml(&read_to_string(Path::new(ACTION).join("action.yml")).unwrap());
    for step in recipe["jobs"]["contract"]["steps"].as_array().unwrap() {
        if let Some(lines) = step["run"].as_str() {
            let (code, got) = pipeline.shell(&["-e"], lines, &[]);
            assert_eq!(code, Some(0), "{got}");
            continue;
        }
        if step["uses"] == "actions/checkout@v4" {
            continue;
        }
        assert_eq!(step["uses"], "OWNER/THIS-REPOSITORY/.github/actions/contract@main");
        let declared = action["inputs"].as_object().unwrap();
        let mut inputs: BTreeMap<String, String> = declared
            .iter()
            .filter_map(|(name, input)| Some((name.clone(), input["default"].as_str()?.to_owned())))
            .collect();
        for (name, value) in texts(&step["with"]) {
            assert!(declared.contains_key(name), "{name}");
            inputs.insert(name.to_owned(), value.to_owned());
        }
        for step in action["runs"]["steps"].as_array().unwrap() {
            if step["uses"].is_string() {
                continue;
            }
            let (code, got) = pipeline.step(step, &inputs);
            assert_eq!(code, Some(0), "{}: {got}", step["name"]);
            if step["name"] == "Comment" {
                write(pipeline.path("refuses"), "").unwrap();
                let (code, got) = pipeline.step(step, &inputs);
                assert_eq!(code, Some(0), "{got}");
                assert!(got.contains("HTTP 403\n::warning title=contract::"), "{got}");
            }
        }
    }
    assert!(pipeline.text("output").starts_with("name=contract-"));
    let comment = pipeline.text("temp/contract/comment.md");
    for part in ["<!-- contract: contract -->\n", "all hold", "0 breaking"] {
        assert!(comment.contains(part), "{part}\n{comment}");
    }
    assert_eq!(pipeline.text("summary"), comment);
    let gh = pipeline.text("gh");
    let body = pipeline.path("temp/contract/comment.md");
    let made = format!(
        "api --method POST repos/me/mine/issues/7/comments --field body=@{}\n",
        body.display()
    );
    assert!(gh.ends_with(&made), "{gh}");
}

#[test]
fn on_gitlab_the_merge_request_that_brings_the_contract_is_green() {
    let port = free_port();
    let recipe = recipe("tests/harness/README.md", port);
    let pipeline = Pipeline::new(port);
    let job = &recipe["contract"];
    // GitLab runs all lines in one shell.
    let lines = job["script"].as_array().unwrap().iter().map(|line| line.as_str().unwrap());
    let lines = lines.collect::<Vec<_>>().join("\n");
    let (code, got) = pipeline.shell(&["-eo", "pipefail"], &lines, &[]);
    assert_eq!(code, Some(0), "{got}");
    let kept = |value: &Value| pipeline.text(&format!("repository/{}", value.as_str().unwrap()));
    let artifacts = &job["artifacts"];
    assert!(kept(&artifacts["paths"][0]).contains("0 breaking"));
    let junit = kept(&artifacts["reports"]["junit"]);
    assert!(junit.contains(" file=\"own/AllocateIpv6InternetBandwidth/cases/"), "{junit:.2000}");
    assert_eq!(kept(&artifacts["reports"]["codequality"]), "[]\n");
}
