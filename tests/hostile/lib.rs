//! Hostile input: the promises that hold for every input.
//!
//! Each target hands bytes to the code under test and panics where a promise is broken. The fuzzers in `tests/fuzz` and the contract's tests run the same targets.
//! Requests are signed, decoded and understood here by a second reading of the vendor's pages.

mod authorization;
mod canonical;
mod change;
mod decoding;
mod document;
mod event;
mod function;
mod gateway;
mod meaning;
mod plan;
mod policy;
pub mod seeds;
mod sent;
mod server;
mod verdict;

pub use change::{Change, Verb};
pub use function::try_plan;
pub use plan::{Plan, Shape, Style};
pub use sent::KEYS;

/// A promise to try inputs on.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// The name of the target, of its fuzzer and of its corpus.
    pub name: &'static str,
    /// Tries one input, and panics where it breaks a promise.
    pub run: fn(&[u8]),
}

/// Every target.
pub const TARGETS: [Target; 8] = [
    Target { name: "query_and_form", run: decoding::query_and_form },
    Target { name: "v1_canonical", run: canonical::v1_canonical },
    Target { name: "v3_canonical", run: canonical::v3_canonical },
    Target { name: "authorization_header", run: authorization::authorization_header },
    Target { name: "event", run: event::event },
    Target { name: "policy", run: policy::policy },
    Target { name: "world", run: document::world },
    Target { name: "function", run: function::function },
];

/// Tries one input of the target called `name`.
///
/// # Panics
///
/// A promise is broken, or there is no such target.
pub fn run(name: &str, input: &[u8]) {
    let target = TARGETS.iter().find(|target| target.name == name);
    (target.unwrap_or_else(|| panic!("no target is called {name}")).run)(input);
}
