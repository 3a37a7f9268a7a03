//! `local-endpoint call`: signs a call, sends it and shows the answer.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::SystemTime;

use anstyle::{AnsiColor, Style};
use ipv6_gateway::rpc::signature::acs3::{self, Algorithm};
use ipv6_gateway::rpc::signature::v1;
use ipv6_gateway::rpc::{format_timestamp, percent_encode};
use ipv6_gateway::{API, Ids};
use reqwest::Url;

use crate::command::{Call, Format, Signature};
use crate::error::Error;
use crate::worlds;

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const NAME: Style = AnsiColor::Cyan.on_default();

/// The header with the token of a temporary access key.
const SECURITY_TOKEN: &str = "x-acs-security-token";

/// Sends the call; shows request and answer.
#[expect(clippy::disallowed_methods, reason = "this installs the TLS of the client")]
pub(crate) async fn call(call: Call, now: SystemTime) -> Result<ExitCode, Error> {
    let request = request(&call, now)?;
    // It fails if a provider is installed already, which serves as well.
    drop(rustls::crypto::ring::default_provider().install_default());
    let client = reqwest::Client::builder();
    let client = if request.url().scheme() == "https" { client } else { plain(client)? };
    let client = client
        .no_proxy()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(std::time::Duration::from_secs(30))
        .build()
        .map_err(Error::failed)?;
    let mut out = anstream::stdout();
    let security_token = call.security_token.as_deref();
    show_request(&mut out, &request, security_token)?;
    let answer = client.execute(request).await.map_err(|error| {
        let cause = store::with_causes(&error);
        Error::failed(format!("no answer from {}: {cause}; is it running?", call.endpoint))
    })?;
    let status = answer.status();
    let headers = answer.headers().clone();
    let body = answer.text().await.map_err(Error::failed)?;
    let mut show_answer = || -> io::Result<()> {
        let style = if status.is_success() { GOOD } else { BAD };
        writeln!(out, "{style}{status}{style:#}")?;
        for (name, value) in &headers {
            writeln!(out, "{NAME}{name}{NAME:#}: {}", String::from_utf8_lossy(value.as_bytes()))?;
        }
        writeln!(out, "\n{}", masked(&body, security_token))
    };
    show_answer()?;
    Ok(if status.is_success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// A client without TLS: it needs no certificates, which the system may lack.
fn plain(client: reqwest::ClientBuilder) -> Result<reqwest::ClientBuilder, Error> {
    let provider = rustls::crypto::ring::default_provider().into();
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(Error::failed)?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    Ok(client.tls_backend_preconfigured(config))
}

/// A text with `***` for the security token, a secret: plain, encoded, or encoded twice as in a string
/// to sign.
fn masked(text: &str, security_token: Option<&str>) -> String {
    let Some(token) = security_token else { return text.to_owned() };
    let once = percent_encode(token);
    let twice = percent_encode(&once);
    [&*twice, &*once, token].iter().fold(text.to_owned(), |text, form| text.replace(form, "***"))
}

/// Shows the request without the security token.
fn show_request(
    out: &mut impl Write,
    request: &reqwest::Request,
    security_token: Option<&str>,
) -> io::Result<()> {
    let masked = |text: &str| masked(text, security_token);
    writeln!(out, "{GOOD}{}{GOOD:#} {}", request.method(), masked(request.url().as_str()))?;
    for (name, value) in request.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        writeln!(out, "{NAME}{name}{NAME:#}: {}", masked(&value))?;
    }
    writeln!(out)
}

/// The signed request, with all parameters in the query.
fn request(call: &Call, now: SystemTime) -> Result<reqwest::Request, Error> {
    let invalid_endpoint = |reason: &dyn std::fmt::Display| {
        Error::Invalid(format!("--endpoint {}: {reason}", call.endpoint))
    };
    // SDKs accept a host and a port without a scheme, too.
    let is_bare = !call.endpoint.contains("://") && call.endpoint.contains(':');
    let scheme = if is_bare { "http://" } else { "" };
    let mut url = Url::parse(&format!("{scheme}{}", call.endpoint))
        .map_err(|error| invalid_endpoint(&error))?;
    let host = match (url.host_str(), url.port()) {
        (Some(host), Some(port)) => format!("{host}:{port}"),
        (Some(host), None) => host.to_owned(),
        (None, _) => return Err(invalid_endpoint(&"missing host")),
    };
    let since_1970 = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_secs());
    let timestamp = format_timestamp(i64::try_from(since_1970).unwrap_or(i64::MAX));
    let nonce = Ids::from_system().map_err(Error::failed)?.request_id();

    let format = match call.format {
        Format::Json => "JSON",
        Format::Xml => "XML",
    };
    let mut query: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &call.parameters {
        if query.insert(name.clone(), value.clone()).is_some() {
            return Err(Error::Invalid(format!("repeated parameter {name}")));
        }
    }
    query.insert("Format".to_owned(), format.to_owned());
    let mut headers = vec![("host", host)];
    let algorithm = match call.signature {
        Signature::V1 => None,
        Signature::V3 => Some(Algorithm::HmacSha256),
        Signature::V3Sm3 => Some(Algorithm::HmacSm3),
    };
    match algorithm {
        None => {
            if let Some(token) = &call.security_token {
                query.insert("SecurityToken".to_owned(), token.clone());
            }
            let common = [
                ("Action", call.action.as_str()),
                ("Version", API.version),
                ("AccessKeyId", call.access_key_id.as_str()),
                ("SignatureMethod", "HMAC-SHA1"),
                ("SignatureVersion", "1.0"),
                ("SignatureNonce", &nonce),
                ("Timestamp", &timestamp),
            ];
            query.extend(common.map(|(name, value)| (name.to_owned(), value.to_owned())));
            let string_to_sign = v1::string_to_sign(&reqwest::Method::POST, &query);
            let signature = v1::sign(&call.access_key_secret, &string_to_sign);
            query.insert("Signature".to_owned(), signature);
        }
        Some(algorithm) => {
            let hashed_request_payload = algorithm.hex_digest(b"");
            headers.extend([
                ("x-acs-action", call.action.clone()),
                ("x-acs-content-sha256", hashed_request_payload.clone()),
                ("x-acs-date", timestamp),
                ("x-acs-signature-nonce", nonce),
                ("x-acs-version", API.version.to_owned()),
            ]);
            headers.extend(call.security_token.clone().map(|token| (SECURITY_TOKEN, token)));
            let signed: Vec<(&str, &str)> =
                headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let canonical_request = acs3::canonical_request(
                &reqwest::Method::POST,
                &query,
                &signed,
                &hashed_request_payload,
            );
            let string_to_sign = algorithm.string_to_sign(&canonical_request);
            let signature = algorithm.sign(&call.access_key_secret, &string_to_sign);
            let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
            let authorization = format!(
                "{} Credential={},SignedHeaders={},Signature={signature}",
                algorithm.name(),
                call.access_key_id,
                names.join(";")
            );
            headers.push(("authorization", authorization));
        }
    }
    let pairs: Vec<String> = query
        .iter()
        .map(|(name, value)| format!("{}={}", percent_encode(name), percent_encode(value)))
        .collect();
    url.set_query(Some(&pairs.join("&")));
    let mut request = reqwest::Request::new(reqwest::Method::POST, url);
    // The signature must not cover this header.
    headers.extend(call.world.clone().map(|world| (worlds::HEADER, world)));
    for (name, value) in headers {
        let value =
            value.parse().map_err(|error| Error::Invalid(format!("the header {name}: {error}")))?;
        request.headers_mut().insert(name, value);
    }
    Ok(request)
}
