#![doc = include_str!("../README.md")]
//!
//! ## As a library
//!
//! ```
//! use harness::contract::Contract;
//!
//! # fn main() -> harness::Result<()> {
//! let contract = Contract::embedded();
//! for case in contract.cases()?.iter().filter(|case| case.group() == "MissingBandwidth") {
//!     println!("{}: {}", case.path, case.description);
//! }
//! # Ok(())
//! # }
//! ```

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
mod error;
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

pub use error::{Error, Result};
