//! The contract's tests: every case, three ways, and what keeps the contract whole.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without ends it there")]

mod apart;
mod broken;
mod cases;
mod clients;
mod conformance;
mod connections;
mod contract;
mod coverage;
mod crashes;
mod decision_table;
mod decisions;
mod diff;
mod door;
mod dynamodb;
mod embedded;
mod endpoint;
mod events;
mod fuzz;
mod hostile;
mod installed;
mod interruptions;
mod linearizability;
mod openapi;
mod places;
mod policies;
mod precedence;
mod proofs;
mod races;
mod readme;
mod record;
mod retries;
mod schemas;
mod second_runner;
mod secrets;
mod signatures;
mod store;
mod stores;
mod support;
mod template;
mod tightness;
mod trouble;
mod verify;
mod worlds;
mod wrong_answers;
