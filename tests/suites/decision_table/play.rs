//! Tries the cells of the decision table in one world: each cell has an address and tokens of its
//! own.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use harness::answer::Answer;
use serde_json::{Value, json};

use super::place::{OWNER, Place, STRANGER};
use super::{Cell, Table};
use crate::support::{Outcome, allocate, outcome, sign};
use crate::worlds::{account, addresses};

const DAY_SECS: u64 = 24 * 60 * 60;

/// One try of a cell.
struct Try {
    cell: Cell,
    earlier: BTreeMap<String, String>,
    now: BTreeMap<String, String>,
    expected: String,
    number: usize,
    /// The answer to the earlier call with this token.
    answered: Option<Answer>,
}

impl Try {
    fn address(&self) -> String {
        format!("ipv6-{}", self.number)
    }

    /// The token of the cell, and that of another call.
    fn tokens(&self) -> [String; 2] {
        ["token", "another"].map(|token| format!("{token}-{}", self.number))
    }

    /// Whether there is an earlier call with this token.
    fn has_earlier(&self) -> bool {
        matches!(self.cell.token.as_str(), "remembered" | "expired")
    }

    fn call(&self, parameters: &BTreeMap<String, String>, token: Option<&str>) -> Value {
        let mut request = allocate(&self.address());
        for (name, value) in parameters {
            request["query"][name] = value.as_str().into();
        }
        if let Some(token) = token {
            request["query"]["ClientToken"] = token.into();
        }
        request
    }

    /// The call that is judged.
    fn judged(&self) -> Value {
        let [token, _] = self.tokens();
        let token = (self.cell.token != "none").then_some(token.as_str());
        let mut request = self.call(&self.now, token);
        if self.cell.caller == "other account" {
            request["accessKeyId"] = "other".into();
        }
        request
    }

    /// Changes the address from the state after the earlier call to that of the cell, as far as no
    /// call can.
    fn change(&self, address: &mut Value) {
        let fields = address.as_object_mut().unwrap();
        match self.cell.address.as_str() {
            "taken by this token" => return,
            "unstable" => {
                fields.insert("Status".to_owned(), "Pending".into());
                return;
            }
            "gone" => {
                fields.insert("Status".to_owned(), "Released".into());
            }
            _ => {}
        }
        fields.remove("Ipv6InternetBandwidth");
    }

    /// The parts of the world that belong to this try: the address, and the tokens of both
    /// accounts.
    fn part_of(&self, world: &Value) -> (Value, Vec<(String, Value)>) {
        let accounts = world["Accounts"].as_object().unwrap();
        let address = world["Accounts"][OWNER]["Ipv6Addresses"][self.address()].clone();
        let all = accounts.values().filter_map(|account| account["ClientTokens"].as_object());
        let own = self.tokens();
        let tokens = all.flatten().filter_map(|(id, kept)| {
            let token = id.rsplit('/').next().unwrap().to_owned();
            own.contains(&token).then(|| (token, kept.clone()))
        });
        (address, tokens.collect())
    }

    /// Judges the answer and the world after it; the error says what is wrong.
    fn judge(&self, answer: &Answer, before: &Value, after: &Value) -> Result<(), String> {
        let id = |answer: &Answer, name| answer.read().unwrap().text(name).unwrap().to_owned();
        let got = outcome(answer);
        let (before, after) = (self.part_of(before), self.part_of(after));
        let earlier = self.answered.as_ref();
        match (self.expected.as_str(), &got) {
            ("Allocated", Outcome::Bought(new)) => {
                if earlier.is_some_and(|earlier| id(earlier, "InternetBandwidthId") == *new) {
                    return Err("that of the earlier call again".to_owned());
                }
                return self.judge_bandwidth(new, &after);
            }
            ("Replayed", Outcome::Bought(same)) => {
                let earlier = earlier.unwrap();
                let is_same = id(earlier, "InternetBandwidthId") == *same
                    && id(earlier, "Ipv6AddressId") == id(answer, "Ipv6AddressId");
                if !is_same || id(earlier, "RequestId") == id(answer, "RequestId") {
                    return Err(format!("{earlier:?}\nand then {answer:?}"));
                }
            }
            (code, Outcome::Refused(refused)) if code == refused => {}
            _ => return Err(format!("{got:?}")),
        }
        if before == after {
            return Ok(());
        }
        Err(format!("the world has changed from {before:?} to {after:?}"))
    }

