//! Documents that nearly fit a schema, generated from the schema itself: for every part of it the
//! values that are just right and those that are just wrong, each in a document without another
//! fault.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// Generates the values of a part of a document.
pub(crate) struct Near<'a> {
    root: &'a Value,
    /// Texts to choose from for a pattern.
    pool: &'a [String],
    /// The definitions whose values have all been generated: a second use needs only a few.
    shown: RefCell<BTreeSet<String>>,
    /// The right value of each schema, once found, because it is needed often.
    found: RefCell<BTreeMap<String, Value>>,
}

/// The keywords of alternatives.
const ALTERNATIVES: [&str; 2] = ["oneOf", "anyOf"];

/// The schema of schemas.
const META: &str = "https://json-schema.org/draft/2020-12/schema";

/// How many texts of the pool are tried for a pattern.
const TEXTS: usize = 3;

impl<'a> Near<'a> {
    pub(crate) fn new(root: &'a Value, pool: &'a [String]) -> Self {
        Self { root, pool, shown: RefCell::default(), found: RefCell::default() }
    }

    /// The documents, right ones included.
    pub(crate) fn documents(self) -> Vec<Value> {
        self.values(self.root)
    }

    fn fits(&self, schema: &Value, value: &Value) -> bool {
        let mut whole = schema.clone();
        if let (Some(members), Some(definitions)) = (whole.as_object_mut(), self.root.get("$defs"))
        {
            members.insert("$defs".to_owned(), definitions.clone());
            members.remove("$id");
        }
        let schema = harness::judge::compiled(&whole);
        schema.unwrap_or_else(|error| panic!("{whole}: {error}")).is_valid(value)
    }

