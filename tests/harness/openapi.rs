//! `contract openapi`: the contract as an OpenAPI document, for tools that know no other form.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::command::{Outcome, print};
use crate::contract::Contract;
use crate::file::write_whole;
use crate::judge::ACTION;
use crate::verify::reviewed;

/// Writes the contract as an OpenAPI 3.1 document, from which Prism, Schemathesis, Postman and generators
/// of clients work.
///
/// It is made of the contract's files: parameters and limits of operation.json, statuses, codes and messages
/// of errors.json, a schema for each code, told apart by Code, and the reviewed answers as examples. How a
/// call is signed is only described: no form of OpenAPI can say it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  contract openapi --output openapi.json
  contract openapi | npx @stoplight/prism-cli mock -

Exit codes: 0 written, 2 it could not be, 3 usage.")]
pub struct Options {
    /// Where to write it, instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// What stands for ids that differ from run to run.
const PLACEHOLDERS: [(&str, &str); 4] = [
    ("[InternetBandwidthId]", "ipv6bw-abcdefghij0123456"),
    ("[RetryAfter]", "1"),
    ("[RequestId]", "6972A26E-99B1-4367-9890-FBDEBB0F5E7D"),
    ("[TraceId]", "3c6e0b8a9c15224a8228b9a98ca1531d"),
];

/// What both kinds of signature need; it stands in the document for people.
const SIGNATURE_V1: &str = "HMAC-SHA1 over all parameters, with AccessKeyId, SignatureMethod=HMAC-SHA1, \
    SignatureVersion=1.0, SignatureNonce and Timestamp in the query, and SecurityToken with a temporary key.";
const SIGNATURE_V3: &str = "ACS3-HMAC-SHA256 over method, query, signed headers and body, with the headers \
    x-acs-action, x-acs-version, x-acs-date, x-acs-signature-nonce and x-acs-content-sha256, and \
    x-acs-security-token with a temporary key. Action and Version may then be left out of the query.";

/// Writes the document.
///
/// # Errors
///
/// A file of the contract cannot be read, or the document not be written.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
    let document = document(contract)?;
    let mut text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    text.push('\n');
    match &options.output {
        Some(file) => write_whole(file, text.as_bytes())?,
        None => print(&text)?,
    }
    Ok(Outcome::Holds)
}

/// A code with what the document says of it.
struct Error {
    code: String,
    status: u64,
    description: String,
    /// An answer in each format, if one was reviewed.
    examples: BTreeMap<&'static str, Value>,
}

/// The document.
///
/// # Errors
///
/// A file of the contract cannot be read.
pub fn document(contract: &Contract) -> Result<Value, String> {
    let operation = contract.json(&format!("{ACTION}/operation.json"))?;
    let cases = contract.cases()?;
    let mut schemas = Map::new();
    let success = format!("{ACTION}/schemas/success.json");
    schemas
        .insert("Success".to_owned(), component(contract, &success, &format!("{ACTION}Response"))?);
    let mut errors = Vec::new();
    for folder in [ACTION, "common"] {
        let file = contract.json(&format!("{folder}/errors.json"))?;
        for row in file["errors"].as_array().into_iter().flatten() {
            let text = |name: &str| row[name].as_str().unwrap_or_default().to_owned();
            let code = text("code");
            let schema = format!("{folder}/schemas/errors/{code}.json");
            schemas.insert(code.clone(), component(contract, &schema, "Error")?);
            let demands = |case: &&Case| {
                case.folder() == folder && case.demanded.code.as_deref() == Some(&code)
            };
            errors.push(Error {
                status: row["status"].as_u64().unwrap_or_default(),
                description: text("description"),
                examples: examples(contract, cases.iter().find(demands)),
                code,
            });
        }
    }
    let succeeds = |case: &&Case| case.folder() == ACTION && case.demanded.status == 200;
    let responses = responses(&errors, &examples(contract, cases.iter().find(succeeds)));
    let parameters = parameters(&operation);
    let method = |method: &str| {
        let id = if method == "get" { format!("{ACTION}ByGet") } else { ACTION.to_owned() };
        let mut described = json!({
            "operationId": id,
            "summary": "Buys an Internet bandwidth for an IPv6 address.",
            "description": format!("RAM action {}.", operation["ram"]["action"].as_str().unwrap_or_default()),
            "parameters": in_query(method, common_parameters(&operation).into_iter().chain(parameters.clone())),
            "security": [{ "v1": [] }, { "v3": [] }],
            "responses": responses,
        });
        if method == "post" {
            described["requestBody"] = body(&parameters);
        }
        described
    };
    let methods = operation["methods"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let methods: Map<String, Value> =
        methods.map(|name| (name.to_lowercase(), method(&name.to_lowercase()))).collect();
    Ok(json!({
        "openapi": "3.1.0",
        "info": {
            "title": format!("{} of Alibaba Cloud's {}", ACTION, operation["product"].as_str().unwrap_or_default()),
            "version": operation["version"],
            "description": "Made of the contract's files by `contract openapi`. Every error of the operation and of the gateway before it is told apart by its Code.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{
            "url": "https://vpc.{region}.aliyuncs.com",
            "variables": { "region": { "default": "cn-huhehaote" } },
        }],
        "paths": { "/": methods },
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "v1": { "type": "apiKey", "in": "query", "name": "Signature", "description": SIGNATURE_V1 },
                "v3": { "type": "apiKey", "in": "header", "name": "Authorization", "description": SIGNATURE_V3 },
            },
        },
    }))
}

