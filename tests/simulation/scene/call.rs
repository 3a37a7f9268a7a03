//! Signing, sending and recording calls.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use harness::case::{Request, Style, Variant};
use harness::client::{Wire, sign_quietly};
use http::{HeaderMap, HeaderName, HeaderValue};
use ipv6_gateway::event::Shape;
use ipv6_gateway::{Event, Response, rpc};
use serde_json::{Value, json};
use suites::support::{ALLOCATE, SCOPE};

use super::{Place, Scene, now_secs};
use crate::address::{Op, Ret};
use crate::executor::Surroundings as _;
use crate::history::{Answer, Call, KeyState};

/// How long a client waits for an answer.
const PATIENCE_MICROS: u64 = 30_000_000;

/// The parameters of a call.
pub(crate) struct Asked {
    pub(crate) access_key_id: &'static str,
    pub(crate) nonce: String,
    pub(crate) timestamp_secs: u64,
    pub(crate) address_id: String,
    pub(crate) op: Op,
}

impl<P: Place> Scene<P> {
    /// Signs a call with the secret that the key has, or had.
    pub(crate) fn sign(&self, asked: Asked) -> Call {
        let Asked { access_key_id, nonce, timestamp_secs, address_id, op } = asked;
        let access_key_secret = match self.log().keys[access_key_id].last() {
            KeyState::Active(secret) | KeyState::Inactive(secret) => secret.clone(),
            KeyState::Deleted => "testsecret".to_owned(),
        };
        let mut query = json!({ "RegionId": SCOPE.region_id });
        let (action, token, mbps) = match op {
            Op::Allocate { token, mbps } => (ALLOCATE, token, Some(mbps)),
            Op::Modify { token, mbps } => ("ModifyIpv6InternetBandwidth", token, Some(mbps)),
            Op::Delete { token } => ("DeleteIpv6InternetBandwidth", token, None),
            Op::DryRun { mbps } => (ALLOCATE, None, Some(mbps)),
            Op::Describe { .. } | Op::Release(_) => ("DescribeIpv6Addresses", None, None),
        };
        if op != (Op::Describe { is_listed: true }) {
            query["Ipv6AddressId"] = address_id.as_str().into();
        }
        if matches!(op, Op::DryRun { .. }) {
            query["DryRun"] = "true".into();
        }
        if let Some(mbps) = mbps {
            query["Bandwidth"] = mbps.to_string().into();
        }
        if let Some(token) = token {
            // Tokens belong to an account, so each address has tokens of its own.
            query["ClientToken"] = format!("{token}-{address_id}").into();
        }
        let request = json!({
            "action": action, "query": query, "accessKeyId": access_key_id,
            "accessKeySecret": access_key_secret
        });
        let mut request: Request = serde_json::from_value(request).unwrap();
        request.access_key_secret.clone_from(&access_key_secret);
        let style = [Style::V1, Style::V3, Style::V3Sm3][self.draw_index(3)];
        let variant = Variant { style, format: Some("JSON".to_owned()) };
        let signed_at_secs = i64::try_from(timestamp_secs).unwrap();
        let (wire, _) = sign_quietly(&request, &variant, signed_at_secs, &nonce);
        Call {
            wire,
            access_key_id,
            access_key_secret,
            nonce,
            timestamp_secs,
            address_id,
            op,
            instance_secs: 0,
            began: 0,
            ended: None,
            answer: None,
        }
    }

