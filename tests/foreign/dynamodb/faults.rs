//! The function on a failing DynamoDB: never two bandwidths, never a lost one, and a later attempt
//! of a token can always succeed.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::store::{Document, DynamoDbStore};
use foreign::dynamodb_local::{Fault, Proxy, client};
use futures_util::StreamExt as _;
use futures_util::future::join_all;
use ipv6_gateway::Function;
use ipv6_gateway::allocation::Resource;
use suites::support::{
    self, ALREADY_EXISTED, BUSY, Outcome, Time, allocate_under, fill, instance, outcome, send, sign,
};
use suites::worlds::one_address;

use super::{Proxied, refused};

/// DynamoDB's operations in an allocation: the read, the admission, the commit.
const OPERATIONS: [&str; 3] = ["BatchGetItem", "PutItem", "TransactWriteItems"];

/// How many scenes run at a time.
const SCENES_AT_ONCE: usize = 12;

/// Clients of a function on a failing DynamoDB.
struct Clients {
    /// Several instances, as Lambda runs them.
    functions: Vec<Function<DynamoDbStore>>,
    proxy: Proxy,
    direct: DynamoDbStore,
    time: Time,
    calls: AtomicUsize,
}

impl Clients {
    async fn of(instances: usize) -> Self {
        let Proxied { proxy, direct, table, .. } = Proxied::new().await;
        fill(&direct, &one_address()).await;
        let time = Time::default();
        let functions = (0..instances).map(|_| instance(client(proxy.url(), &table), &time));
        let functions = functions.collect();
        Self { functions, proxy, direct, time, calls: AtomicUsize::new(0) }
    }

    /// One request of a client, with a nonce of its own.
    async fn request(&self, token: &str) -> Outcome {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let wire = sign(&allocate_under(token, "ipv6-1"), self.time.now_secs());
        outcome(&send(&self.functions[call % self.functions.len()], &wire).await)
    }

    /// The same, repeated while the store is busy, as it may be on a busy machine.
    async fn settled(&self, token: &str) -> Outcome {
        for _ in 0..20 {
            let outcome = self.request(token).await;
            if outcome != support::refused(BUSY) {
                return outcome;
            }
        }
        panic!("DynamoDB Local does not answer in time")
    }

    /// The current bandwidths.
    async fn bandwidths(&self) -> Vec<String> {
        let documents = self.direct.documents().await.unwrap();
        let bandwidths = documents.iter().filter_map(|document| match document {
            Document::Resource(Resource::InternetBandwidthOwner(bandwidth)) => {
                Some(bandwidth.internet_bandwidth_id.to_string())
            }
            Document::Resource(_) | Document::AccessKey(_) | Document::Identity(_) => None,
        });
        bandwidths.collect()
    }

    fn heal(&self) {
        for operation in OPERATIONS {
            self.proxy.plan(operation, []);
        }
    }
}

fn faults(operation: &str) -> Vec<Fault> {
    let mut faults = vec![
        refused(400, "ThrottlingException"),
        refused(400, "ProvisionedThroughputExceededException"),
        refused(400, "AccessDeniedException"),
        refused(500, "InternalServerError"),
        refused(503, "ServiceUnavailable"),
        Fault::Unheard,
        Fault::AnswerLost,
        Fault::AnswerLate,
    ];
    match operation {
        "BatchGetItem" => faults.push(Fault::LeftUnread),
        "TransactWriteItems" => faults.extend([
            Fault::Cancelled("TransactionConflict"),
            Fault::Cancelled("ThrottlingError"),
            refused(400, "TransactionInProgressException"),
        ]),
        _ => faults.push(refused(400, "TransactionConflictException")),
    }
    faults
}

/// The two layers of a client: the inner one repeats the call with its token, the outer one starts
/// again with a new token.
async fn clients_come_through(operation: &'static str, fault: Fault, times: usize) {
    let scene = format!("{fault:?} of {operation}, {times} times");
    let clients = Clients::of(1).await;
    // The key is known from here on, as it mostly is.
    assert_eq!(
        clients.settled("\u{e4}").await,
        support::refused("InvalidClientToken.ValueNotSupported")
    );
    clients.proxy.plan(operation, vec![fault; times]);
    let first = clients.request("first").await;
    clients.heal();
    let again = clients.settled("first").await;
    let Outcome::Bought(bought) = &again else { panic!("{scene}: {first:?}, then {again:?}") };
    // A failure of the store has no other code.
    assert!(first == again || first == support::refused(BUSY), "{scene}: {first:?}");
    // The answers were lost, so the outer layer cannot know that the call succeeded.
    let outer = clients.settled("second").await;
    assert_eq!(outer, support::refused(ALREADY_EXISTED), "{scene}");
    assert_eq!(&clients.bandwidths().await, std::slice::from_ref(bought), "{scene}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clients_get_one_bandwidth_through_short_and_long_failures() {
    let scenes = OPERATIONS.into_iter().flat_map(|operation| {
        let faults = faults(operation).into_iter();
        faults.flat_map(move |fault| [1, 100].map(|times| (operation, fault.clone(), times)))
    });
    let scenes = scenes.map(|(operation, fault, times)| {
        // The scenes mostly wait.
        tokio::spawn(clients_come_through(operation, fault, times))
    });
    let mut scenes = futures_util::stream::iter(scenes).buffer_unordered(SCENES_AT_ONCE);
    while let Some(scene) = scenes.next().await {
        scene.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_in_a_storm_of_faults_get_one_bandwidth() {
    let clients = Arc::new(Clients::of(3).await);
    for operation in OPERATIONS {
        // Every third request succeeds. None of these faults takes long, because there are many.
        let mut kinds = faults(operation);
        kinds.retain(|fault| {
            !matches!(fault, Fault::AnswerLate)
                && !matches!(fault, Fault::Refused { code: "AccessDeniedException", .. })
        });
        let storm = kinds.iter().flat_map(|fault| [fault.clone(), fault.clone(), Fault::None]);
        let storm: Vec<Fault> = storm.collect();
        clients.proxy.plan(operation, storm.into_iter().cycle().take(300));
    }
    let callers = (0..24).map(|caller| {
        let clients = Arc::clone(&clients);
        tokio::spawn(async move {
            // As clients do: the same token after a 500, repeatedly.
            let token = format!("token-{}", caller % 8);
            for _ in 0..10 {
                let outcome = clients.request(&token).await;
                if outcome != support::refused(BUSY) {
                    return Some((token, outcome));
                }
            }
            None
        })
    });
    let mut bought = Vec::new();
    for caller in join_all(callers.collect::<Vec<_>>()).await {
        match caller.unwrap() {
            Some((token, Outcome::Bought(bandwidth))) => bought.push((token, bandwidth)),
            Some((_, refusal)) => assert_eq!(refusal, support::refused(ALREADY_EXISTED)),
            None => {}
        }
    }
    clients.heal();
    // All successful answers name one bandwidth, and all of them have one token.
    bought.sort();
    bought.dedup();
    let there = clients.bandwidths().await;
    let [(token, got)] = &bought[..] else { panic!("{bought:?}, and there is {there:?}") };
    assert_eq!(&there, std::slice::from_ref(got));
    assert_eq!(clients.settled(token).await, Outcome::Bought(got.clone()));
}
