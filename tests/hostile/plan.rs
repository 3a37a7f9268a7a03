//! A request before and after its signature, as a text that can be read even if it is cut at any
//! byte:
//!
//! ```text
//! style V3
//! method POST
//! query RegionId=cn-huhehaote&Bandwidth=5
//! then insert query 3 x
//! ```

use std::fmt;
use std::str::FromStr;

use crate::change::Change;
use crate::sent::{FORM, KEYS, Key, Sent, is_token, query_string};
use crate::verdict::usual_action;
pub use harness::case::Style;

/// The host that requests name.
const HOST: &str = "vpc.aliyuncs.com";

/// A request, and the changes to it in transit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The operation; empty: any.
    pub action: String,
    /// How it is signed.
    pub style: Style,
    /// The gateway that makes its event.
    pub shape: Shape,
    /// The key of [`crate::KEYS`] that signs.
    pub key: String,
    /// The method.
    pub method: String,
    /// The query, as it is sent.
    pub query: String,
    /// The body, as it is sent.
    pub body: String,
    /// More headers, which V3 signs.
    pub headers: Vec<(String, String)>,
    /// The changes after the signature.
    pub changes: Vec<Change>,
}

/// The kind of gateway that makes the event of a request. Only kinds that lose nothing of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Shape {
    /// API Gateway's HTTP API.
    #[default]
    HttpApi,
    /// API Gateway's REST API.
    RestApi,
    /// A load balancer with multi-value headers.
    Alb,
}

impl Shape {
    /// Every shape by its name.
    pub const ALL: [(&'static str, Self); 3] =
        [("http-api", Self::HttpApi), ("rest-api", Self::RestApi), ("alb", Self::Alb)];
}

/// The name of a value in a table.
pub(super) fn name_of<T: PartialEq>(table: &[(&'static str, T)], value: &T) -> &'static str {
    table.iter().find(|(_, known)| known == value).map_or("", |(name, _)| name)
}

/// The value of a name in a table.
pub(super) fn named<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
}

/// A signed request.
pub(super) struct Signed {
    pub(super) sent: Sent,
    /// The names of the signed headers.
    pub(super) headers: Vec<String>,
    pub(super) key: Key<'static>,
}

impl Plan {
    /// Reads a plan. Unreadable lines are skipped, so every text is a plan.
    #[must_use]
    pub fn read(text: &str) -> Self {
        let mut plan =
            Self { key: "testid".to_owned(), method: "POST".to_owned(), ..Self::default() };
        for line in text.split('\n') {
            let (word, rest) = line.split_once(' ').unwrap_or((line, ""));
            match word {
                "action" => rest.clone_into(&mut plan.action),
                "style" => plan.style = rest.parse().unwrap_or_default(),
                "shape" => plan.shape = named(&Shape::ALL, rest).unwrap_or_default(),
                "key" => rest.clone_into(&mut plan.key),
                "method" => rest.clone_into(&mut plan.method),
                "query" => rest.clone_into(&mut plan.query),
                "body" => rest.clone_into(&mut plan.body),
                "header" => plan.headers.extend(rest.split_once(':').map(|(name, value)| {
                    (name.to_owned(), value.strip_prefix(' ').unwrap_or(value).to_owned())
                })),
                // More changes would make an input slow without new behaviour.
                "then" if plan.changes.len() < 16 => plan.changes.extend(Change::from_str(rest)),
                _ => {}
            }
        }
        plan
    }

    /// The request that the plan describes, before it is signed.
    pub(super) fn unsigned(&self) -> Sent {
        let method = if is_token(&self.method) { &self.method } else { "POST" };
        let mut sent = Sent {
            method: method.to_owned(),
            query: query_string(self.query.as_bytes()),
            headers: Vec::new(),
            body: self.body.clone().into_bytes(),
        };
        sent.add_header("host", HOST);
        if !sent.body.is_empty() {
            sent.add_header("content-type", FORM);
        }
        for (name, value) in &self.headers {
            let name = name.to_ascii_lowercase();
            // The signer and the gateway add these themselves.
            let is_own = name.starts_with("x-acs-") || name == "authorization";
            if !is_own && !name.starts_with("x-forwarded-") {
                sent.set_header(&name, value);
            }
        }
        sent
    }

    /// The request, signed.
    pub(super) fn signed(&self) -> Signed {
        let mut sent = self.unsigned();
        let key = KEYS.into_iter().find(|key| key.id == self.key).unwrap_or(KEYS[0]);
        let action = if self.action.is_empty() { usual_action() } else { &self.action };
        let headers = sent.sign(self.style, action, &key);
        Signed { sent, headers, key }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, style, shape, key, method, query, body, headers, changes } = self;
        if !action.is_empty() {
            writeln!(formatter, "action {action}")?;
        }
        let shape = name_of(&Shape::ALL, shape);
        write!(formatter, "style {style}\nshape {shape}\nkey {key}\nmethod {method}\n")?;
        write!(formatter, "query {query}\nbody {body}\n")?;
        for (name, value) in headers {
            writeln!(formatter, "header {name}: {value}")?;
        }
        changes.iter().try_for_each(|change| writeln!(formatter, "then {change}"))
    }
}
