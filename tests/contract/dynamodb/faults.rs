//! The function while DynamoDB fails: never two bandwidths, never one lost, and no failure is a
//! token's last word.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use ::store::{Document, DynamoDbStore};
use futures_util::future::join_all;
use harness::answer::Answer;
use harness::case::{Request, Style, Variant};
use harness::dynamodb_local::{Fault, Proxy, client};
use harness::judge::ACTION;
use harness::target::{http_api_payload, read_event_response};
use harness::{client as caller, secrets};
use ipv6_gateway::allocation::Resource;
use ipv6_gateway::{Event, Function, Ids};
use serde_json::json;

use super::function::fill;
use super::{NOW_SECS, Proxied, refused};

/// What DynamoDB is asked in an allocation: the read, the admission, the commit.
const OPERATIONS: [&str; 3] = ["BatchGetItem", "PutItem", "TransactWriteItems"];

/// Clients of a function whose DynamoDB fails.
struct Clients {
    /// Instances, as Lambda has several.
    functions: Vec<Function<DynamoDbStore>>,
    proxy: Proxy,
    direct: DynamoDbStore,
    calls: AtomicUsize,
}

impl Clients {
    async fn of(instances: u64) -> Self {
        let Proxied { proxy, direct, table, .. } = Proxied::new().await;
        fill(&direct).await;
        let functions = (0..instances).map(|instance| {
            let clock = || SystemTime::UNIX_EPOCH + Duration::from_secs(NOW_SECS.into());
            let store = client(proxy.url(), &table);
            Function::new(store, Box::new(clock), Ids::from_seed(instance))
        });
        let functions = functions.collect();
        Self { functions, proxy, direct, calls: AtomicUsize::new(0) }
    }

    /// One request of a client, with a nonce of its own.
    async fn request(&self, token: &str) -> Answer {
        let call = self.calls.fetch_add(1, Ordering::Relaxed);
        let request: Request = serde_json::from_value(json!({
            "accessKeySecret": secrets::SECRET,
            "query": {
                "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-1", "Bandwidth": "200",
                "ClientToken": token
            }
        }))
        .unwrap();
        let variant = Variant { style: Style::V3, format: None };
        let wire = caller::sign(&request, &variant, NOW_SECS.into(), &call.to_string(), ACTION);
        let event = Event::parse(http_api_payload(&wire).to_string().as_bytes()).unwrap();
        let function = &self.functions[call % self.functions.len()];
        let response = serde_json::to_value(function.handle(event).await).unwrap();
        let answer = read_event_response(&response).unwrap();
        assert!(
            answer.status < 500 || answer.body.contains("\"SystemBusy\""),
            "a failure of the store is no other error: {answer:?}"
        );
        answer
    }

    /// The bandwidths that there are.
    async fn bandwidths(&self) -> Vec<String> {
        let documents = self.direct.documents().await.unwrap();
        let bandwidths = documents.iter().filter_map(|document| match document {
            Document::Resource(resource) => match &**resource {
                Resource::InternetBandwidth(bandwidth) => {
                    Some(bandwidth.internet_bandwidth_id.clone())
                }
                Resource::Account(_)
                | Resource::Ipv6Gateway(_)
                | Resource::Ipv6Address(_)
                | Resource::ClientToken(_) => None,
            },
            Document::AccessKey(_) | Document::Identity(_) => None,
        });
        bandwidths.collect()
    }

    fn heal(&self) {
        for operation in OPERATIONS {
            self.proxy.plan(operation, []);
        }
    }
}

/// The bandwidth that an answer tells of, if it is a success.
fn bandwidth(answer: &Answer) -> Option<String> {
    answer.read().unwrap().text("InternetBandwidthId").map(str::to_owned)
}

fn code(answer: &Answer) -> String {
    answer.read().unwrap().text("Code").unwrap_or("Success").to_owned()
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

/// What both layers of a client do: the inner one repeats the call with its token, the outer one
/// begins again with a new token.
async fn clients_come_through(operation: &'static str, fault: Fault, times: usize) {
    let scene = format!("{fault:?} of {operation}, {times} times");
    let clients = Clients::of(1).await;
    // The key is known from here on, as it most often is.
    assert_eq!(code(&clients.request("\u{e4}").await), "InvalidClientToken.ValueNotSupported");
    clients.proxy.plan(operation, vec![fault; times]);
    let first = clients.request("first").await;
    clients.heal();
    let again = clients.request("first").await;
    let bought = bandwidth(&again).unwrap_or_else(|| panic!("{scene}: {first:?}, then {again:?}"));
    if let Some(told) = bandwidth(&first) {
        assert_eq!(told, bought, "{scene}");
    }
    // The answers were lost: the outer layer cannot know that it was done.
    let outer = clients.request("second").await;
    assert_eq!(code(&outer), "OperationFailed.InternetBandwidthAlreadyExisted", "{scene}");
    assert_eq!(clients.bandwidths().await, [bought], "{scene}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn whatever_fails_once_or_for_long_clients_come_through_with_one_bandwidth() {
    let scenes = OPERATIONS.into_iter().flat_map(|operation| {
        let faults = faults(operation).into_iter();
        faults.flat_map(move |fault| [1, 100].map(|times| (operation, fault.clone(), times)))
    });
    let scenes = scenes.map(|(operation, fault, times)| {
        tokio::spawn(clients_come_through(operation, fault, times))
    });
    for scene in join_all(scenes.collect::<Vec<_>>()).await {
        scene.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn many_callers_in_a_storm_of_faults_get_one_bandwidth() {
    let clients = Arc::new(Clients::of(3).await);
    for operation in OPERATIONS {
        // Every third request goes well. None of these takes long, as there are many.
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
            // As clients do: the same token after a 500, at most three times more.
            let token = format!("token-{}", caller % 8);
            for _ in 0..4 {
                let answer = clients.request(&token).await;
                if answer.status < 500 {
                    return Some((token, answer));
                }
            }
            None
        })
    });
    let mut bought = Vec::new();
    for caller in join_all(callers.collect::<Vec<_>>()).await {
        let Some((token, answer)) = caller.unwrap() else { continue };
        match bandwidth(&answer) {
            Some(bandwidth) => bought.push((token, bandwidth)),
            None => {
                assert_eq!(code(&answer), "OperationFailed.InternetBandwidthAlreadyExisted");
            }
        }
    }
    clients.heal();
    // Whoever was told of one was told of the same, and all of them have one token.
    bought.sort();
    bought.dedup();
    let there = clients.bandwidths().await;
    assert_eq!(there.len(), 1, "{there:?}");
    let [(token, told)] = &bought[..] else { panic!("{bought:?}") };
    assert_eq!(*told, there[0]);
    assert_eq!(bandwidth(&clients.request(token).await).as_ref(), Some(told));
}
