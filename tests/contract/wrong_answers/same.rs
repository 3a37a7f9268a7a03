//! Answers with the meaning of the right one, in other bytes.

use serde_json::Value;

use super::proxy::{Change, Sent, Transfer};
use super::table::{DENIED, ERROR, MISMATCH, SUCCESS, change, header, set_header, text};

/// An answer to a case that means the same.
pub(super) struct Same {
    pub(super) name: &'static str,
    pub(super) case: &'static str,
    pub(super) format: &'static str,
    pub(super) change: Change,
}

/// A list with texts, numbers, booleans, objects and lists of one.
const LIST: &str = "DescribeIpv6Addresses/Success/all";
const LIST_OF_ONE: &str = "DescribeIpv6Addresses/Success/bandwidth-id";
const EMPTY_LIST: &str = "DescribeIpv6Addresses/Success/nothing";
const CASES: [&str; 7] = [SUCCESS, ERROR, DENIED, MISMATCH, LIST, LIST_OF_ONE, EMPTY_LIST];

/// A change to the spelling of a text.
type Rewrite = fn(&str) -> String;

/// Every answer that means the same.
pub(super) fn all() -> Vec<Same> {
    let mut all = Vec::new();
    for case in CASES {
        for (format, rewrites) in [("JSON", JSON), ("XML", XML)] {
            for (name, rewrite) in rewrites {
                let change = rewritten(*rewrite);
                all.push(Same { name, case, format, change });
            }
            for (name, change) in untouched().into_iter().chain(headers(format)) {
                all.push(Same { name, case, format, change });
            }
        }
    }
    all
}

fn rewritten(rewrite: Rewrite) -> Change {
    change(move |sent: &mut Sent| sent.body = rewrite(&text(sent)).into_bytes())
}

/// Some of them, changed in body and header.
pub(super) fn written_otherwise() -> Vec<(&'static str, Change)> {
    let bodies = JSON.iter().map(|(name, rewrite)| (*name, rewritten(*rewrite)));
    bodies.chain(headers("JSON")).collect()
}

/// Ways to write a JSON body, each of which changes its bytes for every case.
const JSON: &[(&str, Rewrite)] = &[
    ("over several lines", |text| serde_json::to_string_pretty(&read(text)).unwrap()),
    ("over several lines that end as on Windows", |text| {
        serde_json::to_string_pretty(&read(text)).unwrap().replace('\n', "\r\n")
    }),
    ("with tabs before and after", |text| format!("\t{text}\t\n")),
    ("with its members in the other order", |text| {
        let Value::Object(members) = read(text) else { panic!("{text}") };
        let members = members.into_iter().rev();
        let members = members.map(|(name, value)| format!("{}:{value}", Value::from(name)));
        let turned = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        if turned == text { format!("{turned} ") } else { turned }
    }),
    ("with escaped letters", |text| text.replace("\"RequestId\"", "\"\\u0052equest\\u0049d\"")),
    ("with an escaped letter of an id", |text| {
        let id = read(text)["RequestId"].as_str().unwrap().to_owned();
        let escaped = format!("\\u{:04x}{}", u32::from(id.as_bytes()[0]), &id[1..]);
        text.replace(&format!("\"{id}\""), &format!("\"{escaped}\""))
    }),
    ("with escaped slashes and hyphens", |text| {
        text.replace('/', "\\/").replace("-4", "\\u002d4").replace("-8", "\\u002D8") + " "
    }),
    ("with blanks around colons and commas", |text| {
        text.replace("\":\"", "\" : \"").replace("\",\"", "\" ,\n \"")
    }),
];

