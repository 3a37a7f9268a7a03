//! A proxy in front of the local endpoint that changes its answers, with one defect each.

mod passing;

use std::collections::{BTreeMap, HashSet};
use std::sync::{Arc, Mutex};

use harness::http::{Failure, Server, local_client};
use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response};
use serde_json::{Value, json};

use passing::Passing;

/// The defect of an endpoint's answers.
pub(super) struct Defect {
    pub(super) name: &'static str,
    /// The places of findings that show the defect.
    shows: &'static [&'static str],
    /// Changes the answer to a call.
    spoil: fn(&mut Exchange<'_>),
}

/// A call and its answer.
struct Exchange<'a> {
    parameters: &'a BTreeMap<String, String>,
    passing: &'a mut Passing,
    seen: &'a mut Seen,
    /// Whether the answer names a new bandwidth.
    is_new: bool,
}

/// The earlier calls in a world.
#[derive(Default)]
struct Seen {
    bandwidths: HashSet<String>,
    /// The first bandwidth of each token.
    tokens: BTreeMap<String, String>,
    request_ids: BTreeMap<String, String>,
    /// An address with a bandwidth that no call bought.
    haunted: Option<String>,
}

impl Exchange<'_> {
    fn get(&self, name: &str) -> &str {
        self.parameters.get(name).map(String::as_str).unwrap_or_default()
    }

    fn mbps(&self) -> Option<u32> {
        self.get("Bandwidth").parse().ok()
    }

    fn has_code(&self, code: &str) -> bool {
        self.passing.has_code(code)
    }

    /// Replaces the code and a part of the message.
    fn recode(&mut self, code: &str, [old, new]: [&str; 2]) {
        let known = self.passing.element("Code").unwrap_or_default();
        self.passing.replace(&known, code);
        self.passing.replace(old, new);
    }

    fn succeed(&mut self, bandwidth: &str) {
        let address = self.get("Ipv6AddressId").to_owned();
        self.passing.succeed(&address, bandwidth);
    }
}

const fn defect(
    name: &'static str,
    shows: &'static [&'static str],
    spoil: fn(&mut Exchange<'_>),
) -> Defect {
    Defect { name, shows, spoil }
}

const EXISTED: &str = "OperationFailed.InternetBandwidthAlreadyExisted";
const CODE: &[&str] = &["Code", "answers"];
const MEDIA: &[&str] = &["header/content-type", "answers"];
const STATE: &[&str] = &["/Ipv6Addresses/"];

/// The proxy changes this clock when it is set.
const CLOCK_SLOW: &str = "the clock goes ten minutes slow once it is put forward";
pub(super) const NO_CONTROL: Defect = defect("there are no control paths", &[], |_| {});
pub(super) const STATUS_OF_REGION: Defect =
    defect("an unknown region has another status", &["status", "answers"], |call| {
        if call.has_code("InvalidRegionId.NotFound") {
            call.passing.status = 400;
        }
    });

