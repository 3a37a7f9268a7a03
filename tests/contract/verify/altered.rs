//! Endpoints with one fault in all their answers.

use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use harness::http::Server;
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::json;
use suites::command::{endpoint, verify};

use super::before::{Behind, before, is_control};
use super::count;

/// A change to the headers and the body of an answer.
type Change = fn(&mut HeaderMap, &mut String);

/// A change to the world that the endpoint shows.
type WorldChange = fn(&mut String, usize);

/// A fake in front of an endpoint that changes its answers.
async fn altered(address: &str, change: Change, change_world: WorldChange) -> Server {
    static READS: AtomicUsize = AtomicUsize::new(0);
    before(address, move |behind: Behind, request: Request<Bytes>| async move {
        let is_control = is_control(&request);
        let is_read = is_control && request.method() == http::Method::GET;
        let (mut parts, body) = behind.pass(request).await?.into_parts();
        let mut body = String::from_utf8(body.collect().await?.to_bytes().into())?;
        if is_read {
            change_world(&mut body, READS.fetch_add(1, Ordering::Relaxed));
        } else if !is_control {
            change(&mut parts.headers, &mut body);
        }
        parts.headers.remove("content-length");
        Ok(Response::from_parts(parts, Full::new(body.into())))
    })
    .await
}

const CASES: [&str; 2] = ["--case", "IllegalParam.Bandwidth/l*"];

#[tokio::test(flavor = "multi_thread")]
async fn one_cause_is_one_finding_for_all_its_answers() {
    let (endpoint, _) = endpoint(&[]).await;
    // A gateway that replaces the media type of each body.
    let change = |headers: &mut HeaderMap, _: &mut String| {
        headers.insert("content-type", HeaderValue::from_static("text/html"));
    };
    let server = altered(endpoint.address(), change, |_, _| {}).await;
    let (code, text, report) = verify(&["--endpoint", server.url(), "--case", "*.Ipv6*/*"]);
    assert_eq!(code, Some(1), "{text}");
    let all = count(&report, "trials");
    assert!(all > 50 && text.contains(&format!("{all} do not hold")), "{text}");
    // In both formats, and nothing else.
    let headings: Vec<&str> = text.lines().filter(|line| line.ends_with(" answers")).collect();
    let half = format!("header/content-type: {} of {all} answers", all / 2);
    assert_eq!(headings, [&half, &half], "{text}");
    for trial in report["trials"].as_array().unwrap() {
        assert_eq!(trial["findings"].as_array().unwrap().len(), 1, "{trial}");
        assert_eq!(trial["findings"][0]["also"], json!(["snapshot"]));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_kind_of_lenience_allows_its_own_differences_only() {
    let (endpoint, _) = endpoint(&[]).await;
    let changes: [(&str, Change, WorldChange); 5] = [
        ("message", |_, body| *body = body.replace("The param of", "A param of"), |_, _| {}),
        ("recommend", |_, body| *body = body.replace("product=Vpc", "product=Ecs"), |_, _| {}),
        ("host-id", |_, body| *body = body.replace("vpc.cn-", "ecs.cn-"), |_, _| {}),
        ("headers", |headers, _| drop(headers.remove("access-control-expose-headers")), |_, _| {}),
        (
            "state",
            |_, _| {},
            |body, reads| {
                *body = body.replace("\"RegionId\"", &format!("\"Read{reads}\":1,\"RegionId\""));
            },
        ),
    ];
    for (own, change, change_world) in changes {
        let server = altered(endpoint.address(), change, change_world).await;
        let place = [&["--endpoint", server.url()][..], &CASES].concat();
        let strict = verify(&place);
        assert_eq!(strict.0, Some(1), "{own}: {}", strict.1);
        for (kind, ..) in changes {
            let (code, text, _) = verify(&[&place[..], &["--lenient", kind]].concat());
            let expected = i32::from(kind != own);
            assert_eq!(code, Some(expected), "{own} with --lenient {kind}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn other_bytes_are_counted_and_fail_an_exact_run() {
    let (endpoint, _) = endpoint(&[]).await;
    let change = |_: &mut HeaderMap, body: &mut String| body.push('\n');
    let server = altered(endpoint.address(), change, |_, _| {}).await;
    let place = [&["--endpoint", server.url()][..], &CASES].concat();
    let (code, text, report) = verify(&place);
    assert_eq!(code, Some(0), "{text}");
    let all = count(&report, "trials");
    assert!(
        text.contains(&format!("{all} answers have the meaning of the reviewed ones")),
        "{text}"
    );
    assert!(report["trials"].as_array().unwrap().iter().all(|trial| trial["cosmetic"] == true));
    let (code, text, _) = verify(&[&place[..], &["--exact"]].concat());
    assert_eq!(code, Some(1), "{text}");
    assert!(text.contains("the spelling was judged, as --exact demands"), "{text}");
}
