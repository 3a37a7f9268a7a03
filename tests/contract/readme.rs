//! The pages tell what is so: their links lead somewhere, their commands exist, the README's first call
//! is made, and its snippets are those that are tried.

use std::process::Command;

use suites::endpoint::{Endpoint, built};

use self::page::{Page, root};

mod commands;
mod page;

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Fails with what was found, each beside its page.
fn assert_none(found: &[String]) {
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_link_leads_to_a_file_and_a_heading() {
    let mut found = Vec::new();
    for page in Page::all() {
        for link in &page.links {
            if let Err(error) = page.check(link) {
                found.push(format!("{}: {link}: {error}", page.path));
            }
        }
    }
    assert_none(&found);
}

#[test]
fn every_command_exists_with_its_options() {
    let mut found = Vec::new();
    let mut checked = 0;
    for page in Page::all() {
        for (language, text) in &page.blocks {
            let lines: &mut dyn Iterator<Item = &str> = match language.as_str() {
                "sh" => &mut text.lines(),
                // Without a language rustdoc takes a block for Rust.
                "" => {
                    found.push(format!("{}: a block without a language: {text:.40}", page.path));
                    continue;
                }
                _ => continue,
            };
            for line in lines {
                checked += 1;
                if let Err(error) = commands::check(line) {
                    found.push(format!("{}: {line}: {error}", page.path));
                }
            }
        }
    }
    assert_none(&found);
    assert!(checked > 25, "{checked}");
}

#[test]
fn the_readme_is_one_page_with_a_picture_of_every_room() {
    let readme = Page::read("README.md");
    assert!(readme.text.lines().count() <= 150, "more than a page");
    let picture = readme.code("mermaid");
    assert_eq!(picture.len(), 1);
    let rooms = std::fs::read_dir(root().join("functions")).unwrap();
    let rooms = rooms.map(|room| room.unwrap().path()).filter(|room| room.is_dir());
    for room in rooms {
        let name = room.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(picture[0].contains(&name), "{name}");
        assert!(
            readme.links.iter().chain(&Page::read("functions/README.md").links).any(|link| {
                link.trim_start_matches("functions/") == format!("{name}/README.md")
            }),
            "no page leads to {name}"
        );
    }
}

/// What `.ci/run` runs of the README beside the tests.
#[test]
fn the_main_job_runs_in_ci() {
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

#[tokio::test]
async fn the_first_call_buys_and_the_second_is_answered_as_the_readme_says() {
    let binary = built("local-endpoint").unwrap();
    let endpoint = Endpoint::start(&binary, &[]).await.unwrap();
    let readme = Page::read("README.md");
    let (_, arguments) =
        readme.code("sh").into_iter().find_map(|line| line.split_once(" -- call ")).unwrap();
    let call = || {
        let mut command = Command::new(&binary);
        command.arg("call").args(arguments.split(' ')).args(["--endpoint", endpoint.address()]);
        let output = command.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    assert_eq!(call().0, Some(0));
    let (code, told) = call();
    let (_, promised) = readme.text.split_once("repeated, it answers `").unwrap();
    let promised = promised.split('`').next().unwrap();
    assert_eq!(code, Some(1), "{told}");
    assert!(told.contains(promised), "{told}");
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
    let page = read("tests/README.md");
    let (_, section) = page.split_once("\n## From each promise to its test\n").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let rows = section.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"));
    let rows = rows.filter_map(|row| row.rsplit_once(" | "));
    let tests = page::functions(&["functions", "tests"].map(|room| root().join(room)));
    let mut rows_seen = 0;
    for (promise, proofs) in rows.filter(|(_, proofs)| proofs.contains('`')) {
        rows_seen += 1;
        for test in proofs.split("; ") {
            assert!(tests.contains(test.trim_matches('`')), "{promise} there is no {test}");
        }
    }
    assert!(rows_seen >= 40, "{rows_seen}");
}

#[tokio::test]
async fn the_snippets_are_those_that_the_endpoint_prints() {
    let binary = built("local-endpoint").unwrap();
    let endpoint = Endpoint::start(&binary, &[]).await.unwrap();
    let banner = endpoint.banner().await.replace(endpoint.address(), "127.0.0.1:8787");
    let readme = Page::read("README.md");
    for language in ["python", "js", "bash", "hcl"] {
        let snippets = readme.code(language);
        assert_eq!(snippets.len(), 1, "{language}");
        assert!(banner.contains(snippets[0]), "{language}: {banner}");
    }
    // So the requests of the printed resource are those that were recorded.
    let recorded = read("tests/terraform/main.tf");
    let resource = |text: &str| {
        let begin = text.find("resource ").unwrap();
        let lines = text[begin..].split('}').next().unwrap().lines();
        let fixed = lines.filter(|line| !line.trim_start().starts_with("bandwidth"));
        fixed.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(resource(&banner), resource(&recorded));
}

#[test]
fn the_table_of_errors_on_demand_names_addresses_that_are_there() {
    let demo = read("functions/local-endpoint/src/demo-world.json");
    let page = read("functions/local-endpoint/README.md");
    let rows = page.lines().filter(|line| line.starts_with("| `ipv6-"));
    let mut rows_seen = 0;
    for row in rows {
        rows_seen += 1;
        for id in row.split('`').filter(|part| part.starts_with("ipv6-")) {
            assert!(demo.contains(&format!("\"{id}\"")), "{id} is not in the demo world");
        }
    }
    assert!(rows_seen > 15, "{rows_seen}");
}
