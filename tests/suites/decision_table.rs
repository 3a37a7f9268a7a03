//! The decision table: the answer to a call, by its token, its parameters, its address and its
//! account. All combinations are covered, and each is tried.

mod place;
mod play;

use std::collections::BTreeMap;

use ::store::Store;
use serde::Deserialize;

use crate::support::{ALLOCATE, Clients, endpoint};
use place::{InProcess, OverHttp};

#[derive(Debug, Deserialize)]
pub struct Table {
    pub description: String,
    pub columns: BTreeMap<String, BTreeMap<String, String>>,
    pub calls: BTreeMap<String, Vec<Pair>>,
    pub rows: Vec<Row>,
}

/// The parameters of two calls beyond region, address and token.
#[derive(Clone, Debug, Deserialize)]
pub struct Pair {
    pub earlier: BTreeMap<String, String>,
    pub now: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Row {
    pub token: Vec<String>,
    pub parameters: Vec<String>,
    pub address: Vec<String>,
    pub caller: Vec<String>,
    pub answer: Option<String>,
    pub after: Option<String>,
    pub impossible: Option<String>,
    pub page: Option<String>,
    pub decision: Option<String>,
}

/// One combination.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    pub token: String,
    pub parameters: String,
    pub address: String,
    pub caller: String,
}

pub fn text(extension: &str) -> Option<String> {
    contracts::text(&format!("{ALLOCATE}/decision-table.{extension}"))
}

impl Table {
    pub fn read() -> Self {
        serde_json::from_str(&text("json").unwrap()).unwrap()
    }
}

impl Row {
    pub fn columns(&self) -> [&[String]; 4] {
        [&self.token, &self.parameters, &self.address, &self.caller]
    }

    /// The combinations that the row covers.
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        for token in &self.token {
            for parameters in &self.parameters {
                for address in &self.address {
                    for caller in &self.caller {
                        let [token, parameters, address, caller] =
                            [token, parameters, address, caller].map(String::clone);
                        cells.push(Cell { token, parameters, address, caller });
                    }
                }
            }
        }
        cells
    }

    pub fn rests_on(&self) -> String {
        let page = self.page.as_ref().map(|page| format!("page: \"{page}\""));
        let decision = self.decision.as_ref().map(|id| format!("decision `{id}`"));
        [page, decision].into_iter().flatten().collect::<Vec<_>>().join("; ")
    }
}

pub async fn every_cell_holds<S: Store + 'static>(clients: Clients<S>) {
    play::every_cell(&Table::read(), &mut InProcess::over(clients)).await;
}

/// Over a socket, to an endpoint started with `arguments`.
pub async fn every_cell_holds_over_http(arguments: &[&str]) {
    let mut place = OverHttp::at(endpoint(arguments).await);
    play::every_cell(&Table::read(), &mut place).await;
}
