//! Generates values at the boundaries of schemas.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::judge::compiled;

/// The greatest number of values for a schema, and for a part of one.
const ALL_MAX: usize = 1_000;
const PART_MAX: usize = 24;

/// The limits of depth and number of parts: a schema may contain itself.
const DEPTH_MAX: usize = 6;
const PARTS_MAX: usize = 300;

/// The greatest length of a text, list or object.
const LENGTH_MAX: u64 = 300;

/// The name of a member that no schema names.
const UNNAMED: &str = "unnamed";

type Part = Map<String, Value>;

/// Values at the boundaries of two schemas, with `texts` for patterns.
pub(super) fn values(old: &Value, new: &Value, texts: &[Value]) -> Vec<Value> {
    let of =
        |root| Maker { root, texts, left: Cell::new(PARTS_MAX) }.part(root, DEPTH_MAX, ALL_MAX);
    let mut all = of(old);
    all.extend(of(new));
    all
}

/// Generates values for the parts of a schema.
struct Maker<'s> {
    root: &'s Value,
    texts: &'s [Value],
    /// The number of parts that it may still follow.
    left: Cell<usize>,
}

impl<'s> Maker<'s> {
    /// At most `max` values for a part of the schema, accepted values first.
    fn part(&self, schema: &'s Value, depth: usize, max: usize) -> Vec<Value> {
        let mut all: Vec<Value> =
            vec![json!(null), json!(true), json!(0), json!(1.5), json!("a"), json!([]), json!({})];
        let mut parts = Vec::new();
        self.applied(schema, depth, &mut parts);
        if depth > 0 && self.left.get() > 0 {
            self.left.set(self.left.get() - 1);
            all.extend(constants(&parts));
            all.extend(numbers(&parts));
            all.extend(self.texts(&parts));
            all.extend(self.lists(&parts, depth - 1));
            all.extend(self.objects(&parts, depth - 1));
        }
        let mut seen = BTreeSet::new();
        all.retain(|value| seen.insert(value.to_string()));
        let mut alone = schema.clone();
        if let (Some(part), Some(definitions)) = (alone.as_object_mut(), self.root.get("$defs")) {
            part.insert("$defs".to_owned(), definitions.clone());
        }
        if let Ok(validator) = compiled(&alone) {
            all.sort_by_cached_key(|value| !validator.is_valid(value));
        }
        all.truncate(max);
        all
    }

    /// Collects the schemas that apply to the same value.
    fn applied(&self, schema: &'s Value, depth: usize, parts: &mut Vec<&'s Part>) {
        let Some(part) = schema.as_object() else { return };
        parts.push(part);
        if depth == 0 {
            return;
        }
        let target = text(part, "$ref").and_then(|text| self.root.pointer(text.strip_prefix('#')?));
        let listed = ["allOf", "anyOf", "oneOf"].into_iter().flat_map(|name| items(part, name));
        let single = ["if", "then", "else", "not"].into_iter().filter_map(|name| part.get(name));
        let dependent = members(part, "dependentSchemas").map(|(_, schema)| schema);
        for inner in target.into_iter().chain(listed).chain(single).chain(dependent) {
            self.applied(inner, depth - 1, parts);
        }
    }

    /// Texts at the bounds of schemas.
    fn texts(&self, parts: &[&Part]) -> Vec<Value> {
        let lengths = lengths(parts, &["minLength", "maxLength"]);
        let long = lengths.map(|length| json!("a".repeat(length)));
        let is_matched = parts.iter().any(|part| part.contains_key("pattern"));
        long.chain(self.texts.iter().filter(|_| is_matched).cloned()).collect()
    }

