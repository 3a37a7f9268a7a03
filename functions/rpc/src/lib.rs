#![doc = include_str!("../README.md")]

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
