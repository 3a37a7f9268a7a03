//! `contract openapi`: converts the contract to an OpenAPI document.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::client::HOST;
use crate::command::{Outcome, print_document};
use crate::contract::Contract;
use crate::error::{Result, bail};
use crate::file::write_whole;
use crate::json::pretty;
use crate::operations::{COMMON, ErrorRow, Operation, Operations, Parameter};
use crate::verify::reviewed;
use crate::world::members;

/// Converts the contract to an OpenAPI 3.1 document, for Prism, Schemathesis, Postman and generators of
/// clients.
///
/// The document has the parameters and limits of operation.json, the statuses, codes and messages of
/// errors.json, a schema for each code with Code as the discriminator, and the reviewed answers as
/// examples. The signature of a call is only described: OpenAPI cannot express it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  contract openapi --output openapi.json
  contract openapi --action ACTION --output action.json
  contract openapi | npx @stoplight/prism-cli mock -

Exit codes: 0 written, 2 the command failed, 3 usage.")]
pub struct Options {
    /// The file to write, instead of standard output
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only this operation; may be repeated. OpenAPI has one operation for a path and a method, so the
    /// differences between several operations become alternatives
    #[arg(long = "action", value_name = "NAME")]
    actions: Vec<String>,
}

/// A part of the document that is the same for every contract.
fn template(part: &str) -> Value {
    let parts: Result<Value, _> = serde_json::from_str(include_str!("openapi/template.json"));
    let mut parts =
        parts.unwrap_or_else(|error| unreachable!("it is part of the program: {error}"));
    parts[part].take()
}

/// Runs `contract openapi`.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome> {
    let document = document(contract, &options.actions)?;
    let text = pretty(&document)?;
    match &options.output {
        Some(file) => write_whole(file, text.as_bytes())?,
        None => print_document(&text)?,
    }
    Ok(Outcome::Holds)
}

/// An answer in the document.
struct Shown<'a> {
    status: u16,
    /// The code of an error, or the name of a success's schema.
    name: &'a str,
    summary: Option<&'a str>,
    /// The name of the schema in the components.
    component: String,
    /// A reviewed answer.
    example: Option<Value>,
}

/// The document of the named operations, or of all.
pub fn document(contract: &Contract, actions: &[String]) -> Result<Value> {
    let operations = Operations::read(contract)?;
    if let Some(unknown) = actions.iter().find(|action| operations.get(action).is_none()) {
        bail!("--action {unknown}: {} has no such operation", contract.origin());
    }
    let all = operations.all().iter();
    let is_chosen = |it: &&Operation| actions.is_empty() || actions.contains(&it.action);
    let chosen: Vec<&Operation> = all.filter(is_chosen).collect();
    let cases = contract.cases()?;
    let (mut schemas, mut shown) = (Map::new(), Vec::new());
    let names: Vec<String> = chosen.iter().map(|it| format!("{}Response", it.action)).collect();
    for (Operation { action, .. }, name) in chosen.iter().zip(&names) {
        let path = format!("{action}/schemas/success.json");
        schemas.insert(name.clone(), component(contract, &path, name, name)?);
        let case = cases.iter().find(|it| it.folder() == action && it.demanded.status == 200);
        let example = example(contract, &chosen, case);
        shown.push(Shown { status: 200, name, summary: None, component: name.clone(), example });
    }
    let own = chosen
        .iter()
        .flat_map(|operation| operation.errors.iter().map(|row| (operation.action.as_str(), row)));
    for (folder, row) in own.chain(operations.gate().iter().map(|row| (COMMON, row))) {
        let ErrorRow { code, status, description, .. } = row;
        let own = format!("{folder}/schemas/errors/{code}.json");
        let is_own = folder != COMMON && contract.text(&own).is_some();
        let path = if is_own { own } else { format!("{COMMON}/schemas/errors/{code}.json") };
        // Of several operations, each names its own schema where they differ.
        let name =
            if is_own && chosen.len() > 1 { format!("{folder}.{code}") } else { code.clone() };
        schemas.insert(name.clone(), component(contract, &path, &name, "Error")?);
        let demands = |it: &&Case| it.folder() == folder && it.demanded.code.as_ref() == Some(code);
        shown.push(Shown {
            status: *status,
            name: code,
            summary: Some(description),
            component: name,
            example: example(contract, &chosen, cases.iter().find(demands)),
        });
    }
    let first = chosen.first().ok_or("there is no operation")?;
    let responses = responses(&shown);
    let methods = chosen.iter().flat_map(|operation| &operation.methods);
    let methods: BTreeSet<String> = methods.map(|name| name.to_lowercase()).collect();
    let methods: Map<String, Value> = methods
        .into_iter()
        .map(|name| (name.clone(), method(&name, &chosen, &responses)))
        .collect();
    let names: Vec<&str> = chosen.iter().map(|operation| operation.action.as_str()).collect();
    let mut document = template("document");
    let title = format!("{} of Alibaba Cloud's {}", names.join(", "), first.product);
    document["info"]["title"] = title.into();
    document["info"]["version"] = first.version.as_str().into();
    let tag = |name| json!({ "name": name, "description": format!("Operations of {name}.") });
    document["tags"] = products(&chosen).into_iter().map(tag).collect();
    document["paths"] = json!({ "/": methods });
    document["components"]["schemas"] = schemas.into();
    Ok(document)
}