/// A schema of the contract as a component, with its root in XML.
fn component(contract: &Contract, path: &str, root: &str) -> Result<Value, String> {
    let mut schema = contract.json(path)?;
    if let Some(members) = schema.as_object_mut() {
        members.retain(|name, _| name != "$schema" && name != "$id");
        members.insert("xml".to_owned(), json!({ "name": root }));
    }
    Ok(schema)
}

/// The body of a case's reviewed answer, in each format.
fn examples(contract: &Contract, case: Option<&Case>) -> BTreeMap<&'static str, Value> {
    let mut examples = BTreeMap::new();
    let Some(case) = case else { return examples };
    for format in ["JSON", "XML"] {
        // A case that is tried in one format only has no answer in the other.
        let Ok(reviewed) = reviewed(contract, case, format) else { continue };
        let Some(body) = reviewed.lines().last() else { continue };
        let text = PLACEHOLDERS.iter().fold(body.to_owned(), |text, (placeholder, value)| {
            // The same value again is another one: "[RequestId 2]".
            let stem = placeholder.trim_end_matches(']');
            (2..4).fold(text.replace(placeholder, value), |text, number| {
                text.replace(&format!("{stem} {number}]"), value)
            })
        });
        // What a server signed is the call's; one example of such is as good as another.
        let hash = "0".repeat(64);
        let text = if text.contains("StringToSign is [StringToSign") {
            let shown = format!("ACS3-HMAC-SHA256\\n{hash}");
            text.replace("[StringToSign]", &format!("[{shown}]"))
        } else {
            text.replace("[StringToSign]", "GET&%2F&AccessKeyId%3Dtestid")
        };
        let value = match format {
            "JSON" => serde_json::from_str(&text).unwrap_or_default(),
            _ => Value::String(text),
        };
        if !value.is_null() {
            examples.insert(format, value);
        }
    }
    examples
}

/// What the operation's parameters are, in the query.
fn parameters(operation: &Value) -> Vec<Value> {
    let lists = ["parameters", "acceptedBeyondThePage"].map(|name| operation[name].as_array());
    let all = lists.into_iter().flatten().flatten();
    all.map(|parameter| {
        json!({
            "name": parameter["name"],
            "in": "query",
            "required": parameter["required"] == json!(true),
            "description": parameter["description"],
            "schema": schema(parameter),
        })
    })
    .collect()
}

fn schema(parameter: &Value) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), parameter["type"].clone());
    for name in ["enum", "pattern"] {
        if let Some(value) = parameter.get(name) {
            schema.insert(name.to_owned(), value.clone());
        }
    }
    // Some defaults are told in words.
    if let Some(default) = parameter.get("default") {
        let is_value = default.is_boolean()
            || parameter["enum"].as_array().is_some_and(|values| values.contains(default));
        if is_value {
            schema.insert("default".to_owned(), default.clone());
        }
    }
    let limits = &parameter["limits"];
    let bounds = |name: &str| -> Vec<i64> {
        let each = limits.as_object().into_iter().flat_map(Map::values);
        each.filter_map(|limit| limit[name].as_i64()).collect()
    };
    // Which limit holds depends on another parameter; the schema has the widest.
    if let Some(minimum) = bounds("minimum").into_iter().min() {
        schema.insert("minimum".to_owned(), minimum.into());
    }
    if let Some(maximum) = bounds("maximum").into_iter().max() {
        schema.insert("maximum".to_owned(), maximum.into());
    }
    if let Some(most) = limits["maximumCharacters"].as_u64() {
        schema.insert("maxLength".to_owned(), most.into());
    }
    if limits["characters"] == "ASCII" {
        schema.insert("pattern".to_owned(), "^[\\x00-\\x7F]*$".into());
    }
    schema.into()
}

