//! The recorded requests of the Terraform provider and the `aliyun` command line, sent again to the
//! local endpoint over each store (see `tests/terraform/README.md`).

use std::collections::BTreeMap;
use std::path::Path;

use crate::endpoint::Endpoint;
use harness::case::{Request, Style, Variant};
use harness::client;
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::now_secs;
use crate::support::endpoint;

const ALLOCATE: &str = "AllocateIpv6InternetBandwidth";

/// One request of a recording, and its answer.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    /// The command that was run, as `apply`.
    step: String,
    action: String,
    method: String,
    query: Vec<(String, String)>,
    body: Vec<(String, String)>,
    headers: BTreeMap<String, String>,
    /// The fault of the call, in the form of the endpoint's control path.
    fault: Option<Value>,
    /// The status, unless the connection broke.
    status: Option<u16>,
    /// How many addresses were listed. The answer keeps the first if calls name it.
    listed: Option<usize>,
    #[serde(default)]
    answer: Value,
}

impl Line {
    /// The id of the bandwidth that the call is about.
    fn bandwidth(&self) -> Option<&str> {
        let mut parameters = self.query.iter().chain(&self.body);
        let (_, id) = parameters.find(|(name, _)| name == "Ipv6InternetBandwidthId")?;
        Some(id)
    }
}

/// A recording.
pub struct Story {
    /// The file of its lines in `tests/terraform`.
    name: &'static str,
    /// The ids of the addresses that its calls name. A bandwidth belongs to the first.
    addresses: &'static [&'static str],
    /// The gateway of their VPC.
    gateway: &'static str,
    /// How many addresses there were.
    count: usize,
}

const DEMO: &[&str] = &["ipv6-demo14"];
const DEMO_GATEWAY: &str = "ipv6gw-demo";
const MADE: &[&str] = &["ipv6-hp32nxzaq1o094vui", "ipv6-hp38juzrzixoz0oym"];
const MADE_GATEWAY: &str = "ipv6gw-hp3pivpzmv2i7fc6a";

impl Story {
    pub const BANDWIDTH_ALONE: Self =
        Self { name: "bandwidth-alone", addresses: DEMO, gateway: DEMO_GATEWAY, count: 1 };
    pub const RETRIES: Self =
        Self { name: "retries", addresses: DEMO, gateway: DEMO_GATEWAY, count: 1 };
    pub const DATA_SOURCES: Self =
        Self { name: "data-sources", addresses: MADE, gateway: MADE_GATEWAY, count: 2 };
    pub const PAGING: Self =
        Self { name: "paging", addresses: DEMO, gateway: DEMO_GATEWAY, count: 55 };
    pub const CLI: Self =
        Self { name: "cli", addresses: &[MADE[1]], gateway: MADE_GATEWAY, count: 25 };

    fn lines(&self) -> Vec<Line> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform");
        let text = std::fs::read_to_string(folder.join(format!("{}.jsonl", self.name))).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The world before `lines` were recorded.
    fn world(&self, lines: &[Line]) -> Value {
        let others = (0..).map(|number| format!("ipv6-other{number:02}"));
        let ids = self.addresses.iter().map(|&id| id.to_owned()).chain(others).take(self.count);
        let address = |(number, id)| {
            let address = json!({
                "RegionId": "cn-huhehaote",
                "Ipv6Address": format!("2408:4003:1061:250a::{number:x}"),
                "VpcId": "vpc-hp30hsiagczhy7ry3",
                "VSwitchId": "vsw-hp3zayohudhhyc4lm",
            });
            (id, address)
        };
        let mut addresses: BTreeMap<String, Value> = ids.enumerate().map(address).collect();
        // A bandwidth that is named before it is bought was bought before.
        let mut until_bought = lines.iter().take_while(|line| line.action != ALLOCATE);
        if let Some(id) = until_bought.find_map(Line::bandwidth) {
            let address = addresses.get_mut(self.addresses[0]).unwrap();
            address["Ipv6InternetBandwidth"] = json!({
                "Ipv6InternetBandwidthId": id,
                "InternetChargeType": "PayByBandwidth",
                "Bandwidth": 200,
            });
        }
        let gateway = json!({ "RegionId": "cn-huhehaote", "VpcId": "vpc-hp30hsiagczhy7ry3" });
        json!({ "Accounts": { "1234567890123456": {
            "AccessKeys": { "testid": { "AccessKeySecret": "testsecret" } },
            "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" },
            "Ipv6Gateways": { self.gateway: gateway },
            "Ipv6Addresses": addresses,
        } } })
    }

    /// Sends it to an endpoint that is started with `arguments`.
    pub async fn hold(&self, arguments: &[&str]) {
        let endpoint = endpoint(arguments).await;
        self.play(&endpoint, &self.lines()).await;
        assert_eq!(endpoint.leaks(), Vec::<String>::new());
    }

    /// The same, each step in a new world.
    pub async fn hold_step_by_step(&self, arguments: &[&str]) {
        let endpoint = endpoint(arguments).await;
        for lines in self.lines().chunk_by(|line, next| line.step == next.step) {
            self.play(&endpoint, lines).await;
            // However many answers were lost, one bandwidth was bought and is still there.
            let bought = usize::from(!lines[0].step.starts_with("destroy-"));
            assert_eq!(bandwidths(&endpoint).await, bought, "{}", lines[0].step);
        }
        assert_eq!(endpoint.leaks(), Vec::<String>::new());
    }

    async fn play(&self, endpoint: &Endpoint, lines: &[Line]) {
        let world = format!("{:#}", self.world(lines));
        endpoint.control(Method::PUT, "world", &world).await.unwrap();
        let mut replaced = BTreeMap::new();
        for line in lines {
            let context = format!("{}, {}, {}", self.name, line.step, line.action);
            plan(endpoint, line).await;
            let answer = endpoint.send(&sign(line, &mut replaced), None).await;
            let Some(status) = line.status else {
                assert!(answer.is_err(), "{context}: the connection held: {answer:?}");
                continue;
            };
            let answer = answer.unwrap_or_else(|error| panic!("{context}: {error}"));
            let context = format!("{context}: {answer:?}");
            assert_eq!(answer.status, status, "{context}");
            // The provider panics at an empty body, and its data sources at a null.
            let body: Value = serde_json::from_str(&answer.body).expect(&context);
            assert!(!answer.body.contains("null"), "{context}");
            if let Some(id) = line.answer["InternetBandwidthId"].as_str() {
                replaced.insert(id.to_owned(), text(&body["InternetBandwidthId"]));
            }
            let listed = body["Ipv6Addresses"]["Ipv6Address"].as_array().map(Vec::len);
            assert_eq!(listed, line.listed, "{context}");
            compare("", &line.answer, &body, &replaced, &context);
        }
    }
}