    /// Sends a call to an instance and records it. The client may give it up, and its instance may
    /// end.
    pub(crate) async fn send(&self, mut call: Call, instance: usize) -> Option<Answer> {
        let (function, ends) = {
            let instance = &self.instances()[instance];
            (Arc::clone(&instance.function), Arc::clone(&instance.ends))
        };
        call.instance_secs = self.instance_secs(instance);
        call.began = self.moment();
        (call.ended, call.answer) = (None, None);
        let about = format!("{} {:?} of {}", call.began, call.op, call.address_id);
        self.sim.note("call", || format!("{about} by {} at {}", call.nonce, instance));
        let is_impatient = self.plan.is_troubled && self.sim.chance(50);
        let patience_micros = if is_impatient { self.sim.draw(20_000) } else { PATIENCE_MICROS };
        let (op, event) = (call.op, event(&call.wire));
        let address_id = call.address_id.clone();
        let number = {
            let mut log = self.log();
            log.calls.push(call);
            log.calls.len() - 1
        };
        let response = tokio::select! {
            biased;
            () = ends.notified() => None,
            response = function.handle(event) => Some(response),
            () = self.sim.sleep(patience_micros) => None,
        };
        let Some(response) = response else {
            self.sim.note("call given up", || about);
            return None;
        };
        let answer = read(op, &address_id, &response);
        let code = answer.code.clone().unwrap_or_else(|| "success".to_owned());
        self.sim.note("answer", || format!("{about}: {code} {:?}", answer.ret));
        if let Some(event) = EVENTS.iter().find(|event| **event == code) {
            self.sim.note(event, String::new);
        }
        let call = &mut self.log().calls[number];
        call.ended = Some(self.moment());
        call.answer = Some(answer.clone());
        Some(answer)
    }

    /// The clock of an instance.
    pub(crate) fn instance_secs(&self, instance: usize) -> u64 {
        let ahead_secs = self.ahead_secs[instance].load(Ordering::Relaxed);
        now_secs(&self.sim).saturating_add_signed(ahead_secs)
    }
}

/// Answers that are counted.
const EVENTS: [&str; 10] = [
    "DryRunOperation",
    "InvalidAccessKeyId.Inactive",
    "InvalidAccessKeyId.NotFound",
    "IdempotentParameterMismatch",
    "InvalidTimeStamp.Expired",
    "SignatureDoesNotMatch",
    "SignatureNonceUsed",
    "SystemBusy",
    "Throttling.User",
    "success",
];

fn event(wire: &Wire) -> Event {
    let header = |(name, value): (&String, &String)| {
        (name.parse::<HeaderName>().unwrap(), value.parse::<HeaderValue>().unwrap())
    };
    let headers: HeaderMap = wire.headers.iter().map(header).collect();
    let request = rpc::Request {
        method: wire.method.parse().unwrap(),
        query: wire.query_string(),
        headers,
        body: wire.body.clone().into(),
        source_ip: None,
        secure_transport: true,
    };
    Event { shape: Shape::HttpApi, request }
}

/// Reads an answer in JSON.
fn read(op: Op, address_id: &str, response: &Response) -> Answer {
    let body: Value = serde_json::from_str(&response.body).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let status = response.status_code;
    if let Some(code) = body.get("Code") {
        return Answer { status, code: Some(text(code)), ret: Ret::Refused(text(code)) };
    }
    let ret = match op {
        Op::Allocate { .. } | Op::DryRun { .. } => Ret::Bought(text(&body["InternetBandwidthId"])),
        Op::Modify { .. } | Op::Delete { .. } => Ret::Done,
        Op::Describe { .. } | Op::Release(_) => {
            let mut shown = body["Ipv6Addresses"]["Ipv6Address"].as_array().unwrap().iter();
            let address = shown.find(|address| address["Ipv6AddressId"] == address_id);
            let bandwidth = &address.unwrap_or(&Value::Null)["Ipv6InternetBandwidth"];
            let id = bandwidth["Ipv6InternetBandwidthId"].as_str().unwrap_or_default();
            let mbps = bandwidth["Bandwidth"].as_u64().unwrap_or_default();
            let shown = (id.to_owned(), u16::try_from(mbps).unwrap());
            Ret::Shows((!id.is_empty()).then_some(shown))
        }
    };
    Answer { status, code: None, ret }
}
