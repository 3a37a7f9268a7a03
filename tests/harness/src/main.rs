//! The command `contract`.

use std::process::ExitCode;

fn main() -> ExitCode {
    harness::command::main()
}
