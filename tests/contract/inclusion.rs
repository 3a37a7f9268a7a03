//! The meaning of changes to schemas: a table of pairs, and a guard against wrong proofs of the
//! library that decides inclusion.

use harness::contract::Contract;
use harness::diff::inclusion::{Excess, relation};
use harness::diff::{Severity, compare};
use harness::judge::compiled;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom as _;
use rand::{RngExt as _, SeedableRng as _};
use serde_json::{Map, Value, json};

use crate::diff::files;

/// The meaning of a change: the severity of its worst finding, or cosmetic if there is none.
fn word(side: &str, old: &Value, new: &Value) -> &'static str {
    let contract = |value: &Value| {
        let mut all = json!({ "Buy/operation.json": { "action": "Buy", "parameters": [] } });
        if side == "parameter" {
            all["Buy/operation.json"]["parameters"] = json!([value]);
            all["Buy/operation.json"]["parameters"][0]["name"] = json!("P");
        } else {
            let schema = if side == "request" { "request" } else { "success" };
            all[format!("Buy/schemas/{schema}.json")] = value.clone();
        }
        Contract::of("a contract", files(&all))
    };
    let found = compare(&contract(old), &contract(new)).unwrap().findings;
    found.iter().map(|finding| finding.severity).max().map_or("cosmetic", Severity::name)
}

