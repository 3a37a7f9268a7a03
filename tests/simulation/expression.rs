//! The expressions that the store sends to `DynamoDB`: comparisons joined by `AND` and `OR`, and an
//! update by `ADD` and `SET`.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::AttributeValue;

/// An item, or the values that an expression names.
pub(crate) type Item = HashMap<String, AttributeValue>;

/// Whether a condition holds for `item`, or for an absent one.
pub(crate) fn holds(condition: Option<&str>, item: Option<&Item>, values: Option<&Item>) -> bool {
    let term_holds = |term: &str| {
        let attribute = |name: &str| item.and_then(|item| item.get(name));
        if let Some(name) = term.strip_prefix("attribute_not_exists(") {
            return attribute(name.trim_end_matches(')')).is_none();
        }
        let [name, operator, value] = words(term);
        let value = number(values.and_then(|values| values.get(value)));
        let Some(attribute) = attribute(name) else { return false };
        let attribute = number(Some(attribute));
        match operator {
            "=" => attribute == value,
            "<" => attribute < value,
            "<=" => attribute <= value,
            _ => panic!("the model does not know {operator} in {term}"),
        }
    };
    condition.is_none_or(|condition| {
        condition.split(" OR ").any(|terms| terms.split(" AND ").all(term_holds))
    })
}

/// Applies an update of the form `ADD name value SET name = value, …`.
pub(crate) fn update(item: &mut Item, expression: &str, values: &Item) {
    let (add, set) = expression.split_once(" SET ").expect("an update adds and sets");
    let [_, name, value] = words(add);
    let sum = item.get(name).map_or(0, |now| number(Some(now))) + number(values.get(value));
    item.insert(name.to_owned(), AttributeValue::N(sum.to_string()));
    for assignment in set.split(", ") {
        let [name, _, value] = words(assignment);
        item.insert(name.to_owned(), values[value].clone());
    }
}

/// A number of an item.
pub(crate) fn number(value: Option<&AttributeValue>) -> u64 {
    let text = value.and_then(|value| value.as_n().ok());
    text.and_then(|text| text.parse().ok()).expect("an attribute is a number")
}

fn words(text: &str) -> [&str; 3] {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.try_into().expect("an expression has three words")
}
