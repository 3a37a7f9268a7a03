//! Coverage as a self-contained HTML page.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Row;

const STYLE: &str = "
:root { color-scheme: light dark; --line: light-dark(#ccc, #444); --bad: light-dark(#b00020, #ff8a80); }
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .4rem .6rem; text-align: left; vertical-align: top; }
th, td { overflow-wrap: anywhere; }
.bad { color: var(--bad); font-weight: bold; }
.says { display: block; font-size: .85rem; opacity: .8; }
summary { cursor: pointer; }
ul { margin: .3rem 0; padding-left: 1.2rem; }
@media (max-width: 48rem) {
  body { margin: 1rem auto; }
  h1 { overflow-wrap: anywhere; }
  thead { display: none; }
  table, tbody, tr, th, td { display: block; }
  tr { border-bottom: 1px solid var(--line); padding: .4rem 0; }
  th, td { border: 0; padding: .1rem 0; }
  td::before { content: attr(data-of) ': '; opacity: .8; }
  details { display: inline-block; vertical-align: top; }
}
";

pub(super) fn page(rows: &[Row], contract: &str) -> String {
    let proved = rows.iter().filter(|row| row.lacks().is_empty()).count();
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "contract coverage" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header {
                    h1 { "contract coverage " code { (contract) } }
                    p { (proved) " of " (rows.len()) " rows are proved" }
                }
                main {
                    table {
                        thead {
                            tr {
                                th scope="col" { "row" }
                                th scope="col" { "cases" }
                                th scope="col" { "reviewed answers" }
                                th scope="col" { "schema" }
                            }
                        }
                        tbody { @for row in rows { (shown(row)) } }
                    }
                }
            }
        }
    };
    page.into_string()
}

fn shown(row: &Row) -> Markup {
    let lists = [("cases", &row.cases), ("snapshots", &row.snapshots), ("schemas", &row.schemas)];
    html! {
        tr id=(row.id) {
            th scope="row" { code { (row.id) } span class="says" { (row.says) } }
            @for (name, list) in lists {
                td data-of=(name) {
                    @if row.lacks().contains(&name) { span class="bad" { "none" } }
                    @match &list[..] {
                        [] => {},
                        [one] => (one),
                        more => details {
                            summary { (more.len()) }
                            ul { @for one in more { li { (one) } } }
                        },
                    }
                }
            }
        }
    }
}
