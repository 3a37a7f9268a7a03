//! Adds to schemas the implications of their patterns, which the schema algebra treats as opaque names.
//!
//! A pattern is equivalent to itself combined with a pattern that includes it, and with its least and
//! greatest length. So the additions change the meaning of no schema.

use std::collections::{BTreeMap, BTreeSet};

use jsonschema_regex::to_rust_regex;
use regex_syntax::hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition};
use regexsolver::Term;
use regexsolver::execution_profile::{ExecutionProfile, ExecutionProfileBuilder};
use regexsolver::fast_automaton::GenerationOptions;
use serde_json::{Map, Value, json};

use super::parts::each_part;

/// The characters before and after a text. The solver matches whole texts only, so these stand for `^` and
/// `$`. No contract uses them.
const START: char = '\u{10F8FE}';
const END: char = '\u{10F8FF}';

/// Any other character.
const OTHER: &str = "[^\u{10F8FE}\u{10F8FF}]";

/// The greatest number of listed texts of a language.
const TEXTS_MAX: usize = 32;

/// The solver's limits of states and time for one question, and the greatest number of patterns.
const STATES_MAX: usize = 20_000;
const MILLISECONDS_MAX: u64 = 200;
const PATTERNS_MAX: usize = 40;

/// The patterns of two schemas that the solver can read.
pub(super) struct Patterns(BTreeMap<String, Pattern>);

struct Pattern {
    language: Term,
    /// The common spelling of equivalent patterns.
    spelling: String,
    /// The schemas whose combination is equivalent to the pattern.
    implied: Vec<Value>,
}

impl Patterns {
    pub(super) fn of(schemas: [&Value; 2]) -> Self {
        let mut all = BTreeSet::new();
        for schema in schemas {
            each_part(&mut schema.clone(), &mut |part| {
                all.extend(part.get("pattern").and_then(Value::as_str).map(str::to_owned));
                let named = part.get("patternProperties").and_then(Value::as_object);
                all.extend(named.into_iter().flat_map(Map::keys).cloned());
            });
        }
        let terms = all.into_iter().take(PATTERNS_MAX);
        let terms: BTreeMap<String, Term> =
            terms.filter_map(|pattern| Some((pattern.clone(), language(&pattern)?))).collect();
        let including = |language: &Term| -> Vec<&String> {
            let within = |(_, other): &(&String, &Term)| is_within(language, other);
            terms.iter().filter(within).map(|(pattern, _)| pattern).collect()
        };
        let including: BTreeMap<&String, Vec<&String>> =
            terms.iter().map(|(pattern, language)| (pattern, including(language))).collect();
        // The first equivalent pattern.
        let spelling = |pattern: &String| -> String {
            let is_equal = |other: &&&String| including[**other].contains(&pattern);
            including[pattern].iter().find(is_equal).map_or(pattern, |other| *other).clone()
        };
        let known = terms.iter().map(|(pattern, language)| {
            let names = including[pattern].iter().map(|other| spelling(other)).collect();
            let implied = implied(language, names);
            let language = language.clone();
            (pattern.clone(), Pattern { language, spelling: spelling(pattern), implied })
        });
        Self(known.collect())
    }

    /// A schema with the implications of its patterns.
    pub(super) fn saturated(&self, schema: &Value) -> Value {
        let mut saturated = schema.clone();
        each_part(&mut saturated, &mut |part| {
            let pattern = part.get("pattern").and_then(Value::as_str);
            if let Some(known) = pattern.and_then(|pattern| self.0.get(pattern))
                && let Value::Array(all) = part.entry("allOf").or_insert(json!([]))
            {
                all.extend(known.implied.iter().cloned());
                part.remove("pattern");
            }
            if let Some(Value::Object(named)) = part.get_mut("patternProperties") {
                let spelling =
                    |name: &String| self.0.get(name).map_or(name, |known| &known.spelling).clone();
                let respelt: Map<String, Value> =
                    named.iter().map(|(name, part)| (spelling(name), part.clone())).collect();
                if respelt.len() == named.len() {
                    *named = respelt;
                }
            }
        });
        saturated
    }

    /// Texts that fit a pattern, and texts that fit one but not another.
    pub(super) fn samples(&self) -> Vec<Value> {
        let languages = || self.0.values().map(|pattern| &pattern.language);
        let difference =
            |(one, other): (&Term, &Term)| profile().run(|| one.difference(other)).ok();
        let pairs = languages().flat_map(|one| languages().map(move |other| (one, other)));
        let differences = pairs.filter_map(difference);
        let of_them = differences.filter_map(|language| texts(&language, 1).pop());
        languages().flat_map(|language| texts(language, 2)).chain(of_them).collect()
    }
}

fn profile() -> ExecutionProfile {
    let profile = ExecutionProfileBuilder::new().max_number_of_states(STATES_MAX);
    profile.execution_timeout(MILLISECONDS_MAX).build()
}

fn is_within(one: &Term, other: &Term) -> bool {
    profile().run(|| one.subset(other)) == Ok(true)
}

