//! Endpoints whose world cannot be set: which cases are tried there, on which real ids, and what is
//! bought.

use std::collections::BTreeSet;
use std::path::Path;

use bytes::Bytes;
use harness::contract::Contract;
use harness::http::Server;
use harness::judge::validator;
use harness::operations::Operations;
use harness::verify::Roles;
use harness::world::members;
use http::{Request, Response};
use http_body_util::Full;
use reqwest::Method;
use serde_json::{Value, json};
use suites::command::{contract, endpoint, printed, verify};
use suites::endpoint::Endpoint;
use suites::scratch;
use suites::support::ALLOCATE;

use super::before::{Behind, before};
use super::{count, not_run};

/// The operation that undoes a purchase.
const UNDO: &str = "DeleteIpv6InternetBandwidth";

/// A secret as long as real ones.
const SECRET: &str = "CANARYgivenSecretNobodyMayShow";

/// A world in which each role has an address, and each belongs to another account and region.
fn world() -> Value {
    let address = |ip: &str, more: Value| {
        let mut address =
            json!({ "RegionId": "cn-hangzhou", "VpcId": "vpc-real", "Ipv6Address": ip });
        let more = more.as_object().unwrap().clone();
        address.as_object_mut().unwrap().extend(more);
        address
    };
    let attached = |mut more: Value| {
        more["AssociatedInstanceType"] = json!("NetworkInterface");
        more["AssociatedInstanceId"] = json!("eni-real");
        more
    };
    let bandwidth = json!({ "Ipv6InternetBandwidth": {
        "Ipv6InternetBandwidthId": "ipv6bw-bbbbbbbbbbbbbbbbb", "Bandwidth": 100,
        "InternetChargeType": "PayByTraffic"
    } });
    json!({ "Accounts": { "1987654321098765": {
        "AccessKeys": { "LTAI5tGiven": { "AccessKeySecret": SECRET } },
        "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
        "Ipv6Gateways": { "ipv6gw-real": { "RegionId": "cn-hangzhou", "VpcId": "vpc-real" } },
        "Ipv6Addresses": {
            "ipv6-free-real": address("2408:4004:7::1", attached(json!({}))),
            "ipv6-unattached-real": address("2408:4004:7::2", json!({})),
            "ipv6-taken-real": address("2408:4004:7::3", attached(bandwidth)),
            "ipv6-single-isp-real":
                address("2408:4004:7::4", attached(json!({ "Ipv6Isp": "ChinaMobile" }))),
            "ipv6-pending-real": address("2408:4004:7::5", attached(json!({ "Status": "Pending" }))),
            "ipv6-ula-real": address("fd12:3456:789a::7", attached(json!({}))),
            "ipv6-private-gua-real":
                address("2408:4004:7::6", attached(json!({ "PrivateGua": true }))),
            "ipv6-cloud-instance-real": address("2408:4004:7::8", json!({
                "AssociatedInstanceType": "NatGateway", "AssociatedInstanceId": "ngw-real"
            })),
        }
    } } })
}

pub(super) async fn given_endpoint(folder: &Path) -> (Endpoint, String) {
    let file = folder.join("world.json");
    std::fs::write(&file, world().to_string()).unwrap();
    endpoint(&["--world", file.to_str().unwrap()]).await
}

/// The options that name the key, the region and the real ids.
pub(super) fn options(url: &str) -> Vec<String> {
    let mut options: Vec<String> = [
        "--as-given",
        "--endpoint",
        url,
        "--region",
        "cn-hangzhou",
        "--access-key-id",
        "LTAI5tGiven",
        "--access-key-secret",
        SECRET,
        "--bind",
        "ipv6gw-free=ipv6gw-real",
    ]
    .map(str::to_owned)
    .to_vec();
    for role in Roles::read(&Contract::embedded()).unwrap().names() {
        options.extend(["--bind".to_owned(), format!("{role}={role}-real")]);
    }
    options
}

#[test]
fn an_address_has_one_role_at_most_and_the_file_fits_its_schema() {
    let contract = Contract::embedded();
    let schema = validator(&contract, "common/schemas/roles.json").unwrap();
    let file = contract.json(&format!("{ALLOCATE}/roles.json")).unwrap();
    schema.validate(&file).unwrap();
    let roles = Roles::read(&contract).unwrap();
    let mut known = BTreeSet::new();
    for case in contract.cases().unwrap() {
        for (_, account) in members(&case.world["Accounts"]) {
            for (_, address) in members(&account["Ipv6Addresses"]) {
                let of = roles.of(address);
                assert!(of.len() <= 1, "{}: {of:?}", case.path);
                known.extend(of.iter().map(|role| (*role).to_owned()));
            }
        }
    }
    assert_eq!(known, roles.names().map(str::to_owned).collect(), "roles that cases have");
    // Every code is documented.
    let operations = Operations::read(&contract).unwrap();
    let codes: BTreeSet<&str> = operations.errors().map(|(_, row)| row.code.as_str()).collect();
    for code in file["needNothing"].as_array().unwrap() {
        assert!(codes.contains(code.as_str().unwrap()), "{code}");
    }
}

