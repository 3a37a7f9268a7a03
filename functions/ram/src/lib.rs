#![doc = include_str!("../README.md")]

mod condition;
mod evaluation;
mod one_or_many;
mod pattern;
mod policy;
mod text;

pub use evaluation::{AccessRequest, Arn, Context, Decision, evaluate};
pub use policy::Policy;
