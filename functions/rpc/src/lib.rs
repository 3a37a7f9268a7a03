//! Alibaba Cloud RPC-style calls: what a request says, who signed it, and how an answer looks.
//!
//! It reads the parameters of a call wherever a client put them ([`Call`]), verifies signatures of
//! both kinds ([`signature`]), knows the errors that every action shares ([`error`]) and how
//! large a request may be ([`limits`]), and writes answers as JSON and XML ([`Envelope`]). It knows no operation, does no I/O and reads no clock.

mod call;
mod encoding;
pub mod error;
pub mod limits;
mod members;
mod parameters;
mod request;
mod response;
pub mod signature;
mod timestamp;

pub use call::{Api, Call, Style};
pub use encoding::percent_encode;
pub use error::{Error, ErrorCode};
pub use members::Members;
pub use parameters::Parameters;
pub use request::{Request, header_name};
pub use response::{Envelope, ErrorResponse, Format, Response};
pub use timestamp::{format_timestamp, parse_timestamp};
