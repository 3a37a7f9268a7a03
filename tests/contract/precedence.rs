//! Of two faults in one call, the one that is checked first is answered: faults of the request, and
//! faults of its admission (decision `check-order`). `allocation` tests the order of the rules.

use harness::case::{Asked, Case, Request, Style, Throttling, Variant};
use harness::client;
use harness::contract::Contract;
use harness::target::Target;
use serde_json::{Value, json};
use suites::now_secs;
use suites::support::{ALLOCATE, allocate};
use suites::worlds::{account, one_address};

/// A fault: the code of its answer, and a field of a case's request with the value that causes it.
/// The path is that of the field, or of a member of `common`.
struct Fault {
    code: &'static str,
    path: &'static str,
    value: Value,
}

fn fault(code: &'static str, path: &'static str, value: Value) -> Fault {
    Fault { code, path, value }
}

fn first() -> Vec<Fault> {
    let repeated = json!([["RegionId", "cn-nowhere"], ["Bandwidth", "1"], ["Bandwidth", "2"]]);
    let eight_kib = json!({ "repeat": "x", "times": 8192 });
    let megabyte: Vec<_> =
        (0..128).map(|number| json!([format!("P{number}"), eight_kib])).collect();
    vec![
        fault("UnsupportedHTTPMethod", "/method", json!("PUT")),
        fault("RequestTooLarge", "/body", json!(megabyte)),
        fault("InvalidParameter.Format", "/query", repeated),
    ]
}

fn last() -> Vec<Fault> {
    vec![
        fault("InvalidAccessKeyId.NotFound", "/accessKeyId", json!("nobody")),
        fault("SignatureDoesNotMatch", "/accessKeySecret", json!("wrong")),
        fault("InvalidRegionId.NotFound", "/query/RegionId", json!("cn-nowhere")),
        fault("InvalidIpv6Instance.NotFound", "/query/Ipv6AddressId", json!("ipv6-nowhere")),
    ]
}

/// The faults of a V1 call, in checking order.
fn v1() -> Vec<Fault> {
    let wire = vec![
        fault("MissingAction", "/common/Action", json!(null)),
        fault("InvalidAction.NotFound", "/common/Action", json!("Nothing")),
        fault("MissingVersion", "/common/Version", json!(null)),
        fault("InvalidVersion", "/common/Version", json!("2014-05-26")),
        fault("InvalidParameter.Format", "/format", json!("YAML")),
        fault("InvalidSignatureType", "/common/SignatureType", json!("BEARERTOKEN")),
        fault("MissingAccessKeyId", "/common/AccessKeyId", json!(null)),
        fault("MissingSignature", "/common/Signature", json!(null)),
        fault("MissingSignatureMethod", "/common/SignatureMethod", json!(null)),
        fault("InvalidSignatureMethod", "/common/SignatureMethod", json!("HMAC-SHA256")),
        fault("MissingSignatureVersion", "/common/SignatureVersion", json!(null)),
        fault("InvalidSignatureVersion", "/common/SignatureVersion", json!("2.0")),
        fault("MissingSignatureNonce", "/common/SignatureNonce", json!(null)),
        fault("MissingTimestamp", "/common/Timestamp", json!(null)),
        fault("InvalidTimeStamp.Format", "/common/Timestamp", json!("yesterday")),
        fault("InvalidTimeStamp.Expired", "/common/Timestamp", json!({ "offsetSeconds": -960 })),
    ];
    first().into_iter().chain(wire).chain(last()).collect()
}

