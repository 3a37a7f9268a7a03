//! Headers that are wrong, missing or too many.

use super::{ERROR, SUCCESS, THROTTLED, Wrong, change, header};
use crate::wrong_answers::proxy::Change;

/// Adds them.
pub(super) fn add(all: &mut Vec<Wrong>) {
    let mut add = |name: String, case: &'static str, named: &str, change: Change| {
        for format in ["JSON", "XML"] {
            all.push(Wrong {
                name: name.clone(),
                case,
                format,
                names: vec![format!("header/{named}")],
                change: change.clone(),
            });
        }
    };
    for name in [
        "content-type",
        "access-control-allow-origin",
        "access-control-expose-headers",
        "x-acs-request-id",
        "x-acs-trace-id",
    ] {
        add(format!("no {name}"), ERROR, name, header(name, None));
        add(format!("another {name}"), ERROR, name, header(name, Some("other")));
        add(format!("an empty {name}"), SUCCESS, name, header(name, Some("")));
        let twice = change(move |sent| {
            let value = sent.headers.iter().find(|(known, _)| known == name).unwrap().clone();
            sent.headers.push(value);
        });
        add(format!("{name} twice"), ERROR, name, twice);
    }
    for value in [
        "text/json",
        "application/xml;charset=utf-8",
        "application/json; charset=utf-16",
        "text/plain",
    ] {
        let change = header("content-type", Some(value));
        add(format!("the content type {value}"), SUCCESS, "content-type", change);
    }
    for value in ["gzip", "br", "identity, gzip"] {
        let change = header("content-encoding", Some(value));
        add(format!("a plain body said to be {value}"), SUCCESS, "content-encoding", change);
    }
    let upper = change(|sent| {
        let id = sent.headers.iter_mut().find(|(name, _)| name == "x-acs-trace-id").unwrap();
        id.1 = id.1.to_uppercase();
    });
    add("a trace id in capitals".to_owned(), ERROR, "x-acs-trace-id", upper);
    for name in ["x-acs-retry-after", "x-ratelimit-user-api"] {
        add(format!("{name} where nothing is throttled"), ERROR, name, header(name, Some("1")));
        add(format!("no {name} where it is"), THROTTLED, name, header(name, None));
        add(format!("{name} of no sense"), THROTTLED, name, header(name, Some("soon")));
    }
    for name in ["x-acs-version", "access-control-allow-credentials"] {
        add(format!("{name}, which no answer has"), ERROR, name, header(name, Some("true")));
    }
}