/// The defects that calls can show.
pub(super) const DEFECTS: [Defect; 17] = [
    defect("two codes are exchanged", CODE, |call| {
        let pair = ["OperationUnsupported.ULA", "OperationUnsupported.PrivateGUA"];
        for (from, to) in [(pair[0], pair[1]), (pair[1], pair[0])] {
            if call.has_code(from) {
                return call.passing.replace(from, to);
            }
        }
    }),
    defect("an illegal bandwidth precedes an illegal address", CODE, |call| {
        let is_illegal = call.mbps().is_some_and(|mbps| mbps == 0 || mbps > 2000);
        if call.has_code("IllegalParam.Ipv6Address") && is_illegal {
            let message = ["param of Ipv6Address", "param of Bandwidth"];
            call.recode("IllegalParam.Bandwidth", message);
        }
    }),
    defect("the token's form is checked before the charge type", CODE, |call| {
        let token = call.get("ClientToken");
        let is_wrong = token.len() > 64 || !token.is_ascii();
        if call.has_code("IllegalParam.InternetChargeType") && is_wrong {
            let message = [
                "The param of InternetChargeType is illegal.",
                "The ClientToken provided is invalid.",
            ];
            call.recode("InvalidClientToken.ValueNotSupported", message);
        }
    }),
    defect("a second purchase for an address succeeds", CODE, |call| {
        if call.has_code(EXISTED) && !call.get("ClientToken").is_empty() {
            call.succeed("ipv6bw-second00000000000");
        }
    }),
    defect("a token is forgotten", CODE, |call| {
        if call.passing.status == 200 && !call.is_new {
            call.passing.fail(EXISTED);
        }
    }),
    defect("a token is remembered for longer than a day", CODE, |call| {
        let token = call.get("ClientToken").to_owned();
        let bandwidth = call.passing.element("InternetBandwidthId");
        if let (200, Some(id)) = (call.passing.status, bandwidth) {
            call.seen.tokens.entry(token).or_insert(id);
        } else if call.has_code(EXISTED)
            && !token.is_empty()
            && let Some(id) = call.seen.tokens.get(&token).cloned()
        {
            call.succeed(&id);
        }
    }),
    defect(CLOCK_SLOW, CODE, |_| {}),
    defect("PayByTraffic goes up to 2000 Mbit/s", CODE, |call| {
        let is_wide = call.mbps().is_some_and(|mbps| mbps > 1000 && mbps <= 2000);
        if call.has_code("IllegalParam.Bandwidth") && is_wide {
            call.succeed("ipv6bw-wide0000000000000");
        }
    }),
    defect("a bandwidth of 2000 Mbit/s is refused", CODE, |call| {
        if call.passing.status == 200 && call.get("Bandwidth") == "2000" {
            call.passing.fail("IllegalParam.Bandwidth");
        }
    }),
    STATUS_OF_REGION,
    defect("a message has a space at its end", &["Message", "answers"], |call| {
        let message = "Bandwidth is mandatory for this action.";
        call.passing.replace(message, &format!("{message} "));
    }),
    defect("a replay has the RequestId of the first answer", &["RequestId"], |call| {
        let ids = ["InternetBandwidthId", "RequestId"].map(|name| call.passing.element(name));
        if let [Some(bandwidth), Some(id)] = ids {
            let first = call.seen.request_ids.entry(bandwidth).or_insert_with(|| id.clone());
            call.passing.replace(&id, first);
            for (name, value) in &mut call.passing.headers {
                if name == "x-acs-request-id" {
                    value.clone_from(first);
                }
            }
        }
    }),
    defect("a dry run buys", STATE, |call| {
        if call.has_code("DryRunOperation") {
            call.seen.haunted = Some(call.get("Ipv6AddressId").to_owned());
        }
    }),
    defect("a successful call buys for another address, too", STATE, |call| {
        if call.is_new {
            call.seen.haunted = Some("ipv6-other".to_owned());
        }
    }),
    defect("another format is answered than was asked for", MEDIA, |call| {
        if call.has_code("MissingRegionId") {
            for (name, value) in &mut call.passing.headers {
                if name == "content-type" {
                    "text/html".clone_into(value);
                }
            }
        }
    }),
    defect("an error has a header twice", MEDIA, |call| {
        if call.has_code("MissingRegionId") {
            let twice = call.passing.headers.iter().find(|(name, _)| name == "content-type");
            call.passing.headers.extend(twice.cloned());
        }
    }),
    defect("an error names the endpoint's address as its host", &["HostId", "answers"], |call| {
        if call.has_code("InvalidDryRun") {
            call.passing.replace("vpc.cn-huhehaote.aliyuncs.com", "127.0.0.1:80");
        }
    }),
];

impl Defect {
    /// Whether findings at these places show the defect.
    pub(super) fn shows(&self, what: &[&str]) -> bool {
        self.shows.iter().any(|part| what.iter().any(|what| what.contains(part)))
    }

    /// Starts the proxy in front of the endpoint at `upstream`.
    pub(super) async fn planted(&self, upstream: &str) -> Server {
        let proxy = Proxy {
            name: self.name,
            spoil: self.spoil,
            upstream: upstream.to_owned(),
            client: local_client().unwrap(),
            worlds: Mutex::default(),
        };
        let proxy = Arc::new(proxy);
        Server::start(move |request| Arc::clone(&proxy).answer(request)).await.unwrap()
    }
}