/// The products of operations, which become tags.
fn products(chosen: &[&Operation]) -> BTreeSet<String> {
    chosen.iter().map(|operation| operation.product.clone()).collect()
}

/// The operation of an HTTP method.
fn method(method: &str, chosen: &[&Operation], responses: &Value) -> Value {
    let by_get = if method == "get" { "ByGet" } else { "" };
    let (id, summary) = match chosen {
        [one] => (format!("{}{by_get}", one.action), one.summary.clone()),
        _ => (format!("Call{by_get}"), "Calls the operation that Action names.".to_owned()),
    };
    let describe = |operation: &&Operation| {
        let Operation { action, summary, ram, .. } = operation;
        format!("{action}: {summary} RAM action {}.", ram.action)
    };
    let own = parameters(chosen);
    let mut in_query = [common_parameters(chosen), own.clone()].concat();
    let mut described = json!({
        "operationId": id,
        "summary": summary,
        "tags": products(chosen),
        "description": chosen.iter().map(describe).collect::<Vec<_>>().join(" "),
        "security": [{ "V1": [] }, { "V3": [] }],
        "responses": responses,
    });
    if method == "post" {
        // A POST may have each parameter in its form instead. OpenAPI cannot express "in one of the two":
        // required in the query, parameters would make tools refuse valid calls.
        for parameter in &mut in_query {
            parameter["required"] = json!(false);
        }
        let mut form = template("form");
        let content = &mut form["content"]["application/x-www-form-urlencoded"];
        for parameter in own {
            let name = parameter["name"].as_str().unwrap_or_default();
            content["schema"]["properties"][name] = parameter["schema"].clone();
        }
        described["requestBody"] = form;
    }
    described["parameters"] = in_query.into();
    described
}

/// A schema of the contract as the component of this name, with its XML root.
fn component(contract: &Contract, path: &str, name: &str, root: &str) -> Result<Value> {
    let mut schema = contract.json(path)?;
    refer(&mut schema, name);
    if let Some(members) = schema.as_object_mut() {
        members.retain(|name, _| name != "$schema" && name != "$id");
        members.insert("xml".to_owned(), json!({ "name": root }));
    }
    Ok(schema)
}