    /// The target of a reference; none if it is the schema of schemas.
    fn target(&self, reference: &str) -> Option<&'a Value> {
        (reference != META).then(|| self.root.pointer(reference.trim_start_matches('#')).unwrap())
    }

    /// The first value found that fits.
    fn right(&self, schema: &Value) -> Value {
        let key = schema.to_string();
        let known = self.found.borrow().get(&key).cloned();
        known.unwrap_or_else(|| {
            let value = self.find(schema);
            self.found.borrow_mut().insert(key, value.clone());
            value
        })
    }

    fn find(&self, schema: &Value) -> Value {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            return self.target(reference).map_or(json!({}), |target| self.right(target));
        }
        let mut tried = Vec::new();
        for variant in variants(schema) {
            let value = match kind(&variant) {
                _ if variant.get("$ref").is_some() => self.right(&variant),
                Some("object") => self.object(&variant).into(),
                Some("array") => self.list(&variant).into(),
                _ => {
                    let simple = self.simple(&variant);
                    let fits = |value: &&Value| self.fits(schema, value);
                    simple.iter().find(fits).cloned().unwrap_or_default()
                }
            };
            if self.fits(schema, &value) {
                return value;
            }
            tried.push(value);
        }
        panic!("no value found for {schema}, only {tried:?}")
    }

    /// The object with its required members.
    fn object(&self, schema: &Value) -> Map<String, Value> {
        let none = Map::new();
        let properties = schema.get("properties").and_then(Value::as_object).unwrap_or(&none);
        let mut members: Map<String, Value> = required(schema)
            .map(|name| {
                (name.to_owned(), properties.get(name).map_or(json!("x"), |s| self.right(s)))
            })
            .collect();
        let least = schema.get("minProperties").and_then(Value::as_u64).unwrap_or_default();
        let mut more = properties.iter();
        while (members.len() as u64) < least {
            let (name, value) = match more.next() {
                Some((name, inner)) => (name.clone(), self.right(inner)),
                None => self.further(schema, members.len()),
            };
            members.insert(name, value);
        }
        members
    }

    /// The members that another member requires.
    fn dependents(&self, schema: &Value, name: &str) -> Vec<(String, Value)> {
        let names = schema.pointer(&format!("/dependentRequired/{name}"));
        let names = names.and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str);
        names.map(|name| (name.to_owned(), self.right(&schema["properties"][name]))).collect()
    }

    /// A member that the schema does not name, one of several.
    fn further(&self, schema: &Value, which: usize) -> (String, Value) {
        let names = match schema.get("propertyNames") {
            Some(names) => self.simple(names),
            None => ["Zzz", "Yyy", "Xxx", "Www", "Vvv", "Uuu", "Ttt"].map(Value::from).to_vec(),
        };
        let fits = |name: &&Value| {
            name.is_string() && schema.get("propertyNames").is_none_or(|it| self.fits(it, name))
        };
        let name = names.iter().filter(fits).nth(which).unwrap().as_str().unwrap().to_owned();
        let inner = schema.get("additionalProperties").filter(|inner| inner.is_object());
        (name, inner.map_or(json!("x"), |inner| self.right(inner)))
    }

    /// The list with its least number of items.
    fn list(&self, schema: &Value) -> Vec<Value> {
        let first = schema.get("prefixItems").and_then(Value::as_array);
        let mut items: Vec<Value> =
            first.into_iter().flatten().map(|item| self.right(item)).collect();
        let least = schema.get("minItems").and_then(Value::as_u64).unwrap_or_default();
        while (items.len() as u64) < least {
            items.push(self.right(&schema["items"]));
        }
        items
    }

    /// Values of a part of the document: right ones, and those that differ from them by one change.
    fn values(&self, schema: &Value) -> Vec<Value> {
        if let Some(reference) = schema.get("$ref").and_then(Value::as_str) {
            let Some(target) = self.target(reference) else {
                return [strangers(), vec![json!({ "type": 7 })]].concat();
            };
            if self.shown.borrow_mut().insert(reference.to_owned()) {
                return self.values(target);
            }
            let mut few = strangers();
            few.push(self.right(target));
            return few;
        }
        let mut all = strangers();
        for variant in variants(schema) {
            match kind(&variant) {
                _ if variant.get("$ref").is_some() => all.extend(self.values(&variant)),
                Some("object") => all.extend(self.objects(&variant)),
                Some("array") => all.extend(self.lists(&variant)),
                _ => all.extend(self.simple(&variant)),
            }
        }
        all
    }

    fn objects(&self, schema: &Value) -> Vec<Value> {
        let base = self.object(schema);
        let with = |name: &str, value: Value| {
            let mut members = base.clone();
            members.extend(self.dependents(schema, name));
            members.insert(name.to_owned(), value);
            Value::from(members)
        };
        let mut all = vec![base.clone().into()];
        for name in base.keys() {
            let mut fewer = base.clone();
            let value = fewer.remove(name).unwrap();
            all.push(fewer.clone().into());
            fewer.insert(name.to_lowercase(), value);
            all.push(fewer.into());
        }
        for name in ["Zzz", "zzz zzz"] {
            all.extend(strangers().into_iter().map(|value| with(name, value)));
        }
        if let Some(inner) = schema.get("additionalProperties").filter(|inner| inner.is_object()) {
            let (name, _) = self.further(schema, 0);
            all.extend(self.values(inner).into_iter().map(|value| with(&name, value)));
        }
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, inner) in properties.into_iter().flatten() {
            all.extend(self.values(inner).into_iter().map(|value| with(name, value)));
        }
        let patterns = schema.get("patternProperties").and_then(Value::as_object);
        for (pattern, inner) in patterns.into_iter().flatten() {
            let name = self.pool.iter().find(|text| is_match(pattern, text)).unwrap();
            all.extend(self.values(inner).into_iter().map(|value| with(name, value)));
        }
        if let Some(names) = schema.get("propertyNames") {
            let (_, value) = self.further(schema, 0);
            let names = self.values(names);
            let names = names.iter().filter_map(Value::as_str);
            all.extend(names.map(|name| with(name, value.clone())));
        }
        // Two members of which each may be present, but perhaps not both.
        if let Some(properties) = properties {
            let one = |name: &String| (name.clone(), self.right(&properties[name]));
            let more: Vec<(String, Value)> =
                properties.keys().filter(|name| !base.contains_key(*name)).map(one).collect();
            for (position, (name, value)) in more.iter().enumerate() {
                for (other, its) in &more[position + 1..] {
                    let mut both = base.clone();
                    both.insert(name.clone(), value.clone());
                    both.insert(other.clone(), its.clone());
                    all.push(both.into());
                }
            }
        }
        all
    }

    fn lists(&self, schema: &Value) -> Vec<Value> {
        let base = self.list(schema);
        let mut all: Vec<Value> = (0..=base.len()).map(|count| base[..count].into()).collect();
        let with = |item: Value| Value::from([&base[..], &[item]].concat());
        all.extend(strangers().into_iter().map(with));
        if let Some(inner) = schema.get("items") {
            let right = if inner.is_object() { self.right(inner) } else { Value::Null };
            all.push(vec![right.clone(); 2].into());
            if let Some(most) = schema.get("maxItems").and_then(Value::as_u64) {
                all.push(vec![right; usize::try_from(most).unwrap() + 1].into());
            }
            all.extend(self.values(inner).into_iter().map(|item| json!([item])));
        }
        let first = schema.get("prefixItems").and_then(Value::as_array);
        for (position, inner) in first.into_iter().flatten().enumerate() {
            for value in self.values(inner) {
                let mut items = base.clone();
                items[position] = value;
                all.push(items.into());
            }
        }
        all
    }

    /// Texts, numbers and the like: those in the schema, those that fit it, and those that nearly
    /// fit.
    fn simple(&self, schema: &Value) -> Vec<Value> {
        let mut all: Vec<Value> = schema.get("const").cloned().into_iter().collect();
        all.extend(schema.get("enum").and_then(Value::as_array).into_iter().flatten().cloned());
        if all.is_empty() {
            for keyword in ["minimum", "maximum", "exclusiveMinimum"] {
                let bound = schema.get(keyword).and_then(Value::as_i64);
                all.extend(bound.into_iter().flat_map(|n| [n, n + 1, n - 1].map(Value::from)));
            }
            let whole = json!({
                "pattern": schema.get("pattern").unwrap_or(&json!("")),
                "minLength": schema.get("minLength").unwrap_or(&json!(0)),
                "maxLength": schema.get("maxLength").unwrap_or(&json!(1000)),
                "not": schema.get("not").unwrap_or(&json!(false)),
                "format": schema.get("format").unwrap_or(&json!("x")),
            });
            let whole = harness::judge::compiled(&whole).unwrap();
            let texts = self.pool.iter().map(|text| json!(text));
            let fitting: Vec<Value> = texts.filter(|text| whole.is_valid(text)).collect();
            all.extend(fitting.iter().take(TEXTS).chain(fitting.iter().rev().take(TEXTS)).cloned());
            // Where nearly all fit, the others cover most, with those that break one keyword only.
            let unfit = self.pool.iter().map(|text| json!(text)).filter(|it| !whole.is_valid(it));
            let unfit: Vec<Value> = unfit.collect();
            all.extend(unfit.iter().take(2 * TEXTS).cloned());
            for keyword in ["pattern", "format"] {
                let Some(demand) = schema.get(keyword) else { continue };
                let alone = harness::judge::compiled(&json!({ keyword: demand })).unwrap();
                let nearly = unfit.iter().filter(|text| alone.is_valid(text));
                all.extend(nearly.take(TEXTS).cloned());
            }
            if let Some(not) = schema.get("not") {
                let not = harness::judge::compiled(not).unwrap();
                let texts = self.pool.iter().map(|text| json!(text));
                all.extend(texts.filter(|text| not.is_valid(text)).take(TEXTS));
            }
        }
        for keyword in ["maxLength", "minLength"] {
            if let Some(bound) = schema.get(keyword).and_then(Value::as_u64) {
                let bound = usize::try_from(bound).unwrap();
                for length in [bound.saturating_sub(1), bound, bound + 1] {
                    all.push("t".repeat(length).into());
                    all.push("7".repeat(length).into());
                }
            }
        }
        let texts: Vec<String> = all.iter().filter_map(Value::as_str).map(str::to_owned).collect();
        all.extend(texts.iter().flat_map(|text| misspelt(text)));
        all.extend(strangers());
        all
    }
}