fn read(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

const DECLARATION: &str = "<?xml version='1.0' encoding='UTF-8'?>";

/// Ways to write an XML body.
const XML: &[(&str, Rewrite)] = &[
    ("a declaration in double quotes", |text| text.replacen('\'', "\"", 4)),
    ("an encoding in lower case", |text| text.replacen("UTF-8", "utf-8", 1)),
    ("no encoding", |text| text.replacen(" encoding='UTF-8'", "", 1)),
    ("no declaration", |text| text.replace(DECLARATION, "")),
    ("a standalone declaration", |text| {
        text.replacen("'UTF-8'?>", "'UTF-8' standalone=\"yes\" ?>\r\n", 1)
    }),
    ("a mark of the byte order", |text| format!("\u{feff}{text}")),
    ("a line behind", |text| format!("{text}\n")),
    ("laid out over lines", |text| laid_out(text, "\n  ")),
    ("laid out over lines that end as on Windows", |text| laid_out(text, "\r\n\t")),
    ("comments between elements", |text| laid_out(text, "<!-- between -->\n")),
    ("a comment in an id", |text| {
        let start = text.find("<RequestId>").unwrap() + "<RequestId>".len() + 4;
        format!("{}<!-- within -->{}", &text[..start], &text[start..])
    }),
    ("a processing instruction", |text| text.replacen("?><", "?><?style none?><", 1)),
    ("an id in CDATA", |text| {
        text.replace("<RequestId>", "<RequestId><![CDATA[")
            .replace("</RequestId>", "]]></RequestId>")
    }),
    ("half of an id in CDATA", |text| {
        let start = text.find("<RequestId>").unwrap() + "<RequestId>".len();
        let (before, id, after) = (&text[..start], &text[start..start + 8], &text[start + 8..]);
        format!("{before}<![CDATA[{id}]]>{after}")
    }),
    ("no CDATA", |text| {
        let Some((before, rest)) = text.split_once("<![CDATA[") else { return text.to_owned() };
        let (inner, after) = rest.split_once("]]>").unwrap();
        format!("{before}{}{after}", inner.replace('&', "&amp;"))
    }),
    ("empty CDATA", |text| text.replace("</RequestId>", "<![CDATA[]]></RequestId>")),
    ("a hyphen by its number", |text| with_first_id(text, |id| id.replacen('-', "&#45;", 1))),
    ("a hyphen by its number in base 16", |text| {
        with_first_id(text, |id| id.replace('-', "&#x2D;"))
    }),
    ("blanks in the tags", |text| {
        text.replace("<RequestId>", "<RequestId >").replace("</RequestId>", "</RequestId\n>")
    }),
    ("its first element last", |text| {
        let start = text.find("<RequestId>").unwrap();
        let end = text.find("</RequestId>").unwrap() + "</RequestId>".len();
        let close = text.rfind("</").unwrap();
        let id = &text[start..end];
        format!("{}{}{id}{}", &text[..start], &text[end..close], &text[close..])
    }),
];

/// Each element on a line of its own; texts, the empty one included, get no spaces.
fn laid_out(text: &str, line: &str) -> String {
    let mut tags = text.split("><").peekable();
    let mut out = String::new();
    while let Some(tag) = tags.next() {
        out.push_str(tag);
        let Some(next) = tags.peek() else { break };
        let opened = tag.rsplit(['<', '>']).next().unwrap();
        let closed = next.split('>').next().unwrap().strip_prefix('/');
        let is_text = closed == Some(opened) || tag.ends_with("]]") || next.starts_with("![");
        out.extend([">", if is_text { "" } else { line }, "<"]);
    }
    out
}

fn with_first_id(text: &str, change: fn(&str) -> String) -> String {
    let start = text.find("<RequestId>").unwrap() + "<RequestId>".len();
    let end = text.find("</RequestId>").unwrap();
    format!("{}{}{}", &text[..start], change(&text[start..end]), &text[end..])
}

/// Answers with the right bytes in other transfers.
pub(super) fn untouched() -> Vec<(&'static str, Change)> {
    vec![
        ("as it is", change(|_| ())),
        ("in chunks of one byte", Change::Transfer(Transfer::Chunks)),
        ("headers in another order", change(|sent| sent.headers.reverse())),
        (
            "names of headers in capitals",
            change(|sent| {
                for (name, _) in &mut sent.headers {
                    *name = name.to_uppercase();
                }
            }),
        ),
        ("a server's own header", header("server", Some("nginx"))),
        ("a header of a gateway", header("via", Some("1.1 gateway"))),
        ("an encoding that encodes nothing", header("content-encoding", Some("identity"))),
    ]
}

/// Other spellings of the media type.
fn headers(format: &str) -> Vec<(&'static str, Change)> {
    let media = if format == "JSON" { "application/json" } else { "text/xml" };
    let values: [(&str, String); 5] = [
        ("a charset in capitals, after a blank", format!("{media}; charset=UTF-8")),
        ("no charset", media.to_owned()),
        ("a type in capitals", format!("{};charset=utf-8", media.to_uppercase())),
        ("a charset in quotes", format!("{media}; charset=\"utf-8\"")),
        ("a parameter in capitals", format!("{media};CHARSET=Utf-8")),
    ];
    values
        .into_iter()
        .map(|(name, value)| (name, change(move |sent| set_header(sent, "content-type", &value))))
        .collect()
}