struct Proxy {
    name: &'static str,
    spoil: fn(&mut Exchange<'_>),
    upstream: String,
    client: reqwest::Client,
    worlds: Mutex<BTreeMap<String, Seen>>,
}

impl Proxy {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<Full<Bytes>>, Failure> {
        let (parts, body) = request.into_parts();
        let mut body = String::from_utf8(body.collect().await?.to_bytes().to_vec())?;
        let path = parts.uri.path().to_owned();
        let is_control = path.starts_with("/_control/");
        if is_control && self.name == NO_CONTROL.name {
            return Ok(Response::builder().status(404).body(Full::default())?);
        }
        if self.name == CLOCK_SLOW && path.ends_with("/clock") && parts.method == "PUT" {
            body = ten_minutes_less(&body);
        }
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let url = format!("http://{}{target}", self.upstream);
        let mut headers = parts.headers.clone();
        headers.remove("content-length");
        let passed = self.client.request(parts.method.clone(), url).headers(headers);
        let printed = passed.body(body.clone()).send().await?;
        let headers = printed.headers().iter().filter(|(name, _)| *name != "content-length");
        let headers = headers.map(|(name, value)| {
            (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let (status, headers) = (printed.status().as_u16(), headers.collect());
        let mut passing = Passing { status, headers, body: printed.text().await? };
        if is_control {
            let world = path.split('/').nth(3).unwrap_or_default();
            let mut worlds = self.worlds.lock().unwrap();
            if parts.method == "PUT" && path.ends_with(world) {
                worlds.insert(world.to_owned(), Seen::default());
            }
            if let Some(address) = worlds.get(world).and_then(|seen| seen.haunted.as_deref()) {
                haunt(address, &mut passing);
            }
        } else if !passing.body.contains("MissingAction") {
            let world = parts.headers.get("x-local-world").map_or("", |it| it.to_str().unwrap());
            let query = parts.uri.query().unwrap_or_default();
            let parameters = [query, &body].map(|text| form_urlencoded::parse(text.as_bytes()));
            let parameters = parameters.into_iter().flat_map(form_urlencoded::Parse::into_owned);
            let parameters = &parameters.collect();
            let mut worlds = self.worlds.lock().unwrap();
            let seen = worlds.entry(world.to_owned()).or_default();
            let id = passing.element("InternetBandwidthId");
            let is_new = id.is_some_and(|id| seen.bandwidths.insert(id));
            (self.spoil)(&mut Exchange { parameters, passing: &mut passing, seen, is_new });
        }
        let mut response = Response::builder().status(passing.status);
        for (name, value) in &passing.headers {
            response = response.header(name, value);
        }
        Ok(response.body(Full::from(passing.body))?)
    }
}

/// Adds a bandwidth that no call bought to the documents that the endpoint shows.
fn haunt(address: &str, passing: &mut Passing) {
    let Ok(mut printed) = serde_json::from_str::<Value>(&passing.body) else { return };
    for (_, account) in printed["Accounts"].as_object_mut().into_iter().flatten() {
        let address = account["Ipv6Addresses"].get_mut(address);
        if let Some(address) = address.filter(|it| it.get("Ipv6InternetBandwidth").is_none()) {
            address["Ipv6InternetBandwidth"] = json!({
                "Ipv6InternetBandwidthId": "ipv6bw-haunted0000000000",
                "InternetChargeType": "PayByBandwidth",
                "Bandwidth": 200,
            });
        }
    }
    passing.body = printed.to_string();
}

/// A clock's setting, minus ten minutes.
fn ten_minutes_less(body: &str) -> String {
    let form = time::macros::format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
    let document: Value = serde_json::from_str(body).unwrap();
    let now = time::PrimitiveDateTime::parse(document["Now"].as_str().unwrap(), form).unwrap();
    let now = (now - time::Duration::minutes(10)).format(form).unwrap();
    json!({ "Now": now }).to_string()
}
