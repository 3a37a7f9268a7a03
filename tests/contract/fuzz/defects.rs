//! A proxy before the local endpoint that changes what it answers: one defect each.

mod passing;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard};

use harness::http::local_client;
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use passing::Passing;

/// What is wrong with the answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Defect {
    /// Two codes are exchanged.
    CodesSwapped,
    /// An illegal bandwidth is told before an illegal address.
    Precedence,
    /// The token's form is checked before the charge type.
    PrecedenceOfToken,
    /// A second purchase for an address succeeds.
    SecondPurchase,
    /// A token is forgotten.
    TokenForgotten,
    /// A token is remembered for longer than a day.
    TokenKept,
    /// The clock goes ten minutes slow once it is put forward.
    ClockSlow,
    /// `PayByTraffic` goes up to 2000 Mbit/s.
    LimitWidened,
    /// A bandwidth of 2000 Mbit/s is refused.
    LimitNarrowed,
    /// An unknown region is told with another status.
    StatusOfRegion,
    /// A message has a space at its end.
    MessageWithSpace,
    /// A replay has the RequestId of the first answer.
    StaleRequestId,
    /// A dry run buys.
    DryRunBuys,
    /// A successful call buys for another address, too.
    BuysTwice,
    /// XML is answered where JSON was asked for.
    WrongFormat,
    /// An error has a header twice.
    HeaderTwice,
    /// An error names the endpoint's address as its host.
    HostWithPort,
    /// There are no control paths.
    NoControl,
}

impl Defect {
    /// Those that calls can show.
    pub(super) const ALL: [Self; 17] = [
        Self::CodesSwapped,
        Self::Precedence,
        Self::PrecedenceOfToken,
        Self::SecondPurchase,
        Self::TokenForgotten,
        Self::TokenKept,
        Self::ClockSlow,
        Self::LimitWidened,
        Self::LimitNarrowed,
        Self::StatusOfRegion,
        Self::MessageWithSpace,
        Self::StaleRequestId,
        Self::DryRunBuys,
        Self::BuysTwice,
        Self::WrongFormat,
        Self::HeaderTwice,
        Self::HostWithPort,
    ];

    /// Whether findings of these names tell of it.
    pub(super) fn shows(self, what: &[&str]) -> bool {
        let has = |part: &str| what.iter().any(|what| what.contains(part));
        match self {
            Self::CodesSwapped
            | Self::Precedence
            | Self::PrecedenceOfToken
            | Self::SecondPurchase
            | Self::TokenForgotten
            | Self::TokenKept
            | Self::ClockSlow
            | Self::LimitWidened
            | Self::LimitNarrowed => has("Code") || has("answers"),
            Self::StatusOfRegion => has("status") || has("answers"),
            Self::MessageWithSpace => has("Message") || has("answers"),
            Self::StaleRequestId => has("RequestId"),
            Self::DryRunBuys | Self::BuysTwice => has("state: Ipv6Addresses"),
            Self::WrongFormat | Self::HeaderTwice => has("body") || has("answers"),
            Self::HostWithPort => has("HostId") || has("answers"),
            Self::NoControl => false,
        }
    }
}