/// The first texts of a language.
fn texts(language: &Term, max: usize) -> Vec<Value> {
    let options = GenerationOptions::new();
    let texts = profile().run(|| language.generate_strings(max, 0, options)).unwrap_or_default();
    texts.iter().map(|text| json!(text.trim_matches([START, END]))).collect()
}

/// The schemas whose combination is equivalent to a pattern, given the patterns that include it.
fn implied(language: &Term, including: BTreeSet<String>) -> Vec<Value> {
    // The solver counts the characters before and after a text.
    let (least, greatest) = language.length();
    let [least, greatest] =
        [least, greatest].map(|length| length.map(|length| length.saturating_sub(2)));
    let lengths = json!({ "minLength": least.unwrap_or_default() });
    let mut all = vec![lengths];
    all.extend(greatest.map(|length| json!({ "maxLength": length })));
    let greatest = greatest.map_or(String::new(), |length| length.to_string());
    let any = format!("{START}{OTHER}{{{},{greatest}}}{END}", least.unwrap_or_default());
    let is_of_lengths =
        profile().run(|| Term::from_pattern(&any)).is_ok_and(|any| is_within(&any, language));
    if !is_of_lengths {
        all.extend(including.into_iter().map(|pattern| json!({ "pattern": pattern })));
    }
    let few = texts(language, TEXTS_MAX + 1);
    if profile().run(|| language.is_finite()) == Ok(true) && few.len() <= TEXTS_MAX {
        let others = ["array", "boolean", "null", "number", "object"];
        all.push(json!({ "anyOf": [{ "type": others }, { "enum": few }] }));
    }
    all
}

/// The language of the texts in which the validator finds a pattern.
fn language(pattern: &str) -> Option<Term> {
    let translated = to_rust_regex(pattern).ok()?;
    let (hir, _) = marked(&regex_syntax::parse(&translated).ok()?)?;
    let found = format!("(?:{START}{OTHER}*)?(?:{hir})(?:{OTHER}*{END})?");
    profile().run(|| {
        let texts = Term::from_pattern(&format!("{START}{OTHER}*{END}")).ok()?;
        Term::from_pattern(&found).ok()?.intersection(&[texts]).ok()?.minimize().ok()
    })
}

/// The greatest numbers of `^` and `$` on a path through an expression.
#[derive(Clone, Copy, Default)]
struct Anchors {
    starts: usize,
    ends: usize,
}

/// An expression with a character for each anchor; `None` where that changes the meaning, since an anchor
/// has no width and may match repeatedly.
fn marked(hir: &Hir) -> Option<(Hir, Anchors)> {
    let none = Anchors::default();
    let character = |character: char| Hir::literal(character.to_string().into_bytes());
    Some(match hir.kind() {
        HirKind::Empty => (Hir::empty(), none),
        HirKind::Literal(literal) => {
            let text = std::str::from_utf8(&literal.0).ok()?;
            (!text.contains([START, END])).then(|| (hir.clone(), none))?
        }
        HirKind::Class(class) => {
            let mut unicode = match class {
                Class::Unicode(class) => class.clone(),
                Class::Bytes(class) => class.to_unicode_class()?,
            };
            unicode.difference(&ClassUnicode::new([ClassUnicodeRange::new(START, END)]));
            (Hir::class(Class::Unicode(unicode)), none)
        }
        HirKind::Look(Look::Start) => (character(START), Anchors { starts: 1, ends: 0 }),
        HirKind::Look(Look::End) => (character(END), Anchors { starts: 0, ends: 1 }),
        HirKind::Look(_) => return None,
        HirKind::Capture(capture) => marked(&capture.sub)?,
        HirKind::Repetition(repetition) => {
            let (inner, anchors) = marked(&repetition.sub)?;
            if anchors.starts + anchors.ends > 0 && repetition.max.is_none_or(|max| max > 1) {
                return None;
            }
            let sub = Box::new(inner);
            (Hir::repetition(Repetition { sub, ..repetition.clone() }), anchors)
        }
        HirKind::Concat(parts) => {
            let (mut all, mut passed) = (Vec::new(), none);
            for part in parts {
                let (part, anchors) = marked(part)?;
                let is_behind_an_end = passed.ends > 0 && anchors.starts + anchors.ends > 0;
                if is_behind_an_end || passed.starts > 0 && anchors.starts > 0 {
                    return None;
                }
                passed.starts += anchors.starts;
                passed.ends += anchors.ends;
                all.push(part);
            }
            (Hir::concat(all), passed)
        }
        HirKind::Alternation(parts) => {
            let parts: Option<Vec<_>> = parts.iter().map(marked).collect();
            let (all, anchors): (Vec<Hir>, Vec<Anchors>) = parts?.into_iter().unzip();
            let most = |of: fn(&Anchors) -> usize| anchors.iter().map(of).max().unwrap_or_default();
            let (starts, ends) = (most(|anchors| anchors.starts), most(|anchors| anchors.ends));
            (Hir::alternation(all), Anchors { starts, ends })
        }
    })
}
