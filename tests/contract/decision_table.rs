//! The decision table as data: it fits its schema, has one row for each combination, and is the
//! source of the table for readers. The suites try each cell.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use harness::contract::Contract;
use harness::judge::validator;
use serde_json::Value;
use suites::decision_table::{Cell, Pair, Row, Table, text};
use suites::support::{ALLOCATE, documented};

/// The columns, in the order in which they are shown.
const COLUMNS: [&str; 4] = ["token", "parameters", "address", "caller"];

/// The values of each column, in the order in which they are shown.
const VALUES: [&[&str]; 4] = [
    &["none", "new", "remembered", "expired"],
    &["same", "same by default", "different"],
    &["free", "taken by this token", "taken by another", "unstable", "gone"],
    &["same account", "other account"],
];

#[test]
fn the_table_fits_its_schema_and_names_existing_codes_and_decisions() {
    let value: Value = serde_json::from_str(&text("json").unwrap()).unwrap();
    let schema = validator(&Contract::embedded(), "common/schemas/decision-table.json").unwrap();
    assert_eq!(schema.validate(&value).map_err(|error| error.to_string()), Ok(()));
    let (documented, ledger) = (documented(), crate::decisions::ledger());
    for row in Table::read().rows {
        if let Some(id) = &row.decision {
            assert!(ledger.contains(id), "{id} is not in the ledger");
        }
        let answer = row.answer.as_deref().unwrap_or("Replayed");
        let is_success = matches!(answer, "Allocated" | "Replayed");
        assert!(is_success || documented.contains_key(answer), "{answer} is not documented");
        if let Some(after) = &row.after {
            assert_eq!(after == "one bandwidth", answer == "Allocated", "{row:?}");
        }
    }
}

#[test]
fn each_of_the_120_combinations_is_covered_by_one_row() {
    let mut covered: BTreeMap<Cell, usize> = BTreeMap::new();
    for row in Table::read().rows {
        for cell in row.cells() {
            *covered.entry(cell).or_default() += 1;
        }
    }
    let values = VALUES.map(|values| values.iter().copied().map(str::to_owned).collect());
    let [token, parameters, address, caller] = values;
    let (answer, after, impossible, page, decision) = (None, None, None, None, None);
    let all = Row { token, parameters, address, caller, answer, after, impossible, page, decision };
    for cell in all.cells() {
        assert_eq!(covered.remove(&cell), Some(1), "{cell:?}");
    }
    assert!(covered.is_empty(), "{covered:?}");
    assert_eq!(all.cells().len(), 120);
}

/// The table for readers.
fn render(table: &Table) -> String {
    let mut text = format!("# Decision table of {ALLOCATE}\n\n");
    text.push_str("<!-- Made from decision-table.json by the tests. Do not edit. -->\n\n");
    writeln!(text, "{}\n", table.description).unwrap();
    for (column, values) in COLUMNS.into_iter().zip(VALUES) {
        writeln!(text, "**{column}**\n").unwrap();
        for value in values {
            writeln!(text, "- {value}: {}", table.columns[column][*value]).unwrap();
        }
        text.push('\n');
    }
    text.push_str("**parameters, as they are tried**: the earlier call, and the one now\n\n");
    for value in VALUES[1] {
        for Pair { earlier, now } in &table.calls[*value] {
            let message = |parameters: &BTreeMap<String, String>| {
                let each = parameters.iter().map(|(name, value)| format!("`{name}={value}`"));
                each.collect::<Vec<_>>().join(" ")
            };
            writeln!(text, "- {value}: {}, then {}", message(earlier), message(now)).unwrap();
        }
    }
    text.push_str("\n| token | parameters | address | caller | answer | afterwards | because |\n");
    text.push_str("| --- | --- | --- | --- | --- | --- | --- |\n");
    for row in &table.rows {
        for (column, values) in row.columns().into_iter().zip(VALUES) {
            let is_any = column.len() == values.len();
            let shown = if is_any { "any".to_owned() } else { column.join(", ") };
            write!(text, "| {shown} ").unwrap();
        }
        let answer = row.answer.as_deref().unwrap_or("impossible");
        let after = row.after.as_deref().unwrap_or_default();
        let because = row.impossible.clone().unwrap_or_else(|| row.rests_on());
        writeln!(text, "| {answer} | {after} | {because} |").unwrap();
    }
    text
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test has no main to read the environment in")]
fn the_table_for_readers_is_made_from_the_data() {
    let rendered = render(&Table::read());
    if std::env::var("RENEW").is_ok() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../contracts").join(ALLOCATE);
        std::fs::write(folder.join("decision-table.md"), &rendered).unwrap();
        return;
    }
    assert!(
        text("md").unwrap_or_default() == rendered,
        "contracts/{ALLOCATE}/decision-table.md differs from decision-table.json. To renew it:\n\
         RENEW=1 cargo test -p contract-tests the_table_for_people"
    );
}
