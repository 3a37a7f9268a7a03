//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use ipv6_gateway::RateLimit;
use store::NonceBudget;

/// Runs Alibaba Cloud's IPv6 gateway API on this machine, for clients to be tested against.
///
/// Any official client works unmodified: set its endpoint to the address printed at start and its
/// protocol to HTTP, with the key `testid` / `testsecret`. The signature, the parameters and the
/// state are checked as the cloud checks them, and every documented error can be had: the demo
/// world has one address for each condition, named after it (`ipv6-ula`, `ipv6-static-isp`, ...).
#[derive(Debug, Parser)]
#[command(version, args_conflicts_with_subcommands = true, after_long_help = AFTER_HELP)]
pub(crate) struct Command {
    #[command(subcommand)]
    pub(crate) subcommand: Option<Subcommand>,
    #[command(flatten)]
    pub(crate) serve: Serve,
}

const AFTER_HELP: &str = "\
Control paths, for test suites:
  GET    /_control/health   200; 503 with the cause once a write has failed. Anybody may ask
  GET    /_control/world    the world as it is now
  PUT    /_control/world    replace it; a world document as for --world
  POST   /_control/reset    begin again: world, clock, calls, faults and throttling as at start
  GET    /_control/clock    the time by which calls are judged
  PUT    /_control/clock    set it: {\"Now\": \"2026-01-02T03:04:05Z\"}; it goes on from there
  DELETE /_control/clock    the system's time again
  GET    /_control/calls    the last 1000 calls and how they were answered
  DELETE /_control/calls    forget them
  GET    /_control/faults   the faults still planned
  PUT    /_control/faults   plan faults for the next calls of an action:
                            {\"Faults\": [{\"Action\": \"AllocateIpv6InternetBandwidth\", \"Times\": 2,
                                         \"Kind\": \"Answer\", \"Code\": \"SystemBusy\"}]}
                            Kind: Answer and AnswerAfterCommit (with Code, an error that the action
                            documents, SystemBusy or InternalError, and with the Id that its message
                            names, if it names one; Answer also with an error that comes before,
                            as Throttling.User, Forbidden.RAM or SignatureDoesNotMatch),
                            Delay (with Milliseconds), BreakBeforeCommit, BreakAfterCommit,
                            StoreUnavailable, StorePanics. A call that is refused before its
                            fault leaves it to the next
  DELETE /_control/faults   plan none
  GET    /_control/throttling   how often an account may call an action
  PUT    /_control/throttling   set it: {\"Calls\": 300, \"Seconds\": 60}
  DELETE /_control/throttling   as often as it likes
  PUT    /_control/worlds/NAME  make a world apart; calls with the header x-local-world: NAME meet it.
                                It ends once nobody has called it for --world-lease seconds
         /_control/worlds/NAME/clock, calls, faults, throttling: as above, of that world
  GET    /_control/worlds/NAME  that world as it is now
  DELETE /_control/worlds/NAME  drop it
  GET    /_control/worlds       the names of all worlds apart
contracts/control.md describes them, with a schema of each message.
They refuse web pages of other origins and any Host but localhost and IP addresses.

Examples:
  local-endpoint
  local-endpoint --listen 127.0.0.1:0 --world my-world.json --seed 1
  local-endpoint --data kept      what is bought outlives the endpoint
  local-endpoint export --data kept world.json
  local-endpoint call AllocateIpv6InternetBandwidth \\
      RegionId=cn-huhehaote Ipv6AddressId=ipv6-demo01 Bandwidth=200
  RUST_LOG=warn local-endpoint      without a line for each call";

/// How to serve.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// Where to listen; port 0 picks a free one and prints it. `localhost:PORT` is `127.0.0.1` and `::1`.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8787")]
    pub(crate) listen: String,
    /// A world document to begin with, instead of the demo world, and to begin again with at a
    /// reset.
    ///
    /// Its form is described in contracts/common/schemas/world.json; GET /_control/world of a
    /// running endpoint shows an example. Where documents are kept already, these stay.
    #[arg(long, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    /// Draw the same ids and `RequestIds` in every run. Not for documents that outlive a run, whose
    /// ids would be drawn again.
    #[arg(long, value_name = "N", conflicts_with_all = ["data", "dynamodb_table"])]
    pub(crate) seed: Option<u64>,
    /// Let each account call each action so often in each window: 300/60 is the documented figure,
    /// 300 calls in 60 seconds. Unless given, as often as it likes.
    #[arg(long, value_name = "CALLS/SECONDS")]
    pub(crate) throttle: Option<RateLimit>,
    /// Remember so many nonces of each account at most, for 31 minutes each; an account that has used more
    /// is answered Throttling.User. All accounts and worlds together have four million, some 320 MB.
    #[arg(long, value_name = "N", default_value_t = NonceBudget::OF_ACCOUNT)]
    pub(crate) nonces_per_account: usize,
    /// Serve so many connections at once; further ones wait until one ends. An idle one ends after 25
    /// seconds, and so does one that takes longer to send a request's head.
    #[arg(long, value_name = "N", default_value_t = 900)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub(crate) max_connections: usize,
    /// Answer the control paths only to requests with the header `Authorization: Bearer TOKEN`. Beyond
    /// this machine they are answered with a token alone.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "LOCAL_ENDPOINT_CONTROL_TOKEN",
        hide_env_values = true
    )]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) control_token: Option<String>,
    /// Drop a world apart once nobody has called it for so long; 0 keeps it until it is dropped. A client
    /// that is killed leaves its worlds behind. The world that the endpoint begins with never ends.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) world_lease: u32,
    /// Let the control paths replace and reset a world that is kept in a directory or a table.
    #[arg(long)]
    pub(crate) allow_replace: bool,
}