/// The faults of a V3 call, in checking order.
fn v3() -> Vec<Fault> {
    let rsa = "ACS3-RSA-SHA256 Credential=testid,SignedHeaders=host,Signature=00";
    let incomplete = "ACS3-HMAC-SHA256 Credential=testid,Signature=00";
    let wire = vec![
        fault("InvalidAction.NotFound", "/common/x-acs-action", json!("Nothing")),
        fault("MissingVersion", "/common/x-acs-version", json!(null)),
        fault("InvalidVersion", "/common/x-acs-version", json!("2014-05-26")),
        fault("InvalidParameter.Format", "/format", json!("YAML")),
        fault("InvalidSignatureType", "/query/SignatureType", json!("BEARERTOKEN")),
        fault("MissingAuthorization", "/common/authorization", json!(null)),
        fault("InvalidSignatureMethod", "/common/authorization", json!(rsa)),
        fault("IncompleteSignature", "/common/authorization", json!(incomplete)),
        fault("InvalidTimeStamp.Format", "/common/x-acs-date", json!("yesterday")),
        fault("InvalidTimeStamp.Expired", "/common/x-acs-date", json!({ "offsetSeconds": 960 })),
    ];
    first().into_iter().chain(wire).chain(last()).collect()
}

/// A case whose call succeeds.
fn sound() -> Case {
    let cases = Contract::embedded().cases().unwrap();
    let plain = |case: &Case| {
        case.folder() == ALLOCATE
            && case.group() == "Success"
            && case.before.is_empty()
            && !case.request.query.list().is_empty()
            && case.request.body.list().is_empty()
            && case.request.method == "POST"
            && case.request.common.is_empty()
    };
    cases.into_iter().find(plain).unwrap()
}

fn set(request: &mut Value, fault: &Fault) {
    let mut parts = fault.path.split('/').skip(1);
    let (field, member) = (parts.next().unwrap(), parts.next());
    match member {
        Some(member) => {
            if !request[field].is_object() {
                request[field] = json!({});
            }
            request[field][member] = fault.value.clone();
        }
        None => request[field] = fault.value.clone(),
    }
}

async fn check(style: Style, faults: Vec<Fault>) {
    let sound = sound();
    let query = Value::Object(
        sound.request.query.list().into_iter().map(|(name, value)| (name, value.into())).collect(),
    );
    let mut target = Target::InProcess(Box::default());
    let signature = if style.is_v3() { "V3" } else { "V1" };
    let mut pairs = 0;
    for (position, winner) in faults.iter().enumerate() {
        for loser in &faults[position + 1..] {
            // One field cannot have two faults.
            let meet = |one: &str, two: &str| one == two || one.starts_with(&format!("{two}/"));
            if meet(winner.path, loser.path) || meet(loser.path, winner.path) {
                continue;
            }
            let secret = &sound.request.access_key_secret;
            let mut request = json!({
                "action": ALLOCATE, "query": query, "signature": signature,
                "accessKeySecret": secret
            });
            // Without the key's id the call can have no other fault of the key.
            let keys = ["/accessKeyId", "/common/AccessKeyId"];
            if keys.contains(&winner.path) && keys.contains(&loser.path) {
                continue;
            }
            set(&mut request, winner);
            set(&mut request, loser);
            pairs += 1;
            let request: Request = serde_json::from_value(request).unwrap();
            let format = match &request.format {
                Asked::Format(format) => format.clone(),
                Asked::Either | Asked::None => "JSON".to_owned(),
            };
            let variant = Variant { style, format: Some(format) };
            target.begin(&sound.world, None).await.unwrap();
            let wire = client::sign(&request, &variant, now_secs(), "nonce");
            let answer = target.send(&wire, None).await.unwrap();
            let body = answer.read().unwrap();
            let code = body.text("Code").unwrap_or("Success");
            assert_eq!(code, winner.code, "{style:?}: {} wins before {}", winner.code, loser.code);
        }
    }
    assert!(pairs > 80, "{pairs} pairs tried");
}

#[tokio::test]
async fn of_two_faults_of_a_v1_call_the_one_checked_first_is_answered() {
    check(Style::V1, v1()).await;
}

#[tokio::test]
async fn of_two_faults_of_a_v3_call_the_one_checked_first_is_answered() {
    check(Style::V3, v3()).await;
}

/// A call of a RAM user, with its world.
struct Scene {
    world: Value,
    throttling: Option<Throttling>,
    request: Value,
}

