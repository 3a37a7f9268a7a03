//! Ids that disagree, and other contradictions between parts that are right by themselves.

use serde_json::{Value, json};

use super::{
    DENIED, ERROR, MISMATCH, REPLAY, SECOND, SUCCESS, Wrong, change, header, members, replace, set,
    set_header,
};
use crate::wrong_answers::proxy::{Change, Sent};

const OTHER: &str = "473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E";

fn request_id(sent: &Sent) -> String {
    let body: Value = serde_json::from_slice(&sent.body).unwrap();
    body["RequestId"].as_str().unwrap().to_owned()
}

/// Adds them.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn add(all: &mut Vec<Wrong>) {
    let mut add = |name: &str, case: &'static str, named: &[&str], change: Change| {
        all.push(Wrong {
            name: name.to_owned(),
            case,
            format: "JSON",
            names: named.iter().map(|name| (*name).to_owned()).collect(),
            change,
        });
    };
    add(
        "another RequestId in the header",
        ERROR,
        &["header/x-acs-request-id"],
        header("x-acs-request-id", Some(OTHER)),
    );
    add(
        "another RequestId in the body",
        ERROR,
        &["header/x-acs-request-id"],
        members(|members| set(members, "RequestId", |_| json!(OTHER))),
    );
    add(
        "another RequestId in the link",
        ERROR,
        &["Recommend"],
        change(|sent| {
            let id = request_id(sent);
            replace(sent, &format!("requestId={id}"), &format!("requestId={OTHER}"));
        }),
    );
    add(
        "a RequestId in small letters throughout",
        ERROR,
        &["RequestId"],
        change(|sent| {
            let id = request_id(sent);
            replace(sent, &id, &id.to_lowercase());
            set_header(sent, "x-acs-request-id", &id.to_lowercase());
        }),
    );
    add(
        "the RequestId of the call before throughout",
        REPLAY,
        &["RequestId"],
        change(|sent| {
            let (old, id) = (request_id(sent.before.as_ref().unwrap()), request_id(sent));
            replace(sent, &id, &old);
            set_header(sent, "x-acs-request-id", &old);
        }),
    );
    add(
        "another bandwidth in a replay",
        REPLAY,
        &["InternetBandwidthId"],
        members(|members| {
            set(members, "InternetBandwidthId", |_| json!("ipv6bw-zzzzzzzzzzzzzzzzz"));
        }),
    );
    add(
        "the bandwidth of the call before for another address",
        SECOND,
        &["InternetBandwidthId"],
        change(|sent| {
            let before: Value =
                serde_json::from_slice(&sent.before.as_ref().unwrap().body).unwrap();
            let now: Value = serde_json::from_slice(&sent.body).unwrap();
            let id = |body: &Value| body["InternetBandwidthId"].as_str().unwrap().to_owned();
            replace(sent, &id(&now), &id(&before));
        }),
    );
    add(
        "the two ids of a success in each other's place",
        SUCCESS,
        &["Ipv6AddressId"],
        members(|members| {
            let (address, bandwidth) =
                (members["Ipv6AddressId"].clone(), members["InternetBandwidthId"].clone());
            members.insert("Ipv6AddressId".to_owned(), bandwidth);
            members.insert("InternetBandwidthId".to_owned(), address);
        }),
    );
    add(
        "a host with its port",
        ERROR,
        &["HostId"],
        members(|members| set(members, "HostId", |host| json!(format!("{host}:8787")))),
    );
    add(
        "a link to another product",
        ERROR,
        &["Recommend"],
        change(|sent| {
            replace(sent, "product=Vpc", "product=Ecs");
        }),
    );
    add(
        "a link to another code",
        ERROR,
        &["Recommend"],
        change(|sent| {
            replace(sent, "q=IllegalParam.Bandwidth", "q=IllegalParam.ChargeType");
        }),
    );
    add(
        "no AccessDeniedDetail",
        DENIED,
        &["AccessDeniedDetail"],
        members(|members| drop(members.remove("AccessDeniedDetail"))),
    );
    add(
        "an AccessDeniedDetail where nothing was denied",
        ERROR,
        &["AccessDeniedDetail"],
        members(|members| drop(members.insert("AccessDeniedDetail".to_owned(), json!({})))),
    );
    for field in ["AuthAction", "AuthPrincipalType", "PolicyType", "NoPermissionType"] {
        let (without, other) = (
            members(move |members| {
                let detail = members["AccessDeniedDetail"].as_object_mut().unwrap();
                detail.remove(field).unwrap();
            }),
            members(move |members| {
                let detail = members["AccessDeniedDetail"].as_object_mut().unwrap();
                detail.insert(field.to_owned(), json!("other")).unwrap();
            }),
        );
        add(&format!("no {field} of a denial"), DENIED, &["AccessDeniedDetail"], without);
        add(&format!("another {field} of a denial"), DENIED, &["AccessDeniedDetail"], other);
    }
    add(
        "a secret in a message",
        ERROR,
        &["secrecy"],
        members(|members| {
            let text = format!("key {}", harness::secrets::SECRET);
            members.insert("Message".to_owned(), text.into());
        }),
    );
    add(
        "the caller's token beside the texts that were signed",
        MISMATCH,
        &["HostId", "secrecy"],
        members(|members| set(members, "HostId", |_| json!(harness::secrets::TOKEN))),
    );
    add(
        "no canonical request",
        MISMATCH,
        &["Message"],
        members(|members| {
            set(members, "Message", |message| {
                json!(message.split_once(" server CanonicalRequest").unwrap().0)
            });
        }),
    );
}
