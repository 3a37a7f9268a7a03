//! The command `contract`: its arguments, its output and its exit codes.

use std::io::Write as _;
use std::process::ExitCode;

use anstream::{AutoStream, ColorChoice};
use clap::{Parser, Subcommand};

use crate::contract::Contract;
use crate::error::{At as _, Error, Result};
use crate::secrets::Blot;
use crate::shown;
use crate::{call, coverage, diff, fuzz, lint, list, openapi, record, review, unpack, verify};

/// What a subcommand found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything is right.
    Holds,
    /// Something is wrong.
    Fails,
    /// Some cases could not be judged; the others hold.
    Unjudged,
}

/// Checks endpoints against the contract of operations of Alibaba Cloud's VPC API, and explains changes to
/// the contract.
#[derive(Debug, Parser)]
#[command(
    name = "contract",
    version,
    after_help = "Exit codes: 0 everything holds, 1 something does not hold, 2 the command could not run or \
                  judge, 3 the arguments are wrong."
)]
struct Command {
    /// The contract: a folder, or a git revision (main, main:own, HEAD:./own) [default: the contract in
    /// this program]
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
    async fn run(self, contract: Contract) -> Result<Outcome> {
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

/// What `contract` exits with if its arguments are wrong.
const USAGE: u8 = 3;

/// What `contract` exits with after a subcommand.
fn exit_code(outcome: &Result<Outcome>) -> u8 {
    match outcome {
        Ok(Outcome::Holds) => 0,
        Ok(Outcome::Fails) => 1,
        Ok(Outcome::Unjudged) | Err(_) => 2,
    }
}

/// Runs the command of the process's arguments.
#[must_use]
pub fn main() -> ExitCode {
    let Command { contracts, subcommand } = match Command::try_parse() {
        Ok(command) => command,
        Err(error) => {
            // If this cannot be printed, nothing else can.
            drop(error.print());
            return if error.use_stderr() { USAGE.into() } else { ExitCode::SUCCESS };
        }
    };
    let contract = match contracts {
        None => Ok(Contract::embedded()),
        // `lint` lists every problem itself.
        Some(place) if matches!(subcommand, Sub::Lint(_)) => Contract::open(&place),
        Some(place) => Contract::open(&place).and_then(Contract::checked),
    };
    let outcome = contract.and_then(|contract| {
        let runtime = tokio::runtime::Runtime::new()?;
        runtime.block_on(subcommand.run(contract))
    });
    match &outcome {
        Ok(_) => {}
        Err(Error::Ambiguous(problems)) => {
            for problem in problems {
                print_error(&format!("error: {problem}"));
            }
        }
        Err(error) => print_error(&format!("error: {error}")),
    }
    exit_code(&outcome).into()
}

/// Prints a line to standard error. A failure of standard error itself is not reported.
pub(crate) fn print_error(text: &str) {
    drop(writeln!(std::io::stderr(), "{}", shown::plain(&Blot::of_known().apply(text))));
}

/// Prints a text as [`print_document`] does, but to standard error.
pub(crate) fn print_document_error(text: &str) {
    let text = document(text, AutoStream::choice(&std::io::stderr()));
    drop(std::io::stderr().write_all(text.as_bytes()));
}

/// Prints a text for people to standard output. A closed pipe is not an error.
pub(crate) fn print(text: &str) -> Result<()> {
    print_as_is(&shown::plain(&Blot::of_known().apply(text)))
}

/// Prints a text whose invisible characters are already escaped: one with colours, or a document.
pub(crate) fn print_document(text: &str) -> Result<()> {
    print_as_is(&document(text, AutoStream::choice(&std::io::stdout())))
}

fn document(text: &str, colors: ColorChoice) -> String {
    if colors != ColorChoice::Never {
        return shown::without_commands(text);
    }
    // An escape sequence may split a command in two, so colours are removed first.
    shown::without_commands(&anstream::adapter::strip_str(text).to_string())
}

/// Prints a text for a program: annotations, or commands for a shell.
pub(crate) fn print_as_is(text: &str) -> Result<()> {
    match anstream::stdout().write_all(text.as_bytes()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.at("standard output"),
    }
}
