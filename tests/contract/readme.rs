//! The README tells what is so: its commands are run, its files are there, its snippets are those
//! that are tried.

use std::path::Path;
use std::process::Command;

use suites::endpoint::{Endpoint, built};

fn root() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// The blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let readme = read("README.md");
    let opening = format!("```{language}\n");
    let blocks = readme.split(&opening).skip(1).map(|rest| rest.split("```").next().unwrap());
    blocks.map(|block| block.trim_end().to_owned()).collect()
}

/// Where each command of the README is run.
const RUN: &[(&str, &str)] = &[
    ("cargo run --release --bin local-endpoint", ".ci/run, run_main_job"),
    ("cargo test", ".ci/run, run_tests, with those of tests/foreign"),
    ("cargo test --workspace", ".ci/run, run_tests"),
    (
        "cargo run --release --bin contract -- verify --endpoint http://127.0.0.1:8787",
        ".ci/run, run_main_job",
    ),
    (
        "cargo run --release --bin contract -- call --endpoint http://127.0.0.1:8787 --case \
         IllegalParam.Bandwidth/letters --signature V1 --format XML",
        "verify.rs, what_does_not_hold_is_told_with_its_sentence_its_difference_and_a_command",
    ),
    (
        "contract verify --endpoint https://vpc.cn-hangzhou.aliyuncs.com --region cn-hangzhou \
         --bind ipv6-free=ipv6-bp1xxxx",
        "verify/given.rs, with an endpoint on this machine",
    ),
    ("contract diff main contracts", "diff.rs, and tests/foreign/action.rs on a revision"),
    ("contract review main contracts --output review.html", "review.rs, on folders"),
    (
        "contract lint --contracts contracts",
        "lint.rs, nothing_is_wrong_with_the_contract_of_this_repository",
    ),
    ("contract coverage --ratchet", "proofs.rs, every_row_is_proved_and_none_has_lost_a_proof"),
    (
        "contract fuzz --endpoint http://127.0.0.1:8787",
        ".ci/run, run_main_job, for a shorter while",
    ),
    (
        "contract record --endpoint https://vpc.cn-hangzhou.aliyuncs.com --region cn-hangzhou --case \
         'IllegalParam.*'",
        "record.rs, on endpoints of this machine",
    ),
    ("contract unpack own", "verify.rs, somebody_can_add_a_case_of_their_own"),
    (
        "contract verify --contracts own --endpoint http://127.0.0.1:8787 --case my-case --propose",
        "verify.rs, somebody_can_add_a_case_of_their_own",
    ),
    (
        "cargo run --release --bin local-endpoint -- call AllocateIpv6InternetBandwidth \
         RegionId=cn-huhehaote Ipv6AddressId=ipv6-demo01 Bandwidth=200",
        ".ci/run, run_main_job",
    ),
    ("cargo run --release --bin local-endpoint -- --help", "endpoint.rs, help_teaches"),
    (
        "cargo run --release --bin local-endpoint -- --data kept",
        "places.rs, over other directories",
    ),
    (
        "local-endpoint import --dynamodb-table TABLE world.json",
        "tests/foreign/places.rs, on DynamoDB Local",
    ),
    ("cargo test --workspace stores", ".ci/run, run_tests, with all other tests"),
    (
        "KILLS=200 cargo test --release --test contract crashes -- --nocapture",
        ".ci/run, run_tests, with fewer kills",
    ),
    (
        "SEEDS=0..1000000 cargo test --release --test simulation schedule -- --nocapture",
        "simulation/main.rs, no_schedule_breaks_a_promise, with fewer seeds",
    ),
    ("pip install alibabacloud-vpc20160428", "tests/foreign/clients.rs, with the pinned version"),
    (".ci/clients", ".ci/run, run_clients"),
    (".ci/template.sh", ".ci/run, check_template"),
    (".ci/fuzz 600", ".ci/run, fuzz, for a shorter while"),
    (
        "sam build && sam deploy --guided",
        "sam build by .ci/template.sh; deploying needs an account",
    ),
    (
        "CASE=IllegalParam.Bandwidth cargo test --test contract cases",
        "here, some_cases_can_be_tried_by_name",
    ),
    ("cargo insta review", "a person reviews"),
    ("cargo bench", "by hand: figures of a shared machine prove nothing"),
    ("cargo bench --bench scale", "by hand, too"),
];