/// The schema once for each of its alternatives and conditions, each of which then holds.
fn variants(schema: &Value) -> Vec<Value> {
    let Some(members) = schema.as_object() else { return vec![schema.clone()] };
    let mut rest = members.clone();
    let mut choices: Vec<Vec<Value>> = Vec::new();
    for keyword in ALTERNATIVES {
        if let Some(Value::Array(alternatives)) = rest.remove(keyword) {
            choices.push(alternatives);
        }
    }
    let mut conditions = vec![Value::from(rest.clone())];
    conditions.extend(rest.get("allOf").and_then(Value::as_array).into_iter().flatten().cloned());
    for condition in conditions {
        if let Some(holds) = condition.get("if") {
            let side = |name: &str| condition.get(name).cloned().unwrap_or(json!({}));
            let otherwise = merged(&unlike(schema, holds), &side("else"));
            choices.push(vec![otherwise, merged(holds, &side("then"))]);
        }
    }
    for keyword in ["if", "then", "else", "allOf"] {
        rest.remove(keyword);
    }
    let mut all = vec![Value::from(rest)];
    for choice in choices {
        all = all.iter().flat_map(|one| choice.iter().map(|part| merged(one, part))).collect();
    }
    // Alternatives within alternatives.
    let has_more = |one: &Value| {
        ["oneOf", "anyOf", "if", "allOf"].iter().any(|keyword| one.get(keyword).is_some())
    };
    all.into_iter()
        .flat_map(|one| if has_more(&one) { variants(&one) } else { vec![one] })
        .collect()
}

