//! Lists, numbers and booleans that are almost right.

use serde_json::{Map, Value, json};

use super::{Wrong, element, members};
use crate::wrong_answers::proxy::Change;

const LIST: &str = "DescribeIpv6Addresses/Success/all";

/// Adds them.
pub(super) fn add(all: &mut Vec<Wrong>) {
    let mut add = |name: &str, format: &'static str, named: &str, change: Change| {
        all.push(Wrong {
            name: name.to_owned(),
            case: LIST,
            format,
            names: vec![named.to_owned()],
            change,
        });
    };
    let total = |change: fn(u64) -> Value| {
        members(move |members| {
            let total = members["TotalCount"].as_u64().unwrap();
            members.insert("TotalCount".to_owned(), change(total));
        })
    };
    add(
        "a number with a fraction",
        "JSON",
        "body/TotalCount",
        total(|it| json!(f64::from(u32::try_from(it).unwrap()))),
    );
    add("a number as a text", "JSON", "body/TotalCount", total(|it| json!(it.to_string())));
    add("one more", "JSON", "body/TotalCount", total(|it| json!(it + 1)));
    add("a number in a list", "JSON", "body/TotalCount", total(|it| json!([it])));
    add("no number", "JSON", "body/TotalCount", total(|_| Value::Null));
    let listed = |change: fn(&mut Vec<Value>)| {
        members(move |members: &mut Map<String, Value>| {
            let list = members["Ipv6Addresses"]["Ipv6Address"].as_array_mut().unwrap();
            change(list);
        })
    };
    add("a list in the other order", "JSON", "list", listed(|list| list.reverse()));
    add("a list without its last", "JSON", "body/Ipv6Addresses", listed(|list| drop(list.pop())));
    add(
        "a list with its first twice",
        "JSON",
        "list",
        listed(|list| list.insert(0, list[0].clone())),
    );
    add(
        "a list with null in it",
        "JSON",
        "body/Ipv6Addresses",
        listed(|list| list.push(Value::Null)),
    );
    add(
        "a member that is null instead of missing",
        "JSON",
        "body/Ipv6Addresses/Ipv6Address/0",
        listed(|list| {
            list[0]["Extra"] = Value::Null;
        }),
    );
    for (name, change) in [
        ("a number with a sign", (|text| format!("+{text}")) as fn(&str) -> String),
        ("a number after blanks", |text| format!(" {text}")),
        ("a number before a line end", |text| format!("{text}\n")),
        ("a number after a nought", |text| format!("0{text}")),
        ("a number with a fraction", |text| format!("{text}.0")),
        ("no number", |_| String::new()),
    ] {
        let changed = move |text: &str| format!("<TotalCount>{}</TotalCount>", change(text));
        add(name, "XML", "body/TotalCount", element("TotalCount", changed));
    }
    add("no list", "XML", "body/Ipv6Addresses", element("Ipv6Addresses", |_| String::new()));
    add(
        "an empty list",
        "XML",
        "body/Ipv6Addresses",
        element("Ipv6Addresses", |_| "<Ipv6Addresses></Ipv6Addresses>".to_owned()),
    );
}