impl Scene {
    /// A call without a fault.
    fn sound() -> Self {
        let mut world = one_address();
        let policy = json!({
            "Version": "1",
            "Statement": [{ "Effect": "Allow", "Action": "vpc:*", "Resource": "*" }]
        });
        account(&mut world)["RamUsers"]["alice"] = json!({
            "UserId": "201234567890123456",
            "AccessKeys": { "alice": { "AccessKeySecret": "testsecret" } },
            "Policies": { "Everything": policy }
        });
        let mut request = allocate("ipv6-1");
        request["accessKeyId"] = "alice".into();
        request["nonce"] = "2".into();
        Self { world, throttling: None, request }
    }

    fn user(&mut self) -> &mut Value {
        &mut account(&mut self.world)["RamUsers"]["alice"]
    }
}

/// A fault of admission: its code, and what causes it.
type DoorFault = (&'static str, fn(&mut Scene));

/// The faults of admission and of the first checks after it, in checking order.
const DOOR: &[DoorFault] = &[
    ("InvalidTimeStamp.Expired", |scene| {
        scene.request["common"]["Timestamp"] = json!({ "offsetSeconds": -960 });
        scene.request["common"]["x-acs-date"] = json!({ "offsetSeconds": -960 });
    }),
    ("InvalidAccessKeyId.NotFound", |scene| {
        let key = scene.user()["AccessKeys"]["alice"].take();
        scene.user()["AccessKeys"] = json!({ "bob": key });
    }),
    ("InvalidAccessKeyId.Inactive", |scene| {
        for key in scene.user()["AccessKeys"].as_object_mut().unwrap().values_mut() {
            key["Status"] = "Inactive".into();
        }
    }),
    ("InvalidSecurityToken.MismatchWithAccessKey", |scene| {
        scene.request["securityToken"] = "token".into();
    }),
    ("SignatureDoesNotMatch", |scene| scene.request["accessKeySecret"] = "wrong".into()),
    ("SignatureNonceUsed", |scene| scene.request["nonce"] = "1".into()),
    ("Throttling.User", |scene| scene.throttling = Some(Throttling { calls: 1, seconds: 86_400 })),
    ("Forbidden.RAM", |scene| scene.user()["Policies"] = json!({})),
    ("InvalidRegionId.NotFound", |scene| scene.request["query"]["RegionId"] = "cn-x".into()),
    ("MissingBandwidth", |scene| scene.request["query"]["Bandwidth"] = "".into()),
];

#[tokio::test]
async fn of_two_faults_of_an_admission_the_one_checked_first_is_answered() {
    let mut pairs = 0;
    for style in [Style::V1, Style::V3, Style::V3Sm3] {
        let mut target = Target::InProcess(Box::default());
        for (position, (code, first)) in DOOR.iter().enumerate() {
            for (loser, second) in
                [&("Success", (|_| {}) as fn(&mut Scene))].into_iter().chain(&DOOR[position + 1..])
            {
                let mut scene = Scene::sound();
                // The later fault first, because the earlier may replace the whole part.
                second(&mut scene);
                first(&mut scene);
                target.begin(&scene.world, scene.throttling).await.unwrap();
                let variant = Variant { style, format: Some("JSON".to_owned()) };
                let send = async |request: &Value| {
                    let request: Request = serde_json::from_value(request.clone()).unwrap();
                    let wire = client::sign(&request, &variant, now_secs(), "unused");
                    let answer = target.send(&wire, None).await.unwrap();
                    let body = answer.read().unwrap();
                    body.text("Code").unwrap_or("Success").to_owned()
                };
                // An earlier call, with any answer, for the faults that depend on one.
                let mut before = Scene::sound().request;
                before["nonce"] = "1".into();
                before["query"]["Ipv6AddressId"] = "ipv6-nowhere".into();
                send(&before).await;
                assert_eq!(send(&scene.request).await, *code, "{style:?}: {code} before {loser}");
                pairs += 1;
            }
        }
    }
    assert_eq!(pairs, 3 * (10 + 45));
}