#[tokio::test]
async fn with_real_ids_everything_that_can_be_tried_holds_and_nothing_is_changed() {
    let folder = scratch();
    let (endpoint, url) = given_endpoint(folder.path()).await;
    let before = endpoint.control(Method::GET, "world", "").await.unwrap();
    let options = options(&url);
    let options: Vec<&str> = options.iter().map(String::as_str).collect();
    let html = folder.path().join("verdict.html");
    let annotations = folder.path().join("annotations");
    let report = format!("html={},github={}", html.display(), annotations.display());
    let (code, text, report) = verify(&[&options[..], &["--report", &report]].concat());
    assert_eq!(code, Some(0), "{text}");
    let reasons = not_run(&report);
    assert!(count(&report, "trials") > 1000, "{text}");
    assert!(reasons["it changes something, which needs --allow-purchases"] > 100, "{reasons:?}");
    assert!(!reasons.keys().any(|reason| reason.contains("--bind")), "{reasons:?}");
    assert_eq!(report["readsState"], json!(false));
    assert_eq!(endpoint.control(Method::GET, "world", "").await.unwrap(), before);
    let page = std::fs::read_to_string(html).unwrap();
    let annotations = std::fs::read_to_string(annotations).unwrap();
    for message in [&text, &report.to_string(), &page, &annotations] {
        assert!(!message.contains(SECRET) && !message.contains("Signature="), "a secret is shown");
    }
    // A second run: no nonce of the first run is reused.
    let (code, text, _) = verify(&options);
    assert_eq!(code, Some(0), "{text}");

    // A wrong id is reported, and a refused key is reported at once.
    let mut wrong: Vec<String> =
        options.iter().map(|option| option.replace("taken-real", "free-real")).collect();
    let arguments: Vec<&str> = wrong.iter().map(String::as_str).collect();
    let (code, text, _) = verify(&[&arguments[..], &["--case", "OperationFailed.*"]].concat());
    assert!(
        code == Some(1) && text.contains("OperationFailed.InternetBandwidthAlreadyExisted"),
        "{text}"
    );
    for option in &mut wrong {
        *option = option.replace(SECRET, "CANARYanotherSecretNobodyShows");
    }
    let arguments: Vec<&str> = wrong.iter().map(String::as_str).collect();
    let output = contract(&[&["verify"], &arguments[..]].concat());
    assert_eq!(output.status.code(), Some(2));
    let message = printed(&output);
    assert!(
        message.contains("the access key LTAI5t*** is refused with SignatureDoesNotMatch"),
        "{message}"
    );
    assert!(!message.contains("CANARY"), "{message}");
}

/// A fake in front of an endpoint that has no operation to undo purchases.
async fn keeping(address: &str) -> Server {
    before(address, async |behind: Behind, request: Request<Bytes>| {
        let action = request.headers().get("x-acs-action").map(|action| action.to_str().unwrap());
        if action == Some(UNDO) {
            let body = r#"{"RequestId":"R","Code":"InvalidAction.NotFound"}"#;
            let response = Response::builder().status(404);
            let response = response.header("content-type", "application/json;charset=utf-8");
            return Ok(response.body(Full::new(Bytes::from(body)))?);
        }
        behind.pass(request).await
    })
    .await
}

/// How many addresses of a world have a bandwidth.
pub(super) fn bandwidths(world: &Value) -> usize {
    let accounts = members(&world["Accounts"]);
    let addresses = accounts.flat_map(|(_, account)| members(&account["Ipv6Addresses"]));
    addresses.filter(|(_, it)| it.get("Ipv6InternetBandwidth").is_some()).count()
}

#[tokio::test]
async fn each_purchase_is_released_before_the_next_and_reported() {
    let folder = scratch();
    let (endpoint, url) = given_endpoint(folder.path()).await;
    let keeping = keeping(endpoint.address()).await;
    let buy = ["--allow-purchases", "--case", "Success/*", "--signature", "v3", "--format", "json"];
    let run = async |url: String| {
        let options = options(&url);
        tokio::task::spawn_blocking(move || {
            let options: Vec<&str> = options.iter().map(String::as_str).collect();
            verify(&[&options[..], &buy].concat())
        })
        .await
        .unwrap()
    };
    let (code, text, report) = run(url).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(count(&report, "trials") > 40, "{text}");
    let purchases = report["purchases"].as_array().unwrap();
    assert!(purchases.len() > 40, "{text}");
    assert!(purchases.iter().all(|purchase| purchase["released"] == true), "{text}");
    assert!(text.contains("bought and released: Ipv6InternetBandwidthId ipv6bw-"), "{text}");
    let world = endpoint.control(Method::GET, "world", "").await.unwrap();
    assert_eq!(bandwidths(&world), 1, "only the one that was there: {world}");

    // Where nothing can be released, the report says so, and no more is bought.
    let (code, text, report) = run(keeping.url().to_owned()).await;
    assert_eq!(code, Some(1), "{text}");
    assert_eq!(count(&report, "purchases"), 1, "{text}");
    let message = format!("the endpoint has no {UNDO}");
    let kept = "BOUGHT AND NOT RELEASED: Ipv6InternetBandwidthId ipv6bw-";
    assert!(text.contains(kept) && text.contains(&message), "{text}");
    assert!(not_run(&report).contains_key("an earlier case could not be undone"));
}