#[test]
fn every_command_is_run_somewhere() {
    for block in blocks("sh") {
        for command in block.lines() {
            assert!(RUN.iter().any(|(known, _)| *known == command), "nothing runs: {command}");
        }
    }
    let ci = read(".ci/run").replace("\n    ", " ");
    for part in [
        "cargo run --quiet --release --bin local-endpoint -- call AllocateIpv6InternetBandwidth",
        "RegionId=cn-huhehaote Ipv6AddressId=ipv6-demo01 Bandwidth=200",
        "cargo test --locked --workspace",
        "cargo run --quiet --release --bin contract -- verify --exact --endpoint http://127.0.0.1:8787",
        ".ci/clients",
        ".ci/template.sh",
    ] {
        assert!(ci.contains(part), ".ci/run does not run: {part}");
    }
}

#[test]
fn some_cases_can_be_tried_by_name() {
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command
        .args(["cases::every_case_holds_in_process", "--exact"])
        .env("CASE", "IllegalParam.Bandwidth")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    let mut command = Command::new(std::env::current_exe().unwrap());
    let output = command
        .args(["cases::every_case_holds_in_process", "--exact"])
        .env("CASE", "no such case")
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(!output.status.success() && told.contains("no case was tried"), "{told}");
}

#[test]
fn every_promise_leads_to_a_test_that_is_there() {
    let (readme, table) = (read("README.md"), read("tests/promises.md"));
    let rows = table.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows =
        rows.filter_map(|row| row.split_once(" | ")).filter(|(_, tests)| tests.contains('`'));
    let mut rows_seen = 0;
    for (promise, tests) in rows {
        rows_seen += 1;
        assert!(readme.contains(promise), "the README does not say: {promise}");
        for test in tests.split("; ") {
            let (file, name) = test.strip_prefix('`').unwrap().split_once("` ").unwrap();
            let folder = if file.starts_with("functions/") { "" } else { "tests/" };
            let text = read(&format!("{folder}{file}"));
            let is_there = ["(", "<"].iter().any(|end| text.contains(&format!("fn {name}{end}")));
            assert!(is_there, "{file} has no {name}");
        }
    }
    assert!(rows_seen >= 40, "{rows_seen}");
}

#[test]
fn every_file_that_is_linked_is_there() {
    let readme = read("README.md");
    for link in readme.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if let Some(anchor) = link.strip_prefix('#') {
            let headings = readme.lines().filter_map(|line| line.strip_prefix("## "));
            let mut anchors = headings.map(|heading| heading.to_lowercase().replace(' ', "-"));
            assert!(anchors.any(|heading| heading == anchor), "{link}");
        } else if !link.starts_with("http") {
            assert!(root().join(link).exists(), "{link}");
        }
    }
}

#[tokio::test]
async fn the_snippets_are_those_that_the_endpoint_prints() {
    let binary = built("local-endpoint").unwrap();
    let endpoint = Endpoint::start(&binary, &[]).await.unwrap();
    let banner = endpoint.banner().await.replace(endpoint.address(), "127.0.0.1:8787");
    for language in ["python", "bash", "hcl"] {
        let snippets = blocks(language);
        assert_eq!(snippets.len(), 1, "{language}");
        assert!(banner.contains(&snippets[0]), "{banner}");
    }
}

/// So the requests of the snippet are those that were recorded.
#[test]
fn the_terraform_snippet_is_the_configuration_that_was_recorded() {
    let recorded = read("tests/terraform/main.tf");
    let resource = |text: &str| {
        let begin = text.find("resource ").unwrap();
        let lines = text[begin..].split('}').next().unwrap().lines();
        let fixed = lines.filter(|line| !line.trim_start().starts_with("bandwidth"));
        fixed.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(resource(&blocks("hcl")[0]), resource(&recorded));
}

#[tokio::test]
async fn the_table_of_errors_on_demand_names_addresses_that_are_there() {
    let demo = read("functions/local-endpoint/src/demo-world.json");
    let readme = read("README.md");
    let rows = readme.lines().filter(|line| line.starts_with("| `ipv6-"));
    let mut rows_seen = 0;
    for row in rows {
        rows_seen += 1;
        for id in row.split('`').filter(|part| part.starts_with("ipv6-")) {
            assert!(demo.contains(&format!("\"{id}\"")), "{id} is not in the demo world");
        }
    }
    assert!(rows_seen > 15, "{rows_seen}");
}