/// The parameters of every action.
fn common_parameters(operation: &Value) -> Vec<Value> {
    let fixed = |name: &str, value: &Value| {
        json!({
            "name": name, "in": "query", "required": true,
            "schema": { "type": "string", "enum": [value] },
        })
    };
    vec![
        fixed("Action", &operation["action"]),
        fixed("Version", &operation["version"]),
        json!({
            "name": "Format", "in": "query", "required": false,
            "description": "The format of the answer; left out, XML to a V1 call and JSON to a V3 call.",
            "schema": { "type": "string", "enum": ["JSON", "XML"] },
        }),
    ]
}

/// A method's parameters in the query.
///
/// A POST may have each of them in its form instead, and no form of OpenAPI can say "in one of the two":
/// demanded in the query, they would make tools refuse calls that are right.
fn in_query(method: &str, parameters: impl Iterator<Item = Value>) -> Vec<Value> {
    let mut parameters: Vec<Value> = parameters.collect();
    if method == "post" {
        for parameter in &mut parameters {
            parameter["required"] = json!(false);
        }
    }
    parameters
}

/// The parameters as a form, whose values win over those of the query.
fn body(parameters: &[Value]) -> Value {
    let properties: Map<String, Value> = parameters
        .iter()
        .filter_map(|parameter| {
            Some((parameter["name"].as_str()?.to_owned(), parameter["schema"].clone()))
        })
        .collect();
    json!({
        "required": false,
        "description": "Parameters may stand here instead of in the query; where both have one, this one counts.",
        "content": {
            "application/x-www-form-urlencoded": { "schema": { "type": "object", "properties": properties } }
        },
    })
}

/// The answers by status.
fn responses(errors: &[Error], success: &BTreeMap<&'static str, Value>) -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let headers = json!({
        "x-acs-request-id": { "schema": { "type": "string" }, "example": "6972A26E-99B1-4367-9890-FBDEBB0F5E7D", "description": "The RequestId of the body." },
        "x-acs-trace-id": { "schema": { "type": "string", "pattern": "^[0-9a-f]{32}$" }, "example": "3c6e0b8a9c15224a8228b9a98ca1531d" },
    });
    let content = |schema: &Value, examples: &dyn Fn(&'static str) -> Map<String, Value>| {
        json!({
            "application/json": { "schema": schema, "examples": examples("JSON") },
            "text/xml": { "schema": schema, "examples": examples("XML") },
        })
    };
    let of_success = |format: &'static str| {
        let example =
            success.get(format).map(|value| ("Success".to_owned(), json!({ "value": value })));
        example.into_iter().collect()
    };
    let mut responses = Map::new();
    responses.insert(
        "200".to_owned(),
        json!({
            "description": "The bandwidth was bought, or the call is a replay of one that bought it.",
            "headers": headers,
            "content": content(&reference("Success"), &of_success),
        }),
    );
    let mut by_status: BTreeMap<u64, Vec<&Error>> = BTreeMap::new();
    for error in errors {
        by_status.entry(error.status).or_default().push(error);
    }
    for (status, errors) in by_status {
        let mapping: Map<String, Value> = errors
            .iter()
            .map(|error| (error.code.clone(), reference(&error.code)["$ref"].clone()))
            .collect();
        let alternatives: Vec<Value> = errors.iter().map(|error| reference(&error.code)).collect();
        let schema = json!({
            "oneOf": alternatives,
            "discriminator": { "propertyName": "Code", "mapping": mapping },
        });
        let of_errors = |format: &'static str| {
            let example = |error: &&Error| {
                let value = error.examples.get(format)?;
                let example = json!({ "summary": error.description, "value": value });
                Some((error.code.clone(), example))
            };
            errors.iter().filter_map(example).collect()
        };
        let codes: Vec<&str> = errors.iter().map(|error| error.code.as_str()).collect();
        responses.insert(
            status.to_string(),
            json!({
                "description": codes.join(", "),
                "headers": headers,
                "content": content(&schema, &of_errors),
            }),
        );
    }
    responses.into()
}
