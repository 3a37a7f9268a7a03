//! Admission: how earlier calls, other instances and the clock affect a call.

use std::collections::BTreeMap;
use std::sync::Arc;

use ::store::{AccessKey, Change, MemoryStore, Store as _, World, Write};
use harness::client::Wire;
use ipv6_gateway::{Function, RateLimit};
use serde_json::{Value, json};
use suites::support::{self, ALLOCATE, Time, Yielding, allocate, code, send};
use suites::worlds::{account, one_address};
use tokio::sync::Barrier;

/// A store that several instances share.
type Shared = Yielding<Arc<MemoryStore>>;

/// Instances of the function over one store and one clock.
struct Scene {
    memory: Arc<MemoryStore>,
    time: Time,
    function: Function<Shared>,
}

impl Scene {
    fn new(world: &Value) -> Self {
        let (memory, time): (Arc<MemoryStore>, _) = (Arc::default(), Time::default());
        let function = support::instance(Yielding(Arc::clone(&memory)), &time);
        let scene = Self { memory, time, function };
        scene.replace(world);
        scene
    }

    fn replace(&self, world: &Value) {
        let documents = World::parse(&world.to_string()).unwrap().into_documents();
        self.memory.replace(documents);
    }

    /// Changes some documents, and keeps nonces and counts.
    async fn change(&self, world: &Value) {
        support::change(&*self.memory, world).await;
    }

    /// Deletes the access key of this id.
    async fn delete_key(&self, id: &str) {
        // With a put, because a commit cannot consist of deletions only.
        let keys = [AccessKey::key(id), AccessKey::key("testid")];
        let read = self.memory.load(&keys).await.unwrap();
        let [Some(gone), Some(kept)] = &read[..] else { panic!("{read:?}") };
        let [key, _] = keys;
        let delete = Write { key, change: Change::Delete, rests_on: Some(gone.version) };
        let put = Write::put(kept.document.clone(), Some(kept.version));
        self.memory.commit(vec![delete, put]).await.unwrap();
    }

    fn instance(&self) -> Function<Shared> {
        support::instance(Yielding(Arc::clone(&self.memory)), &self.time)
    }

    fn wait(&self, secs: u64) {
        self.time.wait(secs);
    }

    /// A call that is signed now.
    fn sign(&self, request: &Value) -> Wire {
        support::sign(request, self.time.now_secs())
    }

    async fn call(&self, request: &Value) -> String {
        code(&send(&self.function, &self.sign(request)).await)
    }
}

/// One address, and a RAM user `alice` with these policies.
fn with_user(policies: &Value) -> Value {
    let mut world = one_address();
    account(&mut world)["RamUsers"]["alice"] = json!({
        "UserId": "201234567890123456", "Policies": policies,
        "AccessKeys": { "alice": { "AccessKeySecret": "testsecret" } }
    });
    world
}

/// One policy for each of these effects, named after it.
fn policies(effects: &[&str]) -> Value {
    let policy = |effect: &&str| {
        let statement = json!({ "Effect": effect, "Action": "vpc:*", "Resource": "*" });
        (effect.to_string(), json!({ "Version": "1", "Statement": [statement] }))
    };
    effects.iter().map(policy).collect::<serde_json::Map<_, _>>().into()
}

/// A change to a request or to the users of an account.
type Edit = fn(&mut Value);