/// Where documents are kept; in memory, unless one of these is given.
#[derive(Args, Debug)]
pub(crate) struct Keeping {
    /// Keep the documents in this directory, where they survive a crash of the process. A
    /// new one is made if it is not there.
    #[arg(long, value_name = "DIR", conflicts_with = "dynamodb_table")]
    pub(crate) data: Option<PathBuf>,
    /// Keep the documents in this table of `DynamoDB`, as the Lambda function does.
    ///
    /// Region and credentials are taken from `AWS_REGION`, `AWS_ACCESS_KEY_ID`,
    /// `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`. The demo world, whose keys are known to
    /// everybody, is never put into a table: see `local-endpoint import --help`.
    #[arg(long, value_name = "NAME")]
    pub(crate) dynamodb_table: Option<String>,
    /// Where `DynamoDB` listens, if not where it does in the region: for `DynamoDB` Local, which also
    /// does without region and credentials.
    #[arg(long, value_name = "URL", requires = "dynamodb_table")]
    pub(crate) dynamodb_endpoint: Option<String>,
}

/// What else there is to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Signs one call, sends it to a running endpoint and shows the request and the answer.
    ///
    /// Exits with 0 if the call succeeded, 1 if it was answered with an error, 2 if there was no
    /// answer.
    Call(Call),
    /// Puts a world document where documents are kept, instead of all that is there.
    ///
    /// This is how the table of a deployed function gets its first access keys, and how addresses
    /// come to be known. Into a directory all goes in one step; into a table it does not, so have
    /// nobody call meanwhile, and run it again if it breaks off. The endpoint that serves from the
    /// directory has to be stopped first; a running one takes PUT /_control/world.
    Import(Import),
    /// Writes all that is kept as a world document.
    Export(Export),
}

/// What to put where.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("place").args(["data", "dynamodb_table"]).required(true))]
pub(crate) struct Import {
    /// The world document; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) world: PathBuf,
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    /// Drop what is kept there now. Without this only an empty place takes a world.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Make the table first, with expiry, as template.yaml does.
    #[arg(long, requires = "dynamodb_table")]
    pub(crate) create_table: bool,
}

/// What to write where.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("place").args(["data", "dynamodb_table"]).required(true))]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) keeping: Keeping,
    /// The file to write, in one step; standard output if none is given. It will hold the secrets
    /// of access keys.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// The call to make.
#[derive(Args, Debug)]
pub(crate) struct Call {
    /// The operation, for example `AllocateIpv6InternetBandwidth`.
    pub(crate) action: String,
    /// Its parameters.
    #[arg(value_name = "KEY=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The endpoint, as `http://127.0.0.1:8787` or `127.0.0.1:8787`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
    pub(crate) endpoint: String,
    /// The world apart that the call is meant for, as made by PUT /_control/worlds/NAME.
    #[arg(long, value_name = "NAME")]
    pub(crate) world: Option<String>,
    /// The access key's id.
    #[arg(long, value_name = "ID", default_value = "testid")]
    pub(crate) access_key_id: String,
    /// The access key's secret.
    #[arg(long, value_name = "SECRET", default_value = "testsecret")]
    pub(crate) access_key_secret: String,
    /// The token that goes with a temporary access key.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) security_token: Option<String>,
    /// The signature to make.
    #[arg(long, value_enum, ignore_case = true, default_value_t = Signature::V3)]
    pub(crate) signature: Signature,
    /// The format to ask for.
    #[arg(long, value_enum, ignore_case = true, default_value_t = Format::Json)]
    pub(crate) format: Format,
}

/// The kinds of signature.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Signature {
    /// HMAC-SHA1 over all parameters.
    #[value(name = "V1")]
    V1,
    /// ACS3-HMAC-SHA256.
    #[value(name = "V3")]
    V3,
    /// ACS3-HMAC-SM3.
    #[value(name = "V3-SM3")]
    V3Sm3,
}

/// The formats of an answer.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Format {
    /// JSON.
    #[value(name = "JSON")]
    Json,
    /// XML.
    #[value(name = "XML")]
    Xml,
}

fn parameter(text: &str) -> Result<(String, String), String> {
    text.split_once('=')
        .filter(|(name, _)| !name.is_empty())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .ok_or_else(|| format!("not Key=Value: {text}"))
}
