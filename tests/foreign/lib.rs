//! The tools that tests of this package need, and what it installs for them.

#![expect(clippy::unwrap_used, reason = "what a test cannot go on without ends it there")]

pub mod dynamodb_local;
pub mod tools;