fn by_alice(mut request: Value) -> Value {
    request["accessKeyId"] = "alice".into();
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_64_identical_calls_at_once_on_two_instances_one_is_admitted() {
    for is_known in [false, true] {
        let scene = Scene::new(&one_address());
        let instances = [Arc::new(scene.instance()), Arc::new(scene.instance())];
        if is_known {
            for instance in &instances {
                send(instance, &scene.sign(&allocate("ipv6-nowhere"))).await;
            }
        }
        let wire = Arc::new(scene.sign(&allocate("ipv6-1")));
        let start = Arc::new(Barrier::new(64));
        let calls = (0..64).map(|caller| {
            let instance = Arc::clone(&instances[caller % 2]);
            let (wire, start) = (Arc::clone(&wire), Arc::clone(&start));
            tokio::spawn(async move {
                start.wait().await;
                code(&send(&instance, &wire).await)
            })
        });
        let mut answers = BTreeMap::new();
        for call in calls.collect::<Vec<_>>() {
            *answers.entry(call.await.unwrap()).or_insert(0) += 1;
        }
        let expected = [("SignatureNonceUsed".to_owned(), 63), ("Success".to_owned(), 1)];
        assert_eq!(answers, expected.into(), "known: {is_known}");
    }
}

#[tokio::test]
async fn a_key_refused_after_earlier_calls_uses_up_no_nonce_and_no_quota() {
    let changes: [(&str, Edit); 3] = [
        ("InvalidAccessKeyId.Inactive", |user| {
            user["AccessKeys"]["alice"]["Status"] = "Inactive".into();
        }),
        ("SignatureDoesNotMatch", |user| {
            user["AccessKeys"]["alice"]["AccessKeySecret"] = "new".into();
        }),
        ("InvalidAccessKeyId.NotFound", |user| user["AccessKeys"] = json!({})),
    ];
    let world = with_user(&policies(&["Allow"]));
    for (refusal, change) in changes {
        let scene = Scene::new(&world);
        let instances = [scene.instance(), scene.instance()];
        let request = by_alice(allocate("ipv6-nowhere"));
        for instance in &instances {
            instance.limit_rate(Some(RateLimit { calls_max: 5, window_secs: 60 }));
            // Now the instance has the key in its cache.
            let answer = send(instance, &scene.sign(&request)).await;
            assert_eq!(code(&answer), "InvalidIpv6Instance.NotFound");
        }
        let mut edited = world.clone();
        change(&mut account(&mut edited)["RamUsers"]["alice"]);
        scene.change(&edited).await;
        if refusal == "InvalidAccessKeyId.NotFound" {
            scene.delete_key("alice").await;
        }
        let wire = scene.sign(&request);
        for instance in [&instances[0], &instances[1], &instances[0]] {
            assert_eq!(code(&send(instance, &wire).await), refusal);
        }
        // Two of five calls were admitted.
        let by_account = allocate("ipv6-nowhere");
        for expected in [&["InvalidIpv6Instance.NotFound"; 3][..], &["Throttling.User"]].concat() {
            let answer = send(&instances[1], &scene.sign(&by_account)).await;
            assert_eq!(code(&answer), expected, "after {refusal}");
        }
        scene.change(&world).await;
        scene.wait(60);
        let answer = send(&instances[1], &wire).await;
        assert_eq!(code(&answer), "InvalidIpv6Instance.NotFound", "after {refusal}");
    }
}

#[tokio::test]
async fn a_call_played_back_is_refused_for_ever() {
    let scene = Scene::new(&one_address());
    let wire = scene.sign(&allocate("ipv6-1"));
    assert_eq!(code(&send(&scene.function, &wire).await), "Success");
    for wait_secs in [0, 1, 898, 1] {
        scene.wait(wait_secs);
        assert_eq!(code(&send(&scene.function, &wire).await), "SignatureNonceUsed");
    }
    for wait_secs in [1, 10_000] {
        scene.wait(wait_secs);
        assert_eq!(code(&send(&scene.function, &wire).await), "InvalidTimeStamp.Expired");
    }
}

#[tokio::test]
async fn an_admitted_call_uses_up_its_nonce_and_a_refused_one_does_not() {
    let scene = Scene::new(&one_address());
    let with = |nonce: &str, change: Edit| {
        let mut request = allocate("ipv6-1");
        request["nonce"] = nonce.into();
        change(&mut request);
        request
    };
    let spent: [(&str, Edit); 3] = [
        ("InvalidIpv6Instance.NotFound", |request| {
            request["query"]["Ipv6AddressId"] = "ipv6-nowhere".into();
        }),
        ("MissingBandwidth", |request| request["query"]["Bandwidth"] = "".into()),
        ("DryRunOperation", |request| request["query"]["DryRun"] = "true".into()),
    ];
    for (code, change) in spent {
        assert_eq!(scene.call(&with(code, change)).await, code);
        assert_eq!(scene.call(&with(code, |_| {})).await, "SignatureNonceUsed", "{code}");
    }
    let unspent: [(&str, Edit); 4] = [
        ("SignatureDoesNotMatch", |request| request["accessKeySecret"] = "wrong".into()),
        ("InvalidAccessKeyId.NotFound", |request| request["accessKeyId"] = "nobody".into()),
        ("InvalidSecurityToken.MismatchWithAccessKey", |request| {
            request["securityToken"] = "token".into();
        }),
        ("InvalidVersion", |request| {
            request["common"] = json!({ "x-acs-version": "2014-05-26" });
        }),
    ];
    for (code, change) in unspent {
        assert_eq!(scene.call(&with("unspent", change)).await, code);
    }
    assert_eq!(scene.call(&with("unspent", |_| {})).await, "Success");
}

#[tokio::test]
async fn a_throttled_call_uses_up_no_nonce_and_no_token() {
    let scene = Scene::new(&one_address());
    scene.function.limit_rate(Some(RateLimit { calls_max: 1, window_secs: 60 }));
    assert_eq!(scene.call(&allocate("ipv6-nowhere")).await, "InvalidIpv6Instance.NotFound");
    let mut request = allocate("ipv6-1");
    request["query"]["ClientToken"] = "token".into();
    let wire = scene.sign(&request);
    scene.wait(14);
    let answer = send(&scene.function, &wire).await;
    assert_eq!(code(&answer), "Throttling.User");
    assert_eq!(answer.header("x-acs-retry-after"), Some("46000"));
    let of_user = "Limit:1,Remain:0,TimeLeft:46000,Reset:1767323100";
    assert_eq!(answer.header("x-ratelimit-user-api"), Some(of_user));
    // The same bytes again, once the window has ended.
    scene.wait(46);
    assert_eq!(code(&send(&scene.function, &wire).await), "Success");
    // A call that was played back does not count.
    scene.wait(60);
    assert_eq!(code(&send(&scene.function, &wire).await), "SignatureNonceUsed");
    let mut again = request.clone();
    again["query"]["Bandwidth"] = "1".into();
    assert_eq!(scene.call(&again).await, "IdempotentParameterMismatch");
}

#[tokio::test]
async fn an_account_may_call_300_times_a_minute_with_all_its_keys_and_on_all_instances() {
    let mut world = with_user(&policies(&["Allow"]));
    world["Accounts"]["2234567890123456"] =
        json!({ "AccessKeys": { "other": { "AccessKeySecret": "testsecret" } } });
    let scene = Scene::new(&world);
    let instances = [scene.instance(), scene.instance()];
    for instance in &instances {
        instance.limit_rate(Some("300/60".parse().unwrap()));
    }
    let mut answers: BTreeMap<String, u32> = BTreeMap::new();
    for number in 0..310 {
        let request = allocate("ipv6-nowhere");
        let request = if number % 3 == 0 { by_alice(request) } else { request };
        let answer = send(&instances[number % 2], &scene.sign(&request)).await;
        *answers.entry(code(&answer)).or_default() += 1;
    }
    let expected = [("InvalidIpv6Instance.NotFound", 300), ("Throttling.User", 10)];
    assert_eq!(answers, expected.map(|(code, count)| (code.to_owned(), count)).into());
    let mut of_other = allocate("ipv6-nowhere");
    of_other["accessKeyId"] = "other".into();
    let answer = send(&instances[0], &scene.sign(&of_other)).await;
    assert_eq!(code(&answer), "InvalidIpv6Instance.NotFound", "another account is not affected");
    scene.wait(60);
    let answer = send(&instances[0], &scene.sign(&allocate("ipv6-1"))).await;
    assert_eq!(code(&answer), "Success", "the next window");
}

#[tokio::test]
async fn a_withdrawn_permission_or_key_counts_from_the_next_call() {
    let allowed = policies(&["Allow"]);
    let request = by_alice(allocate("ipv6-nowhere"));
    let changes: [(&str, Edit); 4] = [
        ("Forbidden.RAM", |users| users["alice"]["Policies"] = json!({})),
        ("Forbidden.RAM", |users| users["alice"]["Policies"] = policies(&["Allow", "Deny"])),
        // The key belongs to another user now.
        ("Forbidden.RAM", |users| {
            let keys = users["alice"]["AccessKeys"].take();
            *users = json!({ "bob": { "UserId": "2", "Policies": {}, "AccessKeys": keys } });
        }),
        ("InvalidIpv6Instance.NotFound", |users| users["alice"]["UserId"] = "2".into()),
    ];
    for (code, change) in changes {
        let scene = Scene::new(&with_user(&allowed));
        assert_eq!(scene.call(&request).await, "InvalidIpv6Instance.NotFound");
        let mut world = with_user(&allowed);
        change(&mut account(&mut world)["RamUsers"]);
        scene.change(&world).await;
        assert_eq!(scene.call(&request).await, code);
    }
}

#[tokio::test]
async fn a_session_ends_to_the_second() {
    let mut world = one_address();
    account(&mut world)["RamRoles"]["deployer"] = json!({
        "RoleId": "301234567890123456", "Policies": policies(&["Allow"]),
        "Sessions": { "STS.ci": {
            "RoleSessionName": "ci", "AccessKeySecret": "testsecret",
            "SecurityToken": "token", "Expiration": "2026-01-02T03:05:00Z"
        } }
    });
    let scene = Scene::new(&world);
    let mut request = allocate("ipv6-nowhere");
    request["accessKeyId"] = "STS.ci".into();
    request["securityToken"] = "token".into();
    assert_eq!(scene.call(&request).await, "InvalidIpv6Instance.NotFound");
    scene.wait(59);
    assert_eq!(scene.call(&request).await, "InvalidIpv6Instance.NotFound");
    scene.wait(1);
    assert_eq!(scene.call(&request).await, "InvalidSecurityToken.Expired");
}

#[tokio::test]
async fn a_denied_caller_gets_the_same_bytes_for_every_state() {
    let mut world = with_user(&json!({}));
    account(&mut world)["Ipv6Addresses"]["ipv6-pending"] = json!({
        "RegionId": "cn-huhehaote", "VpcId": "vpc-1",
        "Ipv6Address": "2408:4004:1::2", "Status": "Pending"
    });
    let scene = Scene::new(&world);
    let mut bodies = Vec::new();
    let calls = [
        json!({ "Ipv6AddressId": "ipv6-1", "Bandwidth": "200" }),
        json!({ "Ipv6AddressId": "ipv6-pending", "Bandwidth": "200" }),
        json!({ "Ipv6AddressId": "ipv6-nowhere", "Bandwidth": "200" }),
        json!({ "Ipv6AddressId": "ipv6-1", "Bandwidth": "0", "DryRun": "maybe" }),
        json!({}),
    ];
    for mut query in calls {
        query["RegionId"] = "cn-huhehaote".into();
        let request = by_alice(json!({ "action": ALLOCATE, "query": query }));
        // The first call of a key reads its documents differently from later calls.
        for function in [&scene.function, &scene.instance()] {
            let answer = send(function, &scene.sign(&request)).await;
            let id = answer.read().unwrap().text("RequestId").unwrap().to_owned();
            bodies.push((answer.status, answer.body.replace(&id, "[RequestId]")));
        }
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "{bodies:#?}");
    assert!(bodies[0].1.contains("\"Code\":\"Forbidden.RAM\""), "{bodies:?}");
}
