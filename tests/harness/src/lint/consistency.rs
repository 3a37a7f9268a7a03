//! Checks the files of a contract against each other.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Problems, files, meant, order, parameters};
use crate::case::{Case, Request};
use crate::contract::Contract;
use crate::decisions::decisions;
use crate::judge::{compiled, is_place};
use crate::operations::{COMMON, Operations};

/// The readable JSON files.
type Values<'a> = BTreeMap<&'a str, Value>;

pub(super) fn check(contract: &Contract, values: &Values<'_>, problems: &mut Problems) {
    let known = Known::of(contract, values, problems);
    for (path, value) in values {
        match path.split('/').collect::<Vec<_>>()[..] {
            [folder, "operation.json"] => operation(&known, path, folder, value, problems),
            [folder, "errors.json"] => errors(contract, &known, path, folder, value, problems),
            [folder, "schemas", "errors", file] => {
                let code = file.strip_suffix(".json").unwrap_or(file);
                let codes: Vec<&str> = match folder {
                    COMMON => known.all_codes().collect(),
                    _ => known.codes_of(folder).collect(),
                };
                problems.code(path, "", code, &codes);
            }
            [_, "schemas", "request.json"] => {
                for (_, name) in texts(&value["required"], "") {
                    if !value["properties"][name]["default"].is_null() {
                        let what = "a required parameter cannot have a default".to_owned();
                        problems.inconsistent(path, &format!("/properties/{name}/default"), what);
                    }
                }
            }
            [_, "roles.json"] => {
                for (place, code) in texts(&value["needNothing"], "/needNothing") {
                    problems.code(path, &place, code, &known.all_codes().collect::<Vec<_>>());
                }
            }
            _ => {}
        }
        if ["operation", "error-table", "case"].contains(&files::kind(path).unwrap_or_default()) {
            decisions_named(&known, path, value, "", problems);
        }
    }
    match contract.case_paths() {
        Ok(paths) => cases(contract, &known, &paths, values, problems),
        Err(error) => problems.inconsistent("format.json", "", error.into()),
    }
}

/// The names that files may refer to.
struct Known<'a> {
    /// The codes of errors.json, by folder.
    codes: BTreeMap<&'a str, Vec<&'a str>>,
    /// The ids of decisions.
    decisions: BTreeSet<&'a str>,
    /// The names in common/when.json.
    when: BTreeSet<&'a str>,
    /// The values that parameters of any operation may have.
    values: BTreeSet<&'a str>,
}

impl<'a> Known<'a> {
    fn of(contract: &'a Contract, values: &'a Values<'_>, problems: &mut Problems) -> Self {
        let tables = values.iter().filter_map(|(path, value)| {
            let folder =
                path.strip_suffix("/errors.json").filter(|folder| !folder.contains('/'))?;
            let rows = value["errors"].as_array().into_iter().flatten();
            Some((folder, rows.filter_map(|row| row["code"].as_str()).collect()))
        });
        let when = values.get("common/when.json").and_then(|file| file["when"].as_object());
        let operations = values.iter().filter(|(path, _)| path.ends_with("/operation.json"));
        let parameters = operations.flat_map(|(_, file)| {
            let all = ["parameters", "acceptedBeyondThePage"].map(|list| file[list].as_array());
            let all = all.into_iter().flatten().flatten();
            all.flat_map(|parameter| parameter["enum"].as_array().into_iter().flatten())
        });
        Self {
            codes: tables.collect(),
            decisions: ledger(contract, problems),
            when: when.into_iter().flatten().map(|(name, _)| name.as_str()).collect(),
            values: parameters.filter_map(Value::as_str).collect(),
        }
    }

    fn all_codes(&self) -> impl Iterator<Item = &'a str> {
        self.codes.values().flatten().copied()
    }

    /// The codes of an operation's own errors.
    fn codes_of(&self, folder: &str) -> impl Iterator<Item = &'a str> {
        self.codes.get(folder).into_iter().flatten().copied()
    }

    /// The codes that answers of an operation may have.
    fn codes_answered(&self, folder: &str) -> Vec<&'a str> {
        self.codes_of(folder).chain(self.codes_of(COMMON)).collect()
    }
}

impl Problems {
    /// Adds a problem if no error has the code.
    fn code(&mut self, path: &str, place: &str, code: &str, among: &[&str]) {
        if !among.contains(&code) {
            let meant = meant(code, among.iter().copied());
            self.inconsistent(path, place, format!("errors.json has no code {code}{meant}"));
        }
    }
}

