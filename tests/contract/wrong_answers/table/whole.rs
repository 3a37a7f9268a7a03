//! Answers that are wrong as a whole.

use serde_json::{Value, json};

use super::{ERROR, SUCCESS, Wrong, change, header, members, replace, set_header};
use crate::wrong_answers::proxy::{Change, Sent, Transfer};

/// Adds them.
#[expect(clippy::too_many_lines, reason = "it is a table")]
pub(super) fn add(all: &mut Vec<Wrong>) {
    let both = ["JSON", "XML"];
    let mut add = |name: &str,
                   case: &'static str,
                   formats: &[&'static str],
                   named: &[&str],
                   change: Change| {
        for format in formats {
            all.push(Wrong {
                name: format!("{name} ({case})"),
                case,
                format,
                names: named.iter().map(|name| (*name).to_owned()).collect(),
                change: change.clone(),
            });
        }
    };
    for status in [200, 401, 403, 404, 409, 422, 500, 503] {
        let change = change(move |sent| sent.status = status);
        add(&format!("the right error with status {status}"), ERROR, &both, &["status"], change);
    }
    for status in [201, 202, 400, 500] {
        let change = change(move |sent| sent.status = status);
        add(&format!("a success with status {status}"), SUCCESS, &both, &["status"], change);
    }
    let success = r#"{"Ipv6AddressId":"ipv6-case","RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","InternetBandwidthId":"ipv6bw-aaaaaaaaaaaaaaaaa"}"#;
    let as_success = change(move |sent| success.clone_into_body(sent));
    add("an error's status with a success's body", ERROR, &["JSON"], &["Code"], as_success.clone());
    add(
        "a success instead of an error",
        ERROR,
        &["JSON"],
        &["Code"],
        change(move |sent| {
            sent.status = 200;
            success.clone_into_body(sent);
        }),
    );
    add(
        "another error's body",
        SUCCESS,
        &["JSON"],
        &["Code"],
        change(|sent| {
            r#"{"RequestId":"473469C7-AA6F-4DC5-B3DB-A3DC0DE3C83E","Message":"m","Recommend":"r","HostId":"h","Code":"SystemBusy"}"#
            .clone_into_body(sent);
        }),
    );
    add(
        "the list of errors that another API would give",
        ERROR,
        &["JSON"],
        &["Code"],
        change(|sent| {
            let body: Value = serde_json::from_slice(&sent.body).unwrap();
            json!({ "Errors": [body] }).to_string().as_str().clone_into_body(sent);
        }),
    );
    add(
        "a message of the template",
        ERROR,
        &["JSON", "XML"],
        &["Message"],
        change(|sent| {
            replace(sent, "The param of Bandwidth is", "The param of %s is");
        }),
    );
    add(
        "a message with two spaces",
        ERROR,
        &both,
        &["Message"],
        change(|sent| {
            replace(sent, "param of", "param  of");
        }),
    );
    add(
        "a message without its full stop",
        ERROR,
        &both,
        &["Message"],
        change(|sent| {
            replace(sent, "is illegal.", "is illegal");
        }),
    );
    add(
        "a message with another parameter",
        ERROR,
        &both,
        &["Message"],
        change(|sent| {
            replace(sent, "The param of Bandwidth", "The param of BandWidth");
        }),
    );
    add(
        "a message with a character that looks the same",
        ERROR,
        &both,
        &["Message"],
        change(|sent| {
            replace(sent, "param of", "p\u{430}ram of");
        }),
    );
    add(
        "a message with an invisible character",
        ERROR,
        &both,
        &["Message"],
        change(|sent| {
            replace(sent, "param of", "param\u{200b} of");
        }),
    );
    add(
        "a code of another parameter",
        ERROR,
        &both,
        &["Code"],
        change(|sent| {
            replace(sent, "IllegalParam.Bandwidth", "IllegalParam.ChargeType");
        }),
    );
    add(
        "one more member",
        ERROR,
        &["JSON"],
        &["Details", "Code"],
        members(|members| {
            members.insert("Details".to_owned(), json!("more"));
        }),
    );
    add(
        "one more member",
        SUCCESS,
        &["JSON"],
        &["Details", "Code"],
        members(|members| {
            members.insert("Code".to_owned(), json!("OK"));
        }),
    );
    add(
        "one more element",
        ERROR,
        &["XML"],
        &["body/Details", "body/Code"],
        change(|sent| {
            replace(sent, "</Error>", "<Details>more</Details></Error>");
        }),
    );
    add(
        "XML that is called JSON",
        ERROR,
        &["XML"],
        &["format", "content-type"],
        header("content-type", Some("application/json;charset=utf-8")),
    );
    add(
        "JSON that is called XML",
        ERROR,
        &["JSON"],
        &["body", "content-type"],
        header("content-type", Some("text/xml;charset=utf-8")),
    );
    let xml =
        "<?xml version='1.0' encoding='UTF-8'?><Error><Code>IllegalParam.Bandwidth</Code></Error>";
    add(
        "XML where JSON was asked for",
        ERROR,
        &["JSON"],
        &["header/content-type"],
        change(move |sent| {
            xml.clone_into_body(sent);
            set_header(sent, "content-type", "text/xml;charset=utf-8");
        }),
    );
    add(
        "JSON where XML was asked for",
        ERROR,
        &["XML"],
        &["header/content-type"],
        change(|sent| {
            r#"{"Code":"IllegalParam.Bandwidth"}"#.clone_into_body(sent);
            set_header(sent, "content-type", "application/json;charset=utf-8");
        }),
    );
    for (name, old, new) in [
        ("another root element", "Error>", "ErrorResponse>"),
        ("a root element in lower case", "Error>", "error>"),
    ] {
        add(name, ERROR, &["XML"], &["root"], change(move |sent| replace(sent, old, new)));
    }
    add(
        "an error's root element",
        SUCCESS,
        &["XML"],
        &["root"],
        change(|sent| {
            replace(sent, "AllocateIpv6InternetBandwidthResponse>", "Error>");
        }),
    );
    for (name, old, new) in [
        ("another version", "version='1.0'", "version='1.1'"),
        ("another encoding", "encoding='UTF-8'", "encoding='ISO-8859-1'"),
        ("a document type", "?><", "?><!DOCTYPE Error><"),
        ("an entity of its own", "?><", "?><!DOCTYPE Error [<!ENTITY a \"b\">]><"),
        ("an unknown entity", "</Message>", "&nbsp;</Message>"),
        ("a namespace", "<Error>", "<Error xmlns=\"urn:a\">"),
        ("an end of CDATA in a text", "</Message>", "]]></Message>"),
        ("text between elements", "</RequestId>", "</RequestId>and"),
    ] {
        let change = change(move |sent| replace(sent, old, new));
        add(name, ERROR, &["XML"], &["body"], change);
    }
    add(
        "a second root element",
        ERROR,
        &["XML"],
        &["body"],
        change(|sent| {
            sent.body.extend(b"<Error></Error>");
        }),
    );
    add("nothing", ERROR, &both, &["body"], change(|sent| sent.body.clear()));
    add("a page", ERROR, &both, &["body"], change(|sent| "<html></html>".clone_into_body(sent)));
    add("bytes that are no text", ERROR, &both, &["body"], change(|sent| sent.body.push(0xff)));
    add(
        "a mark of the byte order",
        ERROR,
        &["JSON"],
        &["body"],
        change(|sent| {
            sent.body.splice(0..0, *b"\xef\xbb\xbf");
        }),
    );
    add("something behind", ERROR, &both, &["body"], change(|sent| sent.body.extend(b"x")));
    add(
        "half of the body",
        ERROR,
        &both,
        &["body"],
        change(|sent| {
            sent.body.truncate(sent.body.len() / 2);
        }),
    );
    let transfers = [Transfer::Truncated, Transfer::ChunksWithoutEnd, Transfer::Nothing];
    for transfer in transfers {
        add(&format!("{transfer:?}"), ERROR, &both, &["answer"], Change::Transfer(transfer));
    }
}

/// Sets a body.
trait IntoBody {
    fn clone_into_body(&self, sent: &mut Sent);
}

impl IntoBody for str {
    fn clone_into_body(&self, sent: &mut Sent) {
        sent.body = self.as_bytes().to_vec();
    }
}