#[test]
fn each_pair_of_schemas_has_its_severity() {
    let table: Value = serde_json::from_str(include_str!("diff/schemas.json")).unwrap();
    let mut wrong = Vec::new();
    let pairs = table["pairs"].as_array().unwrap();
    for pair in pairs {
        let text = |name: &str| pair[name].as_str().unwrap();
        let found = word(text("side"), &pair["old"], &pair["new"]);
        if found != text("word") {
            wrong.push(format!("{} {}: {found}, not {}", text("side"), text("name"), text("word")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(pairs.len() >= 60);
}

/// Patterns of which some include others, some are equal, and some overlap.
const PATTERNS: [&str; 16] = [
    "",
    "a",
    "^a",
    "b$",
    "^[ab]*$",
    "^[ab]+$",
    "^a+$",
    "^(a|b)$",
    "^a$|^b$",
    "^a|b$",
    "^.{1,2}$",
    r"^[\s\S]{1,2}$",
    r"\d",
    "[0-9]",
    "^(?=a)",
    "^^a",
];

/// Generates schemas and values of few names and small numbers, so that they often overlap.
struct Random(StdRng);

impl Random {
    fn one<T: Clone>(&mut self, of: &[T]) -> T {
        of.choose(&mut self.0).unwrap().clone()
    }

    fn small(&mut self) -> Value {
        self.one(&[json!(-1), json!(0), json!(1), json!(2), json!(3), json!(0.5), json!(2.0)])
    }

    fn value(&mut self, depth: u32) -> Value {
        match self.0.random_range(0..if depth == 0 { 4 } else { 8 }) {
            0 => self.one(&[json!(null), json!(true), json!(false)]),
            1 | 2 => self.small(),
            3 => {
                let length = self.0.random_range(0..5);
                json!(
                    (0..length).map(|_| self.one(&['a', 'b', 'c', '1', '\n'])).collect::<String>()
                )
            }
            4 | 5 => (0..self.0.random_range(0..4)).map(|_| self.value(depth - 1)).collect(),
            _ => {
                let names: Vec<&str> =
                    ["a", "b", "c"].into_iter().filter(|_| self.0.random()).collect();
                names
                    .into_iter()
                    .map(|name| (name.to_owned(), self.value(depth - 1)))
                    .collect::<Map<_, _>>()
                    .into()
            }
        }
    }

    fn schema(&mut self, depth: u32) -> Value {
        if self.0.random_range(0..12) == 0 {
            return json!(self.0.random::<bool>());
        }
        let mut schema = json!({});
        for _ in 0..self.0.random_range(1..4) {
            self.keyword(&mut schema, depth);
        }
        schema
    }

    fn schemas(&mut self, depth: u32) -> Value {
        (0..self.0.random_range(1..4)).map(|_| self.schema(depth)).collect()
    }

    /// Writes a keyword into a schema.
    fn keyword(&mut self, schema: &mut Value, depth: u32) {
        let types = ["array", "boolean", "integer", "null", "number", "object", "string"];
        let keywords = [
            "type",
            "enum",
            "const",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "minLength",
            "maxLength",
            "pattern",
            "format",
            "minItems",
            "maxItems",
            "uniqueItems",
            "minProperties",
            "maxProperties",
            "required",
            "dependentRequired",
            "properties",
            "additionalProperties",
            "patternProperties",
            "propertyNames",
            "items",
            "prefixItems",
            "contains",
            "maxContains",
            "unevaluatedProperties",
            "allOf",
            "anyOf",
            "oneOf",
            "not",
            "if",
            "then",
            "else",
        ];
        let keyword = self.one(&keywords[..if depth == 0 { 19 } else { keywords.len() }]);
        let inner = depth.saturating_sub(1);
        schema[keyword] = match keyword {
            "type" => (0..self.0.random_range(1..3))
                .map(|_| self.one(&types))
                .collect::<std::collections::BTreeSet<_>>()
                .into_iter()
                .map(Value::from)
                .collect(),
            "enum" => (0..self.0.random_range(1..4)).map(|_| self.value(1)).collect(),
            "const" => self.value(1),
            "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" => self.small(),
            "multipleOf" => self.one(&[json!(1), json!(2), json!(3), json!(0.5)]),
            "pattern" => json!(self.one(&PATTERNS)),
            "format" => json!("date"),
            "uniqueItems" => self.0.random::<bool>().into(),
            "required" => self.one(&[json!(["a"]), json!(["b"]), json!(["a", "b"])]),
            "dependentRequired" => self.one(&[json!({ "a": ["b"] }), json!({ "b": ["a", "c"] })]),
            "properties" => json!({ "a": self.schema(inner), "b": self.schema(inner) }),
            "patternProperties" => json!({ "^[ab]$": self.schema(inner) }),
            "prefixItems" | "allOf" | "anyOf" | "oneOf" => self.schemas(inner),
            "additionalProperties"
            | "contains"
            | "else"
            | "if"
            | "items"
            | "not"
            | "propertyNames"
            | "then"
            | "unevaluatedProperties" => self.schema(inner),
            _ => self.0.random_range(0..4).into(),
        };
    }

    /// A schema that differs little from another one.
    fn neighbour(&mut self, schema: &Value) -> Value {
        match self.0.random_range(0..4) {
            0 => self.schema(2),
            1 => json!({ "anyOf": [schema, self.schema(1)] }),
            _ if schema.is_object() => {
                let mut other = schema.clone();
                self.keyword(&mut other, 2);
                other
            }
            _ => json!({ "not": { "not": schema } }),
        }
    }
}

#[test]
fn no_proved_inclusion_is_refuted_by_a_value() {
    const PAIRS: usize = 600;
    let mut random = Random(StdRng::seed_from_u64(13));
    let values: Vec<Value> = (0..400).map(|_| random.value(2)).collect();
    let (mut proved, mut undecided) = (0, 0);
    for _ in 0..PAIRS {
        let old = random.schema(2);
        let new = random.neighbour(&old);
        let found = relation(&old, &new);
        let (before, now) = (compiled(&old).unwrap(), compiled(&new).unwrap());
        for (excess, accepts, refuses) in
            [(&found.gained, &now, &before), (&found.lost, &before, &now)]
        {
            match excess {
                Excess::No => {
                    proved += 1;
                    let refuted = values
                        .iter()
                        .find(|value| accepts.is_valid(value) && !refuses.is_valid(value));
                    assert_eq!(refuted, None, "{old}\n{new}");
                }
                Excess::Yes(Some(value)) => {
                    assert!(
                        accepts.is_valid(value) && !refuses.is_valid(value),
                        "{value}\n{old}\n{new}"
                    );
                }
                Excess::Yes(None) => {}
                Excess::Undecided => undecided += 1,
            }
        }
    }
    // Most pairs are decided, some as included and some as not.
    assert!(proved > PAIRS / 2, "{proved}");
    assert!(undecided < PAIRS / 5, "{undecided}");
}