/// The ids of the decisions. Adds the problems in their parts.
fn ledger<'a>(contract: &'a Contract, problems: &mut Problems) -> BTreeSet<&'a str> {
    const PARTS: [&str; 4] = ["Question", "Page", "Choice", "Reason"];
    let mut ids = BTreeSet::new();
    for decision in decisions(contract) {
        let mut add = |what: String| {
            problems.inconsistent(decision.path, &decision.line.to_string(), what);
        };
        let Some(id) = decision.id() else {
            add(format!("the heading {:?} is not an id in backticks", decision.heading));
            continue;
        };
        if !ids.insert(id) {
            add(format!("the decision {id} is given twice"));
        }
        for part in PARTS.iter().filter(|part| decision.part(part).is_none()) {
            add(format!("the decision {id} has no {part}"));
        }
        for place in decision.about().into_iter().filter(|place| !is_place(place)) {
            add(format!("the decision {id} is about {place}, which is not a place in an answer"));
        }
    }
    ids
}

/// Checks each member `decision` of a file, at any depth.
fn decisions_named(
    known: &Known<'_>,
    path: &str,
    value: &Value,
    at: &str,
    problems: &mut Problems,
) {
    match value {
        Value::Object(members) => {
            if let Some(id) = members.get("decision").and_then(Value::as_str)
                && !known.decisions.contains(id)
            {
                let meant = meant(id, known.decisions.iter().copied());
                let what = format!("no decisions.md has the decision {id}{meant}");
                problems.inconsistent(path, &format!("{at}/decision"), what);
            }
            for (name, value) in members {
                decisions_named(known, path, value, &format!("{at}/{name}"), problems);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                decisions_named(known, path, value, &format!("{at}/{index}"), problems);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The texts of a list with their places.
fn texts<'a>(list: &'a Value, at: &str) -> Vec<(String, &'a str)> {
    let items = list.as_array().into_iter().flatten().enumerate();
    items.filter_map(|(index, item)| Some((format!("{at}/{index}"), item.as_str()?))).collect()
}

fn operation(known: &Known<'_>, path: &str, folder: &str, file: &Value, problems: &mut Problems) {
    let action = file["action"].as_str().unwrap_or_default();
    if action != folder {
        problems.inconsistent(path, "/action", format!("{action} is not the folder's name"));
    }
    for (place, code) in texts(&file["checkingOrder"], "/checkingOrder") {
        problems.code(path, &place, code, &known.codes_of(folder).collect::<Vec<_>>());
    }
    let lists = ["parameters", "acceptedBeyondThePage"].map(|list| (list, file[list].as_array()));
    let parameters = || {
        lists.into_iter().flat_map(|(list, all)| {
            let all = all.into_iter().flatten().enumerate();
            all.map(move |(index, parameter)| (format!("/{list}/{index}"), parameter))
        })
    };
    // The value of a document may come from a parameter of another operation.
    let values = &known.values;
    let bounds = &files::schema("operation").written()["$defs"]["bounds"]["properties"];
    let mut names = BTreeSet::new();
    for (place, parameter) in parameters() {
        let name = parameter["name"].as_str().unwrap_or_default();
        if !names.insert(name) {
            problems.inconsistent(path, &place, format!("the parameter {name} is given twice"));
        }
        if parameter["required"] == true && !parameter["default"].is_null() {
            let what = "a required parameter cannot have a default";
            problems.inconsistent(path, &format!("{place}/default"), what.to_owned());
        }
        for (limit, _) in parameter["limits"].as_object().into_iter().flatten() {
            if bounds[limit].is_null() && !values.contains(limit.as_str()) {
                let bounds =
                    bounds.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
                let meant = meant(limit, bounds.chain(values.iter().copied()));
                let what = format!("neither a limit nor a value of a parameter{meant}");
                problems.inconsistent(path, &format!("{place}/limits/{limit}"), what);
            }
        }
    }
    let documents: Vec<&str> = file["documents"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|document| document["name"].as_str())
        .collect();
    let effects = file["effects"].as_array().into_iter().flatten().enumerate();
    let effects =
        effects.map(|(index, effect)| (format!("/effects/{index}/document"), &effect["document"]));
    let defaults = parameters()
        .map(|(place, parameter)| (format!("{place}/defaultFrom"), &parameter["defaultFrom"]));
    for (place, name) in effects.chain(defaults) {
        if let Some(name) = name.as_str().filter(|name| !documents.contains(name)) {
            let meant = meant(name, documents.iter().copied());
            problems.inconsistent(path, &place, format!("unknown document {name}{meant}"));
        }
    }
}

fn errors(
    contract: &Contract,
    known: &Known<'_>,
    path: &str,
    folder: &str,
    file: &Value,
    problems: &mut Problems,
) {
    let order = contract.json(&format!("{folder}/operation.json"));
    let order = order.ok().map(|file| file["checkingOrder"].clone()).filter(Value::is_array);
    let mut codes = BTreeSet::new();
    for (index, row) in file["errors"].as_array().into_iter().flatten().enumerate() {
        let Some(code) = row["code"].as_str() else { continue };
        let place = format!("/errors/{index}");
        let mut add = |what: String| problems.inconsistent(path, &place, format!("{code}: {what}"));
        if !codes.insert(code) {
            add("the code is given twice".to_owned());
        }
        let cases = format!("{folder}/cases/{code}/");
        let is_answered = row["notApplicable"].is_null();
        if is_answered && !contract.paths().any(|path| path.starts_with(&cases)) {
            add(format!("no case of {cases} demands it"));
        }
        let schema = |folder: &str| contract.text(&format!("{folder}/schemas/errors/{code}.json"));
        if schema(folder).is_none() && schema(COMMON).is_none() {
            add("no schema of its answer is in schemas/errors/".to_owned());
        }
        // An internal error may occur at any time, so it has no place in the order.
        let is_of_the_call = row["status"].as_u64().is_some_and(|status| status < 500);
        if let Some(order) = &order
            && is_answered
            && is_of_the_call
            && !texts(order, "").iter().any(|(_, listed)| *listed == code)
        {
            add("the checkingOrder of operation.json lacks it".to_owned());
        }
        if let Some(name) = row["when"].as_str().filter(|name| !known.when.contains(name)) {
            let meant = meant(name, known.when.iter().copied());
            problems.inconsistent(
                path,
                &format!("{place}/when"),
                format!("common/when.json has no {name}{meant}"),
            );
        }
    }
}

fn cases(
    contract: &Contract,
    known: &Known<'_>,
    paths: &[&str],
    values: &Values<'_>,
    problems: &mut Problems,
) {
    let operations = Operations::read(contract).ok();
    let requests: BTreeMap<&str, _> = values
        .iter()
        .filter_map(|(path, schema)| {
            Some((path.strip_suffix("/schemas/request.json")?, compiled(schema).ok()?))
        })
        .collect();
    let mut all = Vec::new();
    for path in paths {
        let Some(value) = values.get(path) else { continue };
        let before = problems.0.len();
        let world = &value["world"];
        if let Some(name) = world["from"].as_str()
            && !values.contains_key(format!("common/worlds/{name}.json").as_str())
        {
            let worlds = values
                .keys()
                .filter_map(|path| path.strip_prefix("common/worlds/")?.strip_suffix(".json"));
            let meant = meant(name, worlds);
            problems.inconsistent(
                path,
                "/world/from",
                format!("common/worlds has no {name}.json{meant}"),
            );
            continue;
        }
        if (world["merge"].is_object() || world["Accounts"].is_object())
            && let Ok(world) = contract.world(world)
        {
            files::schema("world").check(path, "/world", &world, problems);
        }
        match Case::read(contract, path) {
            Ok(case) => {
                self::case(known, &case, operations.as_ref(), &requests, problems);
                all.push(case);
            }
            Err(error) if problems.0.len() == before => {
                let error = error.within(&format!("{}/{path}", contract.origin()));
                problems.inconsistent(path, "", error.into());
            }
            Err(_) => {}
        }
    }
    order::check(contract, &all, problems);
}

fn case(
    known: &Known<'_>,
    case: &Case,
    operations: Option<&Operations>,
    requests: &BTreeMap<&str, jsonschema::Validator>,
    problems: &mut Problems,
) {
    let (path, group) = (case.path.as_str(), case.group());
    let code = case.demanded.code.as_deref();
    if code.unwrap_or("Success") != group {
        let what = format!("the case is in the folder {group}");
        problems.inconsistent(path, "/answer/code", what);
    }
    if let Some(code) = code {
        problems.code(path, "/answer/code", code, &known.codes_answered(&case.action));
    }
    let Some(operations) = operations else { return };
    let status = match code {
        Some(code) => operations.error(&case.action, code).map(|row| row.status),
        None => operations.get(&case.action).map(|operation| operation.success.status),
    };
    if let Some(status) = status.filter(|status| *status != case.demanded.status) {
        let (demanded, of) = (case.demanded.status, code.unwrap_or("a success"));
        let what = format!("{demanded} is demanded, and {of} has the status {status}");
        problems.inconsistent(path, "/answer/status", what);
    }
    let mut succeed = |request: &Request, place: &str| {
        let Some(operation) = operations.get(&request.action) else { return };
        let parameters = request.parameters();
        let mut broken = parameters::broken(operation, &parameters);
        let value: Value =
            parameters.into_iter().map(|(name, text)| (name, Value::from(text))).collect();
        let schema = requests.get(request.action.as_str());
        if let Some(Err(error)) =
            schema.filter(|_| broken.is_empty()).map(|schema| schema.validate(&value))
        {
            broken.push(format!("its parameters do not fit schemas/request.json: {error}"));
        }
        for what in broken {
            problems.inconsistent(path, place, format!("a success is demanded, but {what}"));
        }
    };
    for (index, request) in case.before.iter().enumerate() {
        succeed(request, &format!("/before/{index}"));
    }
    if code.is_none() {
        succeed(&case.request, "/request");
    }
}
