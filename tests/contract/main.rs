//! The contract's tests: every case, three ways, and what keeps the contract whole.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without ends it there")]

mod access;
mod apart;
mod audit;
mod broken;
mod cases;
mod connections;
mod contract;
mod coverage;
mod crashes;
mod decision_table;
mod decisions;
mod diff;
mod door;
mod embedded;
mod endpoint;
mod events;
mod failed_write;
mod faults;
mod fuzz;
mod hostile;
mod inclusion;
mod limits;
mod linearizability;
mod openapi;
mod places;
mod policies;
mod precedence;
mod proofs;
mod races;
mod reading;
mod readme;
mod record;
mod review;
mod schemas;
mod secrets;
mod signatures;
mod store;
mod stores;
mod template;
mod three_places;
mod tightness;
mod verify;
mod worlds;
mod wrong_answers;
