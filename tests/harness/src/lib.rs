//! The harness: sends a contract's cases to a target and judges the answers.
//!
//! It shares no code with what it judges: requests are signed ([`client`]) and answers read
//! ([`answer`]) by a second reading of the vendor's pages. A target ([`target`]) is the function in
//! process, an endpoint over a socket, or the built `bootstrap` under a Runtime API emulation.

pub mod answer;
pub mod call;
pub mod case;
pub mod client;
pub mod command;
pub mod contract;
pub mod coverage;
pub mod credentials;
pub mod decisions;
pub mod diff;
pub mod file;
pub mod fuzz;
pub mod http;
pub mod json;
pub mod judge;
pub mod lint;
pub mod list;
pub mod openapi;
pub mod operations;
pub mod placeholder;
pub mod record;
mod repository;
pub mod review;
pub mod secrets;
pub mod shown;
mod signals;
pub mod target;
pub mod unpack;
pub mod verify;
pub mod world;
