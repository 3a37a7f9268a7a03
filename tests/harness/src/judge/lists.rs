//! The demands on every list, whatever the call selects.

use serde_json::Value;

use super::findings::Findings;
use crate::world::{View, members};

/// Judges the list in an answer of an operation that lists: it has documents of the caller's account and
/// region, in the order of their ids, with the values in the world; and all of them if the call selects none.
pub(crate) fn judge_list(all: &mut Findings, view: &View<'_>, elements: &Value) {
    let Some(lists) = &view.operation().lists else { return };
    let documents = &view.seen()["account"][&lists.kind];
    let never = jsonschema::draft202012::new(&lists.never).ok();
    let is_listed = |document: &Value| {
        document["RegionId"].as_str() == view.parameter("RegionId")
            && never.as_ref().is_none_or(|never| !never.is_valid(document))
    };
    let listed = elements.pointer(&lists.elements).and_then(Value::as_array);
    let mut before = "";
    for element in listed.into_iter().flatten() {
        let id = element[&lists.id].as_str().unwrap_or_default();
        if id <= before {
            all.add("list", "documents in the order of their ids, each once", id);
        }
        before = id;
        let document = &documents[id];
        if !is_listed(document) {
            all.add("list", "documents of the caller's account and region", id);
        }
        for (name, expected) in members(document) {
            let actual = element.get(name).filter(|_| expected.is_string());
            if actual.is_some_and(|actual| actual != expected) {
                all.add(format!("list/{id}/{name}"), expected, &element[name]);
            }
        }
    }
    let chooses = |name: &str| {
        let parameters = &view.operation().parameters;
        let is_known = parameters.iter().any(|known| known.is_named(name));
        is_known && name != "RegionId" && !lists.paging.iter().any(|paging| paging == name)
    };
    let is_whole = members(&view.seen()["parameters"]).all(|(name, _)| !chooses(name));
    let total = members(documents).filter(|(_, document)| is_listed(document)).count();
    let actual = elements[&lists.total].as_u64();
    if is_whole && actual != Some(total as u64) {
        all.add(format!("body/{}", lists.total), total, &elements[&lists.total]);
    }
}