    fn lists(&self, parts: &[&'s Part], depth: usize) -> Vec<Value> {
        let mut all = Vec::new();
        let mut choices = vec![json!("a"), json!(1)];
        for part in parts {
            for name in ["items", "contains", "unevaluatedItems"] {
                let made = part.get(name).map(|schema| self.part(schema, depth, PART_MAX));
                choices.splice(0..0, made.into_iter().flatten());
            }
            let places =
                items(part, "prefixItems").map(|schema| self.part(schema, depth, PART_MAX));
            let places: Vec<Vec<Value>> = places.collect();
            all.extend(rows(&places).into_iter().map(Value::Array));
        }
        for length in lengths(parts, &["minItems", "maxItems", "minContains", "maxContains"]) {
            all.extend(choices.iter().map(|item| json!(vec![item; length])));
            all.push(choices.iter().cycle().take(length).cloned().collect());
            all.push((0..length).collect());
        }
        let followed: Vec<Value> = all
            .iter()
            .filter_map(Value::as_array)
            .take(ALL_MAX / 2)
            .map(|list| list.iter().chain(choices.first()).cloned().collect())
            .collect();
        all.extend(followed);
        all
    }

    fn objects(&self, parts: &[&'s Part], depth: usize) -> Vec<Value> {
        let mut choices: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        for part in parts {
            for (name, schema) in members(part, "properties") {
                choices.entry(name).or_default().extend(self.part(schema, depth, PART_MAX));
            }
            for name in ["additionalProperties", "unevaluatedProperties"] {
                let made = part.get(name).map(|schema| self.part(schema, depth, PART_MAX));
                choices.entry(UNNAMED).or_default().extend(made.into_iter().flatten());
            }
            let dependent = members(part, "dependentRequired");
            let dependent = dependent.flat_map(|(name, names)| {
                names
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .chain([name.as_str()])
            });
            for name in items(part, "required").filter_map(Value::as_str).chain(dependent) {
                choices.entry(name).or_default().push(json!("a"));
            }
        }
        choices.entry(UNNAMED).or_default().push(json!("a"));
        let (names, choices): (Vec<&str>, Vec<Vec<Value>>) = choices.into_iter().unzip();
        let object = |row: Vec<Value>| -> Part {
            names.iter().map(|name| (*name).to_owned()).zip(row).collect()
        };
        let whole: Vec<Part> = rows(&choices).into_iter().map(object).collect();
        let mut all = Vec::new();
        for object in &whole {
            let known: Part = object
                .iter()
                .filter(|(name, _)| *name != UNNAMED)
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect();
            for base in [object, &known] {
                all.push(base.clone().into());
                for name in base.keys() {
                    let mut less = base.clone();
                    let value = less.remove(name);
                    all.push(less.into());
                    all.push(json!({ name: value }));
                }
            }
            if all.len() > ALL_MAX {
                break;
            }
        }
        for length in lengths(parts, &["minProperties", "maxProperties"]) {
            all.push(
                (0..length).map(|index| (index.to_string(), json!("a"))).collect::<Part>().into(),
            );
        }
        let names = parts.iter().filter_map(|part| part.get("propertyNames")?.as_object());
        for name in self.texts(&names.collect::<Vec<_>>()) {
            all.push(json!({ name.as_str().unwrap_or_default(): "a" }));
        }
        all
    }
}

/// Rows of one choice for each place: the first choices, each other choice with the first ones, and all
/// choices in step.
fn rows(choices: &[Vec<Value>]) -> Vec<Vec<Value>> {
    let in_step = |index: usize| -> Option<Vec<Value>> {
        choices.iter().map(|values| values.get(index % values.len().max(1)).cloned()).collect()
    };
    let Some(base) = in_step(0) else { return Vec::new() };
    let mut rows = vec![base.clone()];
    for (place, values) in choices.iter().enumerate() {
        rows.extend(values.iter().skip(1).map(|value| {
            let mut row = base.clone();
            row[place] = value.clone();
            row
        }));
    }
    rows.extend((1..PART_MAX).filter_map(in_step));
    rows
}

/// The values in schemas.
fn constants(parts: &[&Part]) -> Vec<Value> {
    let of = |part: &&Part| -> Vec<Value> {
        let single = ["const", "default"].iter().filter_map(|name| part.get(*name));
        single.chain(items(part, "enum")).chain(items(part, "examples")).cloned().collect()
    };
    parts.iter().flat_map(of).collect()
}

/// Numbers at the bounds of schemas.
fn numbers(parts: &[&Part]) -> Vec<Value> {
    const BOUNDS: [&str; 5] =
        ["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
    let bounds = parts.iter().flat_map(|part| BOUNDS.iter().filter_map(|name| part.get(*name)));
    let mut all = vec![json!(-1), json!(1), json!(2)];
    for bound in bounds {
        all.push(bound.clone());
        if let Some(number) = bound.as_i64() {
            let around = [number.checked_sub(1), number.checked_add(1), number.checked_mul(2)];
            all.extend(around.into_iter().flatten().map(Value::from));
        }
        if let Some(number) = bound.as_f64() {
            all.extend([-0.5, 0.5, 1.0].map(|step| json!(number + step)));
        }
    }
    all
}

/// Lengths at and around bounds.
fn lengths(parts: &[&Part], bounds: &[&str]) -> impl Iterator<Item = usize> + use<> {
    let bounds =
        parts.iter().flat_map(|part| bounds.iter().filter_map(|name| part.get(*name)?.as_u64()));
    let around = bounds.flat_map(|bound| [bound.saturating_sub(1), bound, bound.saturating_add(1)]);
    let all: BTreeSet<u64> = around.filter(|length| *length <= LENGTH_MAX).chain(0..=2).collect();
    all.into_iter().filter_map(|length| usize::try_from(length).ok())
}

fn text<'p>(part: &'p Part, name: &str) -> Option<&'p str> {
    part.get(name)?.as_str()
}

fn items<'p>(part: &'p Part, name: &str) -> impl Iterator<Item = &'p Value> + use<'p> {
    part.get(name).and_then(Value::as_array).into_iter().flatten()
}

fn members<'p>(
    part: &'p Part,
    name: &str,
) -> impl Iterator<Item = (&'p String, &'p Value)> + use<'p> {
    part.get(name).and_then(Value::as_object).into_iter().flatten()
}