/// A faulty endpoint, ended with this value.
pub(super) struct Proxy {
    url: String,
    server: JoinHandle<()>,
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// What the proxy has seen in a world.
#[derive(Default)]
struct Seen {
    bandwidths: HashSet<String>,
    /// The first bandwidth of each token.
    tokens: BTreeMap<String, String>,
    request_ids: BTreeMap<String, String>,
    /// An address that has a bandwidth that nobody bought.
    haunted: Option<String>,
}

struct Shared {
    defect: Defect,
    upstream: String,
    client: reqwest::Client,
    worlds: Mutex<BTreeMap<String, Seen>>,
}

impl Proxy {
    pub(super) async fn start(upstream: &str, defect: Defect) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let client = local_client().unwrap();
        let upstream = upstream.to_owned();
        let shared = Arc::new(Shared { defect, upstream, client, worlds: Mutex::default() });
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let shared = Arc::clone(&shared);
                drop(stream.set_nodelay(true));
                tokio::spawn(async move {
                    let service = service_fn(|request| shared.answer(request));
                    let http = hyper::server::conn::http1::Builder::new();
                    drop(http.serve_connection(TokioIo::new(stream), service).await);
                });
            }
        });
        Self { url, server }
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Shared {
    async fn answer(&self, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Failure> {
        let (parts, body) = request.into_parts();
        let mut body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        let path = parts.uri.path().to_owned();
        let is_control = path.starts_with("/_control/");
        if is_control && self.defect == Defect::NoControl {
            return Ok(Response::builder().status(404).body(Full::default())?);
        }
        if self.defect == Defect::ClockSlow && path.ends_with("/clock") && parts.method == "PUT" {
            body = ten_minutes_less(&body);
        }
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let url = format!("http://{}{target}", self.upstream);
        let mut passed = self.client.request(parts.method.clone(), url).body(body.clone());
        for (name, value) in &parts.headers {
            if name != "content-length" {
                passed = passed.header(name, value);
            }
        }
        let told = passed.send().await?;
        let headers = told.headers().iter().filter(|(name, _)| *name != "content-length");
        let headers = headers.map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (told.status().as_u16(), headers.collect());
        let mut passing = Passing { status, headers, body: told.text().await? };
        if is_control {
            let world = path.split('/').nth(3).unwrap_or_default();
            if parts.method == "PUT" && path.ends_with(world) {
                self.worlds().insert(world.to_owned(), Seen::default());
            }
            self.haunt(world, &mut passing);
        } else if !passing.body.contains("MissingAction") {
            let world = parts.headers.get("x-local-world").and_then(|name| name.to_str().ok());
            let query = parts.uri.query().unwrap_or_default();
            let mut parameters: BTreeMap<String, String> = BTreeMap::new();
            for text in [query, &body] {
                parameters.extend(form_urlencoded::parse(text.as_bytes()).into_owned());
            }
            self.spoil(world.unwrap_or_default(), &parameters, &mut passing);
        }
        let mut response = Response::builder().status(passing.status);
        for (name, value) in &passing.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::from(passing.body))?)
    }

    fn worlds(&self) -> MutexGuard<'_, BTreeMap<String, Seen>> {
        self.worlds.lock().unwrap()
    }

    /// Changes the answer to a call.
    #[expect(clippy::too_many_lines, reason = "an arm for each defect")]
    fn spoil(&self, world: &str, parameters: &BTreeMap<String, String>, passing: &mut Passing) {
        let mut worlds = self.worlds();
        let seen = worlds.entry(world.to_owned()).or_default();
        let get = |name: &str| parameters.get(name).map(String::as_str).unwrap_or_default();
        let address = get("Ipv6AddressId").to_owned();
        let is_new =
            passing.element("InternetBandwidthId").is_some_and(|id| seen.bandwidths.insert(id));
        let is_success = passing.status == 200;
        match self.defect {
            Defect::CodesSwapped => {
                let pair = ["OperationUnsupported.ULA", "OperationUnsupported.PrivateGUA"];
                for (from, to) in [(pair[0], pair[1]), (pair[1], pair[0])] {
                    if passing.has_code(from) {
                        return passing.replace(from, to);
                    }
                }
            }
            Defect::Precedence => {
                let is_illegal =
                    get("Bandwidth").parse::<u16>().is_ok_and(|mbps| mbps == 0 || mbps > 2000);
                if passing.has_code("IllegalParam.Ipv6Address") && is_illegal {
                    passing.replace("IllegalParam.Ipv6Address", "IllegalParam.Bandwidth");
                    passing.replace("param of Ipv6Address", "param of Bandwidth");
                }
            }
            Defect::PrecedenceOfToken => {
                let other = "IllegalParam.InternetChargeType";
                let token = get("ClientToken");
                if passing.has_code(other) && (token.len() > 64 || !token.is_ascii()) {
                    passing.replace(other, "InvalidClientToken.ValueNotSupported");
                    passing.replace(
                        "The param of InternetChargeType is illegal.",
                        "The ClientToken provided is invalid.",
                    );
                }
            }
            Defect::SecondPurchase => {
                let code = "OperationFailed.InternetBandwidthAlreadyExisted";
                if passing.has_code(code) && !get("ClientToken").is_empty() {
                    passing.succeed(&address, "ipv6bw-second00000000000");
                }
            }
            Defect::TokenForgotten => {
                if is_success && !is_new {
                    passing.fail("OperationFailed.InternetBandwidthAlreadyExisted");
                }
            }
            Defect::TokenKept => {
                let token = get("ClientToken").to_owned();
                if let (true, Some(id)) = (is_success, passing.element("InternetBandwidthId")) {
                    seen.tokens.entry(token).or_insert(id);
                } else if passing.has_code("OperationFailed.InternetBandwidthAlreadyExisted")
                    && let Some(id) = seen.tokens.get(&token).filter(|_| !token.is_empty())
                {
                    passing.succeed(&address, id);
                }
            }
            Defect::LimitWidened => {
                let is_wide =
                    get("Bandwidth").parse::<u32>().is_ok_and(|mbps| mbps > 1000 && mbps <= 2000);
                if passing.has_code("IllegalParam.Bandwidth") && is_wide {
                    passing.succeed(&address, "ipv6bw-wide0000000000000");
                }
            }
            Defect::LimitNarrowed => {
                if is_success && get("Bandwidth") == "2000" {
                    passing.fail("IllegalParam.Bandwidth");
                }
            }
            Defect::StatusOfRegion => {
                if passing.has_code("InvalidRegionId.NotFound") {
                    passing.status = 400;
                }
            }
            Defect::MessageWithSpace => {
                passing.replace(
                    "Bandwidth is mandatory for this action.",
                    "Bandwidth is mandatory for this action. ",
                );
            }
            Defect::StaleRequestId => {
                let ids = ["InternetBandwidthId", "RequestId"].map(|name| passing.element(name));
                if let [Some(bandwidth), Some(id)] = ids {
                    let first =
                        seen.request_ids.entry(bandwidth).or_insert_with(|| id.clone()).clone();
                    passing.replace(&id, &first);
                    for (name, value) in &mut passing.headers {
                        if name == "x-acs-request-id" {
                            value.clone_from(&first);
                        }
                    }
                }
            }
            Defect::DryRunBuys => {
                if passing.has_code("DryRunOperation") {
                    seen.haunted = Some(address);
                }
            }
            Defect::BuysTwice => {
                if is_new {
                    seen.haunted = Some("ipv6-other".to_owned());
                }
            }
            Defect::WrongFormat => {
                if passing.has_code("MissingRegionId") {
                    for (name, value) in &mut passing.headers {
                        if name == "content-type" {
                            "text/html".clone_into(value);
                        }
                    }
                }
            }
            Defect::HeaderTwice => {
                if passing.has_code("MissingRegionId") {
                    let twice = passing.headers.iter().find(|(name, _)| name == "content-type");
                    passing.headers.extend(twice.cloned());
                }
            }
            Defect::HostWithPort => {
                if passing.has_code("InvalidDryRun") {
                    passing.replace("vpc.cn-huhehaote.aliyuncs.com", "127.0.0.1:80");
                }
            }
            Defect::ClockSlow | Defect::NoControl => {}
        }
    }

    /// Lets a world that is told of have a bandwidth that nobody bought.
    fn haunt(&self, world: &str, passing: &mut Passing) {
        let worlds = self.worlds();
        let Some(haunted) = worlds.get(world).and_then(|seen| seen.haunted.clone()) else { return };
        let Ok(mut told) = serde_json::from_str::<Value>(&passing.body) else { return };
        for (_, account) in told["Accounts"].as_object_mut().into_iter().flatten() {
            let address = account["Ipv6Addresses"].get_mut(&*haunted);
            let Some(address) = address.filter(|it| it.get("Ipv6InternetBandwidth").is_none())
            else {
                continue;
            };
            address["Ipv6InternetBandwidth"] = serde_json::json!({
                "Ipv6InternetBandwidthId": "ipv6bw-haunted0000000000",
                "InternetChargeType": "PayByBandwidth",
                "Bandwidth": 200,
            });
        }
        passing.body = told.to_string();
    }
}

/// A clock's setting, ten minutes earlier.
fn ten_minutes_less(body: &str) -> String {
    let form = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let document: Value = serde_json::from_str(body).unwrap();
    let now = time::PrimitiveDateTime::parse(document["Now"].as_str().unwrap(), form).unwrap();
    let now = (now - time::Duration::minutes(10)).format(form).unwrap();
    serde_json::json!({ "Now": now }).to_string()
}
