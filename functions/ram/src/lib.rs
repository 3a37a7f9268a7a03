//! RAM policies: whether those that hold for a caller let it make a request.
//!
//! The vendor's policy language, version 1 (decision `ram-language`), and the evaluation of a set
//! of policies (decision `ram-evaluation`); start with [`evaluate`]. It does no I/O, reads no clock
//! and knows no operation. A malformed policy cannot be had: a [`Policy`] comes from a document
//! alone, and is checked while that is read, each member in its place, so that an error tells line
//! and field.

mod condition;
mod evaluation;
mod one_or_many;
mod pattern;
mod policy;
mod text;

pub use evaluation::{AccessRequest, Arn, Context, Decision, evaluate};
pub use policy::Policy;