/// How many addresses have a bandwidth.
async fn bandwidths(endpoint: &Endpoint) -> usize {
    let world = endpoint.control(Method::GET, "world", "").await.unwrap();
    let accounts = world["Accounts"].as_object().unwrap().values();
    let addresses = accounts.filter_map(|account| account["Ipv6Addresses"].as_object());
    let has_one = |address: &&Value| address["Ipv6InternetBandwidth"].is_object();
    addresses.flat_map(|addresses| addresses.values()).filter(has_one).count()
}

/// Plans the recorded fault of a call for the endpoint's next call.
async fn plan(endpoint: &Endpoint, line: &Line) {
    let mut fault = line.fault.clone();
    // No operation documents this code: admission answers it.
    let is_throttled = fault.take_if(|fault| fault["Code"] == "Throttling.User").is_some();
    let (method, limit) = if is_throttled {
        (Method::PUT, json!({ "Calls": 0, "Seconds": 60 }).to_string())
    } else {
        (Method::DELETE, String::new())
    };
    endpoint.control(method, "throttling", &limit).await.unwrap();
    if let Some(mut fault) = fault {
        fault["Action"] = line.action.as_str().into();
        fault["Times"] = 1.into();
        let faults = json!({ "Faults": [fault] }).to_string();
        endpoint.control(Method::PUT, "faults", &faults).await.unwrap();
    }
}

/// The request as its client would send it now, with the ids of the current answers in place of the
/// recorded ones, and a new token for each recorded one.
fn sign(line: &Line, replaced: &mut BTreeMap<String, String>) -> client::Wire {
    let mut renew = |(name, value): &(String, String)| {
        if name == "ClientToken" {
            let token = || format!("TF-{}", client::fresh_nonce());
            replaced.entry(value.clone()).or_insert_with(token);
        }
        (name.clone(), replaced.get(value).unwrap_or(value).clone())
    };
    let [query, body] =
        [&line.query, &line.body].map(|part| -> Vec<_> { part.iter().map(&mut renew).collect() });
    let request = json!({
        "action": line.action, "method": line.method, "query": query, "body": body
    });
    let request: Request = serde_json::from_value(request).unwrap();
    let variant = Variant { style: Style::V1, format: None };
    let nonce = client::fresh_nonce();
    let mut wire = client::sign(&request, &variant, now_secs(), &nonce);
    wire.headers.extend(line.headers.clone());
    wire
}

/// The elements that the provider keeps in its state or decides by: a value other than the recorded
/// one leads to a plan that is not empty, or to another purchase.
const KEPT: [&str; 15] = [
    "Bandwidth",
    "BusinessStatus",
    "Code",
    "InstanceChargeType",
    "InternetBandwidthId",
    "InternetChargeType",
    "Ipv6AddressId",
    "Ipv6GatewayId",
    "Ipv6InternetBandwidthId",
    "NetworkType",
    "PageNumber",
    "PageSize",
    "Status",
    "TotalCount",
    "VSwitchId",
];

/// Compares an answer with the recorded one: every recorded member exists with the same type, and
/// the members that the provider keeps are equal.
fn compare(
    name: &str,
    recorded: &Value,
    answered: &Value,
    replaced: &BTreeMap<String, String>,
    context: &str,
) {
    match (recorded, answered) {
        (Value::Object(recorded), Value::Object(answered)) => {
            for (name, recorded) in recorded {
                let answered = answered.get(name);
                let answered = answered.unwrap_or_else(|| panic!("{context}\nlacks {name}"));
                compare(name, recorded, answered, replaced, context);
            }
        }
        (Value::Array(recorded), Value::Array(answered)) => {
            for recorded in recorded {
                let id = &recorded["Ipv6AddressId"];
                let answered = answered.iter().find(|answered| answered["Ipv6AddressId"] == *id);
                let answered = answered.unwrap_or_else(|| panic!("{context}\nlacks {id}"));
                compare(name, recorded, answered, replaced, context);
            }
        }
        (Value::String(recorded), Value::String(answered)) if KEPT.contains(&name) => {
            assert_eq!(replaced.get(recorded).unwrap_or(recorded), answered, "{context}\n{name}");
        }
        (Value::Number(recorded), Value::Number(answered)) if KEPT.contains(&name) => {
            assert_eq!(recorded, answered, "{context}\n{name}");
        }
        (Value::String(_), Value::String(_)) | (Value::Number(_), Value::Number(_)) => {}
        _ => panic!("{context}\n{name} is {answered}, not of the type of {recorded}"),
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