/// Makes the references in a schema point into its component.
fn refer(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(members) => {
            let is_closed = members.contains_key("additionalProperties");
            for (keyword, value) in members {
                match value {
                    Value::String(text) if keyword == "$ref" => {
                        *text = text.replacen('#', &format!("#/components/schemas/{name}"), 1);
                    }
                    // Redocly assumes that an object schema is closed, but a condition does not name every
                    // member. The schema beside it does.
                    Value::Object(condition)
                        if is_closed && ["if", "then", "else"].contains(&&**keyword) =>
                    {
                        condition.entry("additionalProperties").or_insert(true.into());
                        refer(value, name);
                    }
                    inner => refer(inner, name),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The body of a case's reviewed answer in JSON. Validators read XML examples in this form too.
fn example(contract: &Contract, operations: &[&Operation], case: Option<&Case>) -> Option<Value> {
    // A case that is tried in XML only has no example.
    let reviewed = reviewed(contract, case?, "JSON").ok()?;
    let fresh = operations.iter().flat_map(|operation| &operation.success.elements);
    let fresh =
        fresh.filter_map(|element| Some((format!("[{}]", element.name), element.fresh.clone()?)));
    let mut placeholders = template("placeholders");
    for (placeholder, value) in fresh {
        placeholders[placeholder] = value.into();
    }
    let body = reviewed.lines().last()?.to_owned();
    let text = members(&placeholders).fold(body, |text, (placeholder, value)| {
        let value = value.as_str().unwrap_or_default();
        // A second value of the same kind has a number: "[RequestId 2]".
        let stem = placeholder.trim_end_matches(']');
        (2..4).fold(text.replace(placeholder, value), |text, number| {
            text.replace(&format!("{stem} {number}]"), value)
        })
    });
    // The texts that a server signs depend on the call, so the example has any.
    let hash = "0".repeat(64);
    let text = if text.contains("server StringToSign is") {
        let canonical = ["POST", "/", "", &format!("host:{HOST}"), "", "host", &hash];
        text.replace("[StringToSign]", &["ACS3-HMAC-SHA256", &hash].join("\\n"))
            .replace("[CanonicalRequest]", &canonical.join("\\n"))
    } else {
        text.replace("[StringToSign]", "GET&%2F&AccessKeyId%3Dtestid")
    };
    serde_json::from_str(&text).ok()
}

/// The parameters of operations, in the query.
fn parameters(operations: &[&Operation]) -> Vec<Value> {
    let mut by_name: Vec<(&str, Vec<&Parameter>)> = Vec::new();
    for parameter in operations.iter().flat_map(|operation| operation.accepted()) {
        match by_name.iter_mut().find(|(name, _)| *name == parameter.name) {
            Some((_, known)) => known.push(parameter),
            None => by_name.push((&parameter.name, vec![parameter])),
        }
    }
    by_name
        .into_iter()
        .map(|(name, parameters)| {
            let required = |parameter: &&Parameter| parameter.required;
            let mut schemas: Vec<Value> = parameters.iter().map(|known| schema(known)).collect();
            schemas.dedup();
            let schema = match &schemas[..] {
                [one] => one.clone(),
                several => json!({ "anyOf": several }),
            };
            let mut says: Vec<&str> =
                parameters.iter().map(|known| known.description.as_str()).collect();
            says.dedup();
            let is_required =
                parameters.len() == operations.len() && parameters.iter().all(required);
            json!({
                "name": name,
                "in": "query",
                "required": is_required,
                "description": says.join(" Or: "),
                "schema": schema,
            })
        })
        .collect()
}

fn schema(parameter: &Parameter) -> Value {
    let mut schema = Map::new();
    schema.insert("type".to_owned(), parameter.kind.as_str().into());
    if let Some(values) = &parameter.values {
        schema.insert("enum".to_owned(), values.clone().into());
    }
    if let Some(pattern) = &parameter.pattern {
        schema.insert("pattern".to_owned(), pattern.as_str().into());
    }
    if let Some(default) = parameter.default_value() {
        schema.insert("default".to_owned(), default.clone());
    }
    let limits = &parameter.limits;
    let bounds = |name: &str| -> Vec<i64> {
        let own = limits.get(name).and_then(Value::as_i64);
        limits.values().filter_map(|limit| limit[name].as_i64()).chain(own).collect()
    };
    // Another parameter may select the limit, so the schema has the widest.
    if let Some(minimum) = bounds("minimum").into_iter().min() {
        schema.insert("minimum".to_owned(), minimum.into());
    }
    if let Some(maximum) = bounds("maximum").into_iter().max() {
        schema.insert("maximum".to_owned(), maximum.into());
    }
    if let Some(most) = limits.get("maximumCharacters") {
        schema.insert("maxLength".to_owned(), most.clone());
    }
    if limits.get("characters").is_some_and(|characters| characters == "ASCII") {
        schema.insert("pattern".to_owned(), "^[\\x00-\\x7F]*$".into());
    }
    schema.into()
}

/// The parameters of every operation.
fn common_parameters(operations: &[&Operation]) -> Vec<Value> {
    let fixed = |name: &str, of: fn(&Operation) -> &str| {
        let values: BTreeSet<&str> = operations.iter().map(|operation| of(operation)).collect();
        json!({
            "name": name, "in": "query", "required": true,
            "schema": { "type": "string", "enum": values },
        })
    };
    vec![
        fixed("Action", |operation| &operation.action),
        fixed("Version", |operation| &operation.version),
        template("format"),
    ]
}

/// The answers by status.
fn responses(shown: &[Shown<'_>]) -> Value {
    let headers = template("headers");
    let mut by_status: BTreeMap<u16, Vec<&Shown<'_>>> = BTreeMap::new();
    for answer in shown {
        by_status.entry(answer.status).or_default().push(answer);
    }
    let response = |(status, answers): (u16, Vec<&Shown<'_>>)| {
        let names: BTreeSet<&str> = answers.iter().map(|answer| answer.name).collect();
        let says = if status == 200 {
            "The call succeeded, or is a replay of one that did.".to_owned()
        } else {
            names.iter().copied().collect::<Vec<_>>().join(", ")
        };
        let schema = alternatives(status, names.len(), &answers);
        let mut examples = Map::new();
        for Shown { name, summary, example, .. } in &answers {
            if let Some(value) = example.as_ref().filter(|_| !examples.contains_key(*name)) {
                let mut example = json!({ "value": value });
                if let Some(summary) = summary {
                    example["summary"] = (*summary).into();
                }
                examples.insert((*name).to_owned(), example);
            }
        }
        let content = json!({ "schema": schema, "examples": examples });
        let described = json!({
            "description": says,
            "headers": headers,
            "content": { "application/json": content, "text/xml": content },
        });
        (status.to_string(), described)
    };
    by_status.into_iter().map(response).collect::<Map<_, _>>().into()
}

/// The schema of the answers of a status, which have `names` different names.
fn alternatives(status: u16, names: usize, answers: &[&Shown<'_>]) -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let components: BTreeSet<&str> = answers.iter().map(|answer| &*answer.component).collect();
    let alternatives: Vec<Value> = components.iter().map(|name| reference(name)).collect();
    match &alternatives[..] {
        [one] if status == 200 => one.clone(),
        // A code has several schemas if operations answer it differently.
        _ if status == 200 || components.len() > names => json!({ "anyOf": alternatives }),
        _ => {
            let mapping = answers.iter().map(|answer| {
                (answer.name.to_owned(), reference(&answer.component)["$ref"].take())
            });
            let mapping: Map<String, Value> = mapping.collect();
            json!({
                "oneOf": alternatives,
                "discriminator": { "propertyName": "Code", "mapping": mapping },
            })
        }
    }
}