/// Values that a condition does not hold for: the other values of its members that have few.
fn unlike(schema: &Value, condition: &Value) -> Value {
    let properties = condition.get("properties").and_then(Value::as_object);
    let mut others = Map::new();
    for (name, demanded) in properties.into_iter().flatten() {
        if let Some(all) = schema["properties"][name]["enum"].as_array() {
            let rest = all.iter().filter(|value| Some(*value) != demanded.get("const"));
            others.insert(name.clone(), json!({ "enum": rest.collect::<Vec<_>>() }));
        }
    }
    json!({ "properties": others })
}

/// A schema merged with another one, whose keywords win.
fn merged(one: &Value, other: &Value) -> Value {
    let mut members = one.as_object().cloned().unwrap_or_default();
    for (keyword, value) in other.as_object().into_iter().flatten() {
        let both = match (members.get(keyword), value) {
            (Some(Value::Array(before)), Value::Array(more)) if keyword == "required" => {
                [&before[..], &more[..]].concat().into()
            }
            (Some(before @ Value::Object(_)), Value::Object(_)) => merged(before, value),
            _ => value.clone(),
        };
        members.insert(keyword.clone(), both);
    }
    members.into()
}

fn required(schema: &Value) -> impl Iterator<Item = &str> {
    schema.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

fn kind(schema: &Value) -> Option<&str> {
    let said = schema.get("type").and_then(Value::as_str);
    let is_object = ["properties", "required"].iter().any(|name| schema.get(name).is_some());
    said.or_else(|| is_object.then_some("object"))
}

fn is_match(pattern: &str, text: &str) -> bool {
    jsonschema::draft202012::is_valid(&json!({ "pattern": pattern }), &json!(text))
}

/// Values that fit nowhere.
fn strangers() -> Vec<Value> {
    let all = [json!(null), json!(true), json!(7), json!(-1), json!(0), json!(1.5)];
    let more = [json!(""), json!("other"), json!("true"), json!([]), json!({}), json!([7])];
    [&all[..], &more[..]].concat()
}

/// A text with one thing changed.
fn misspelt(text: &str) -> Vec<Value> {
    let mut shorter = text.to_owned();
    shorter.pop();
    let rest: String = text.chars().skip(1).collect();
    let next = text.parse::<u32>().unwrap_or_default() + 1;
    let all = [
        next.to_string(),
        format!("/{text}"),
        format!("{text}!"),
        format!("!{text}"),
        format!("{text}\n"),
        format!("{text}0"),
        format!("0{text}"),
        format!("{text}\u{e9}"),
        format!("\u{e9}{text}"),
        text.to_uppercase(),
        text.to_lowercase(),
        shorter,
        rest,
    ];
    all.map(Value::from).to_vec()
}
