//! `contract openapi`: the contract as an OpenAPI document, for tools that know no other form.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use clap::Args;
use serde_json::{Map, Value, json};

use crate::case::Case;
use crate::client::HOST;
use crate::command::{Outcome, print_document};
use crate::contract::Contract;
use crate::file::write_whole;
use crate::operations::{COMMON, ErrorRow, Operation, Operations, Parameter};
use crate::verify::reviewed;
use crate::world::members;

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
  contract openapi --action ACTION --output action.json
  contract openapi | npx @stoplight/prism-cli mock -

Exit codes: 0 written, 2 it could not be, 3 usage.")]
pub struct Options {
    /// Where to write it, instead of printing it
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Only this operation; may be given more than once. OpenAPI knows one operation of a path and a method,
    /// so what differs between operations is said as alternatives, and of one alone as it is
    #[arg(long = "action", value_name = "NAME")]
    actions: Vec<String>,
}

/// A part of the document that no contract changes.
fn template(part: &str) -> Value {
    let parts: Result<Value, _> = serde_json::from_str(include_str!("openapi/template.json"));
    let mut parts =
        parts.unwrap_or_else(|error| unreachable!("it is part of the program: {error}"));
    parts[part].take()
}

/// Writes the document.
///
/// # Errors
///
/// A file of the contract cannot be read, or the document not be written.
pub fn run(options: &Options, contract: &Contract) -> Result<Outcome, String> {
    let document = document(contract, &options.actions)?;
    let mut text = serde_json::to_string_pretty(&document).map_err(|error| error.to_string())?;
    text.push('\n');
    match &options.output {
        Some(file) => write_whole(file, text.as_bytes())?,
        None => print_document(&text)?,
    }
    Ok(Outcome::Holds)
}

/// An answer as the document shows it.
struct Shown<'a> {
    status: u16,
    /// The code of an error; of a success the name of its schema.
    name: &'a str,
    summary: Option<&'a str>,
    /// The name of its schema among the components.
    component: String,
    /// A reviewed answer, if there is one.
    example: Option<Value>,
}

/// The document of some operations, of all if none is named.
///
/// # Errors
///
/// A file of the contract cannot be read, or there is no such operation.
pub fn document(contract: &Contract, actions: &[String]) -> Result<Value, String> {
    let operations = Operations::read(contract)?;
    if let Some(unknown) = actions.iter().find(|action| operations.get(action).is_none()) {
        return Err(format!("--action {unknown}: {} has no such operation", contract.origin()));
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
        // One alone has its codes as names; of several each has its own where they differ.
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

/// The products of operations, which are their tags.
fn products(chosen: &[&Operation]) -> BTreeSet<String> {
    chosen.iter().map(|operation| operation.product.clone()).collect()
}

/// The call by a method.
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
        // A POST may have each of them in its form instead, and no form of OpenAPI can say "in one of the
        // two": demanded in the query, they would make tools refuse calls that are right.
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

/// A schema of the contract as the component of a name, with its root in XML.
fn component(contract: &Contract, path: &str, name: &str, root: &str) -> Result<Value, String> {
    let mut schema = contract.json(path)?;
    refer(&mut schema, name);
    if let Some(members) = schema.as_object_mut() {
        members.retain(|name, _| name != "$schema" && name != "$id");
        members.insert("xml".to_owned(), json!({ "name": root }));
    }
    Ok(schema)
}

/// Lets references within a schema point into the component that it becomes.
fn refer(schema: &mut Value, name: &str) {
    match schema {
        Value::Object(members) => {
            let is_closed = members.contains_key("additionalProperties");
            for (keyword, value) in members {
                match value {
                    Value::String(text) if keyword == "$ref" => {
                        *text = text.replacen('#', &format!("#/components/schemas/{name}"), 1);
                    }
                    // Redocly takes an object schema for closed if it does not say otherwise, and a
                    // condition does not name each member. The schema beside it does.
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

/// The body of a case's reviewed answer. In XML as well it is an object, as a validator reads an example; the
/// schema tells how it is written.
fn example(contract: &Contract, operations: &[&Operation], case: Option<&Case>) -> Option<Value> {
    // A case that is tried in XML only has no answer to show.
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
        // The same value again is another one: "[RequestId 2]".
        let stem = placeholder.trim_end_matches(']');
        (2..4).fold(text.replace(placeholder, value), |text, number| {
            text.replace(&format!("{stem} {number}]"), value)
        })
    });
    // What a server signed is the call's; one example of such is as good as another.
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

/// What the parameters of operations are, in the query.
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
    // Which limit holds may depend on another parameter; the schema has the widest.
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

/// The schema of answers of a status that have so many names.
fn alternatives(status: u16, names: usize, answers: &[&Shown<'_>]) -> Value {
    let reference = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    let components: BTreeSet<&str> = answers.iter().map(|answer| &*answer.component).collect();
    let alternatives: Vec<Value> = components.iter().map(|name| reference(name)).collect();
    match &alternatives[..] {
        [one] if status == 200 => one.clone(),
        // A code may have several schemas, if operations answer it differently.
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