    /// Checks that the address has the requested bandwidth, and that the token remembers it.
    fn judge_bandwidth(
        &self,
        id: &str,
        after: &(Value, Vec<(String, Value)>),
    ) -> Result<(), String> {
        let held = &after.0["Ipv6InternetBandwidth"];
        let charge_type = self.now.get("InternetChargeType").map_or("PayByBandwidth", |t| t);
        let is_held = held["Ipv6InternetBandwidthId"] == id
            && held["InternetChargeType"] == charge_type
            && Some(held["Bandwidth"].clone()) == self.now["Bandwidth"].parse().ok();
        let [token, _] = self.tokens();
        let mut tokens = after.1.iter().filter(|(kept, _)| *kept == token);
        let is_told = match tokens.next() {
            None => self.cell.token == "none",
            Some((_, kept)) => {
                kept["Answer"]["InternetBandwidthId"] == id && tokens.next().is_none()
            }
        };
        if is_held && is_told { Ok(()) } else { Err(format!("afterwards: {after:?}")) }
    }
}

fn tries(table: &Table) -> Vec<Try> {
    let mut tries = Vec::new();
    for row in &table.rows {
        let Some(answer) = &row.answer else { continue };
        for cell in row.cells() {
            for pair in table.calls[&cell.parameters].clone() {
                tries.push(Try {
                    cell: cell.clone(),
                    earlier: pair.earlier,
                    now: pair.now,
                    expected: answer.clone(),
                    number: tries.len() + 1,
                    answered: None,
                });
            }
        }
    }
    tries
}

/// The world of all tries before the first call, with an account that owns nothing.
fn world(tries: &[Try]) -> Value {
    let mut world = addresses(1..=tries.len());
    for address in account(&mut world)["Ipv6Addresses"].as_object_mut().unwrap().values_mut() {
        address["AssociatedInstanceType"] = "NetworkInterface".into();
        address["AssociatedInstanceId"] = "eni-1".into();
    }
    world["Accounts"][STRANGER] = json!({
        "AccessKeys": { "other": { "AccessKeySecret": "testsecret" } },
        "Billing": { "CdtStatus": "Upgraded", "SaleStatus": "Allowed" }
    });
    world
}

/// Tries every cell that is possible.
pub(super) async fn every_cell(table: &Table, place: &mut impl Place) {
    let mut tries = tries(table);
    let tokens: Vec<String> = tries.iter().flat_map(Try::tokens).collect();
    place.begin(&world(&tries), &tokens).await;
    // The earlier calls, those whose tokens expire first.
    for token in ["expired", "remembered"] {
        for case in tries.iter_mut().filter(|case| case.cell.token == token) {
            let request = case.call(&case.earlier, Some(&case.tokens()[0]));
            let answer = place.send(&sign(&request, place.now_secs())).await;
            assert_eq!(answer.status, 200, "{answer:?}");
            case.answered = Some(answer);
        }
        if token == "expired" {
            place.wait(DAY_SECS).await;
        }
    }
    // From the state after the calls to the states of the cells.
    let mut world = place.world().await;
    for case in &tries {
        case.change(&mut account(&mut world)["Ipv6Addresses"][case.address()]);
    }
    place.change(&world).await;
    for case in tries.iter().filter(|case| case.cell.address == "taken by another") {
        let request = case.call(&case.earlier, Some(&case.tokens()[1]));
        let answer = place.send(&sign(&request, place.now_secs())).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }
    let before = place.world().await;
    let mut answers = Vec::new();
    for case in &tries {
        assert_eq!(case.has_earlier(), case.answered.is_some());
        answers.push(place.send(&sign(&case.judged(), place.now_secs())).await);
    }
    let after = place.world().await;
    let mut report = String::new();
    for (case, answer) in tries.iter().zip(&answers) {
        if let Err(finding) = case.judge(answer, &before, &after) {
            let Try { cell, expected, now, .. } = case;
            writeln!(report, "{cell:?}, saying {now:?}\n  expected: {expected}\n  {finding}")
                .unwrap();
        }
    }
    assert!(report.is_empty(), "of {} tries:\n{report}", tries.len());
}
