//! Each member of an answer, wrong in each way.

use serde_json::{Map, Value, json};

use super::{Wrong, change, element, members, names, replace, set};
use crate::wrong_answers::proxy::Change;

type JsonChange = fn(&mut Map<String, Value>, &str);

pub(super) fn in_json(case: &'static str, field: &'static str, all: &mut Vec<Wrong>) {
    let changes: [(&str, JsonChange); 11] = [
        ("wrong", |m, f| set(m, f, |_| json!("something else"))),
        ("missing", |m, f| drop(m.remove(f))),
        ("null", |m, f| set(m, f, |_| Value::Null)),
        ("a number", |m, f| set(m, f, |_| json!(2))),
        ("in a list", |m, f| set(m, f, |text| json!([text]))),
        ("in an object", |m, f| set(m, f, |text| json!({ "Value": text }))),
        ("empty", |m, f| set(m, f, |_| json!(""))),
        ("with a space behind", |m, f| set(m, f, |text| json!(format!("{text} ")))),
        ("with a space before", |m, f| set(m, f, |text| json!(format!(" {text}")))),
        ("in the other letter case", |m, f| set(m, f, |text| json!(other_case(text)))),
        ("under a name in lower case", |m, f| {
            let value = m.remove(f).unwrap();
            m.insert(f.to_lowercase(), value);
        }),
    ];
    for (what, change) in changes {
        all.push(Wrong {
            name: format!("{field} {what} of {case}"),
            case,
            format: "JSON",
            names: names(field),
            change: members(move |members| change(members, field)),
        });
    }
    all.push(Wrong {
        name: format!("{field} twice in {case}"),
        case,
        format: "JSON",
        names: vec!["body".to_owned()],
        change: change(move |sent| replace(sent, "{\"", &format!("{{\"{field}\":\"x\",\""))),
    });
}

pub(super) fn in_xml(case: &'static str, field: &'static str, all: &mut Vec<Wrong>) {
    let wrapped = move |inner: &str| format!("<{field}>{inner}</{field}>");
    let mut add = |what: &str, named: Vec<String>, change: Change| {
        let name = format!("{field} {what} of {case}");
        all.push(Wrong { name, case, format: "XML", names: named, change });
    };
    add("wrong", names(field), element(field, move |_| wrapped("something else")));
    add("missing", names(field), element(field, |_| String::new()));
    add("empty", names(field), element(field, move |_| wrapped("")));
    add(
        "with a space behind",
        names(field),
        element(field, move |text| wrapped(&format!("{text} "))),
    );
    add(
        "with a space before",
        names(field),
        element(field, move |text| wrapped(&format!(" {text}"))),
    );
    add(
        "in the other letter case",
        names(field),
        // The CDATA markers are no part of the text.
        element(field, move |text| wrapped(&other_case(text).replace("![cdata[", "![CDATA["))),
    );
    add(
        "in an element",
        names(field),
        element(field, move |text| wrapped(&format!("<V>{text}</V>"))),
    );
    let small = field.to_lowercase();
    add(
        "under a name in lower case",
        names(field),
        element(field, move |text| format!("<{small}>{text}</{small}>")),
    );
    let body = || vec!["body".to_owned()];
    add("twice", names(field), element(field, move |text| wrapped(text).repeat(2)));
    add(
        "with an attribute",
        body(),
        element(field, move |text| format!("<{field} a=\"b\">{text}</{field}>")),
    );
    add("never closed", body(), element(field, move |text| format!("<{field}>{text}")));
}

/// The text in upper case, or in lower case if it is in upper case.
fn other_case(text: &str) -> String {
    let capitals = text.to_uppercase();
    if capitals == text { text.to_lowercase() } else { capitals }
}
