//! The command `contract`: what it takes, and the codes it ends with.

use std::io::Write as _;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{Parser, Subcommand};

use crate::contract::Contract;
use crate::secrets::Blot;
use crate::shown;
use crate::{call, coverage, diff, fuzz, lint, list, openapi, record, review, unpack, verify};

/// What a subcommand found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All is as it should be.
    Holds,
    /// Something is not.
    Fails,
    /// Some of it could not be judged, and the rest is as it should be.
    Unjudged,
}

/// Checks endpoints against the contract of an operation of Alibaba Cloud's VPC API, and shows what a
/// change to the contract means.
#[derive(Debug, Parser)]
#[command(
    name = "contract",
    version,
    after_help = "Exit codes: 0 all holds, 1 something does not, 2 it could not be run or judged, \
                  3 it was called in a way that it does not take."
)]
struct Command {
    /// The contract's folder, or a git revision that has one: main, main:own, HEAD:./own; without it the
    /// contract that is part of this program
    #[arg(long, global = true, value_name = "PLACE")]
    contracts: Option<String>,
    #[command(subcommand)]
    subcommand: Sub,
}

#[derive(Debug, Subcommand)]
enum Sub {
    Call(Box<call::Options>),
    Coverage(coverage::Options),
    Diff(diff::Options),
    Fuzz(fuzz::Options),
    Lint(lint::Options),
    List(list::Options),
    Openapi(openapi::Options),
    Record(Box<record::Options>),
    Review(review::Options),
    Unpack(unpack::Options),
    Verify(Box<verify::Options>),
}

impl Sub {
    async fn run(self, contract: Contract) -> Result<Outcome, String> {
        match self {
            Self::Unpack(options) => std::future::ready(unpack::run(&options, &contract)).await,
            Self::Verify(options) => verify::run(*options, contract).await,
            Self::Call(options) => call::run(*options, contract).await,
            Self::Record(options) => record::run(*options, contract).await,
            Self::Diff(options) => std::future::ready(diff::run(&options, &contract)).await,
            Self::Fuzz(options) => fuzz::run(options, contract).await,
            Self::Coverage(options) => std::future::ready(coverage::run(&options, &contract)).await,
            Self::Openapi(options) => std::future::ready(openapi::run(&options, &contract)).await,
            Self::Review(options) => std::future::ready(review::run(&options, &contract)).await,
            Self::Lint(options) => std::future::ready(lint::run(&options, &contract)).await,
            Self::List(options) => std::future::ready(list::run(&options, &contract)).await,
        }
    }
}

/// Runs the command that the process was called with.
#[must_use]
pub fn main() -> ExitCode {
    let Command { contracts, subcommand } = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // If this cannot be printed there is nowhere to say so.
            drop(error.print());
            return if error.use_stderr() { ExitCode::from(3) } else { ExitCode::SUCCESS };
        }
    };
    let contract = match contracts {
        None => Ok(Contract::embedded()),
        // It tells of everything that is wrong, not of the first only.
        Some(place) if matches!(subcommand, Sub::Lint(_)) => Contract::open(&place),
        Some(place) => Contract::open(&place).and_then(Contract::checked),
    };
    let outcome = contract.and_then(|contract| {
        let runtime = tokio::runtime::Runtime::new().map_err(|error| error.to_string())?;
        runtime.block_on(subcommand.run(contract))
    });
    match outcome {
        Ok(Outcome::Holds) => ExitCode::SUCCESS,
        Ok(Outcome::Fails) => ExitCode::from(1),
        Ok(Outcome::Unjudged) => ExitCode::from(2),
        Err(message) => {
            print_error(&format!("error: {message}"));
            ExitCode::from(2)
        }
    }
}

/// Prints a line to standard error. If that cannot be written there is nowhere to say so.
pub(crate) fn print_error(text: &str) {
    drop(writeln!(std::io::stderr(), "{}", shown::plain(&Blot::of_known().apply(text))));
}

/// Prints a text of lines as [`print_document`] does, and to standard error.
pub(crate) fn print_document_error(text: &str) {
    let text = document(text, AutoStream::choice(&std::io::stderr()));
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Prints a text for people to standard output.
///
/// # Errors
///
/// The system's. A reader that has gone away is none.
pub(crate) fn print(text: &str) -> Result<(), String> {
    print_as_is(&shown::plain(&Blot::of_known().apply(text)))
}

/// Prints a text in which invisible characters are escaped already: one with colours, or a document.
///
/// # Errors
///
/// As [`print`].
pub(crate) fn print_document(text: &str) -> Result<(), String> {
    print_as_is(&document(text, AutoStream::choice(&std::io::stdout())))
}

fn document(text: &str, colors: ColorChoice) -> String {
    if colors != ColorChoice::Never {
        return shown::without_commands(text);
    }
    // A colour may hide a command until it is taken away.
    shown::without_commands(&anstream::adapter::strip_str(text).to_string())
}

/// Prints what a program reads: annotations, a command for a shell.
///
/// # Errors
///
/// As [`print`].
pub(crate) fn print_as_is(text: &str) -> Result<(), String> {
    match anstream::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(format!("standard output: {error}"))
        }
        Ok(()) | Err(_) => Ok(()),
    }
}
