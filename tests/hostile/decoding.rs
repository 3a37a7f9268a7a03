//! Queries and forms.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use ipv6_gateway::API;
use ipv6_gateway::rpc::{self, Call, percent_encode};

use crate::meaning::by_name;
use crate::sent::{Sent, header_value, query_string};
use harness::client::signature::{Pairs, decode_pairs, encode, encode_pairs};

/// A request with a query and a body: the input is the query, the content type and the body, each
/// on a line.
pub(super) fn query_and_form(input: &[u8]) {
    let mut lines = input.splitn(3, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (query, content_type, body) = (query_string(line()), line(), line());
    let content_type = header_value(&String::from_utf8_lossy(content_type));

    let text = String::from_utf8_lossy(body);
    for text in [&*query, &*text] {
        let read = rpc::Parameters::read(text.as_bytes(), b"");
        let mut pairs = BTreeMap::new();
        for (name, value) in decode_pairs(text.as_bytes()) {
            // The first value of a repeated name counts.
            pairs.entry(name).or_insert(value);
        }
        let expected = pairs.iter().map(|(name, value)| (&**name, &**value));
        assert!(read.iter().eq(expected), "decoded from {text:?}: {read:?}");
        for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
            let encoded = percent_encode(text);
            assert_eq!(encoded, encode(text), "encoded from {text:?}");
            let again = format!("{encoded}={encoded}");
            let again = rpc::Parameters::read(again.as_bytes(), b"");
            assert_eq!(again.get(text), Some(&**text), "decoded from {encoded:?}: {again:?}");
        }
    }

    let sent = Sent {
        query,
        headers: vec![("content-type".to_owned(), content_type.clone())],
        body: body.to_vec(),
        ..Sent::default()
    };
    let Ok(content_type) = HeaderValue::from_str(&content_type) else { return };
    let call = Call::read(rpc::Request {
        method: Method::POST,
        query: sent.query.clone(),
        headers: HeaderMap::from_iter([(CONTENT_TYPE, content_type)]),
        body: Bytes::from(sent.body.clone()),
        ..rpc::Request::default()
    });
    merged(&call, &sent);
}

/// Asserts that every parameter is in its place, or that the call is refused for its fault.
fn merged(call: &Call, sent: &Sent) {
    let (query, form) = (sent.query_pairs(), sent.form_pairs());
    let routed = call.route(&API, |name| Ok(name.to_owned()));
    let is_refused = routed.as_ref().err().map(|error| (error.code.code, &*error.message));
    let bytes = |pairs: &Pairs| pairs.iter().map(|(name, it)| name.len() + it.len()).sum::<usize>();
    let headers = Pairs::from_iter(sent.headers.clone());
    if bytes(&query) + bytes(&headers) + sent.body.len() > 1024 * 1024 {
        assert_eq!(is_refused.map(|(code, _)| code), Some("RequestTooLarge"));
        return;
    }
    if bytes(&headers) > 32 * 1024 {
        assert_eq!(is_refused.map(|(code, _)| code), Some("RequestHeadersTooLarge"));
        return;
    }
    let is_too_many = query.len() + form.len() > 200;
    let is_too_large = |(name, value): &(String, String)| name.len() > 8192 || value.len() > 8192;
    let is_too_large = query.iter().chain(&form).any(is_too_large);
    let maps = (by_name(&query), by_name(&form));
    let (Some(query), Some(form), false) = (maps.0, maps.1, is_too_many || is_too_large) else {
        let (code, message) = is_refused.unwrap_or_else(|| panic!("taken: {sent:?}"));
        assert_eq!(code, "InvalidParameter.Format", "{message}: {sent:?}");
        let is_printable = message.bytes().all(|byte| matches!(byte, b' '..=b'~'));
        assert!(is_printable && message.len() < 200, "{message:?}");
        return;
    };
    let mut all: BTreeMap<_, _> = query;
    all.extend(form);
    for (name, value) in &all {
        assert_eq!(call.parameter(name), Some(&**value), "{name:?} of {sent:?}");
    }
    for name in ["Action", "Version", "Format", "RegionId", ""] {
        assert_eq!(call.parameter(name), all.get(name).map(String::as_str), "{name:?} of {sent:?}");
    }
    if let Ok(action) = routed {
        assert_eq!(Some(&action), all.get("Action"), "{sent:?}");
        assert_eq!(all.get("Version").map(String::as_str), Some(API.version), "{sent:?}");
    }
    // A canonical text stays canonical.
    let text = encode_pairs(&all);
    let again: BTreeMap<_, _> = decode_pairs(text.as_bytes()).into_iter().collect();
    assert_eq!(again, all);
}
