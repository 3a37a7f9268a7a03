//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, ValueEnum};
use ipv6_gateway::RateLimit;
use store::NonceBudget;

/// Runs Alibaba Cloud's IPv6 gateway API on this machine, to test clients against it.
///
/// Official clients work unmodified: set a client's endpoint to the address printed at start, its
/// protocol to HTTP, and its key to `testid` / `testsecret`. The endpoint checks signature,
/// parameters and state as the cloud does. The demo world has an address for each documented error,
/// named after its condition (`ipv6-ula`, `ipv6-static-isp`, ...).
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
  GET    /_control/health   200; 503 with the cause after a failed write. Needs no token
  GET    /_control/world    the current world
  PUT    /_control/world    replace the world by a world document, as for --world
  POST   /_control/reset    restore world, clock, calls, faults and throttling to their start
  GET    /_control/clock    the clock's time
  PUT    /_control/clock    set the clock, which then runs on: {\"Now\": \"2026-01-02T03:04:05Z\"}
  DELETE /_control/clock    return to the system's time
  GET    /_control/calls    the last 1000 calls and their answers
  DELETE /_control/calls    clear the list of calls
  GET    /_control/faults   the planned faults
  PUT    /_control/faults   plan faults for the next calls of an action:
                            {\"Faults\": [{\"Action\": \"AllocateIpv6InternetBandwidth\", \"Times\": 2,
                                         \"Kind\": \"Answer\", \"Code\": \"SystemBusy\"}]}
                            Kind is one of
                            Answer (with Code), AnswerAfterCommit (with Code),
                            Delay (with Milliseconds), BreakBeforeCommit, BreakAfterCommit,
                            StoreUnavailable, StorePanics.
                            Code is a documented error of the action, SystemBusy or InternalError;
                            for Answer also a gateway error, as in Throttling.User, Forbidden.RAM or
                            SignatureDoesNotMatch. An error whose message names a resource needs Id.
                            A fault that a call does not reach is kept for the next call
  DELETE /_control/faults   remove all planned faults
  GET    /_control/throttling   the limit of an account's calls to an action
  PUT    /_control/throttling   set the limit: {\"Calls\": 300, \"Seconds\": 60}
  DELETE /_control/throttling   remove the limit
  PUT    /_control/worlds/NAME  create or replace a named world, for calls with the header
                                x-local-world: NAME. The endpoint drops a named world after
                                --world-lease seconds without a call
         /_control/worlds/NAME/clock, calls, faults, throttling: as above, for that world
  GET    /_control/worlds/NAME  the current state of that world
  DELETE /_control/worlds/NAME  drop that world
  GET    /_control/worlds       the names of all named worlds
contracts/control.md describes these paths, with a schema of each message.
They refuse web pages of other origins, and any Host except localhost and IP addresses.

Examples:
  local-endpoint
  local-endpoint --listen 127.0.0.1:0 --world my-world.json --seed 1
  local-endpoint --data kept      stores documents in the directory `kept`
  local-endpoint export --data kept world.json
  local-endpoint call AllocateIpv6InternetBandwidth \\
      RegionId=cn-huhehaote Ipv6AddressId=ipv6-demo01 Bandwidth=200
  RUST_LOG=warn local-endpoint      without a line for each call";

/// The options of serving.
#[derive(Args, Debug)]
pub(crate) struct Serve {
    /// The address to listen on. Port 0 selects a free port and prints it. `localhost:PORT` listens on
    /// `127.0.0.1` and `::1`.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8787")]
    pub(crate) listen: String,
    /// The world document for the start and for each reset. Default: the demo world.
    ///
    /// contracts/common/schemas/world.json describes its form; GET /_control/world shows an example.
    /// A directory or table that has documents already keeps them.
    #[arg(long, value_name = "FILE")]
    pub(crate) world: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// Generate the same ids in every run, those of requests too. Excludes a directory or table: the
    /// next run would generate the ids of existing documents.
    #[arg(long, value_name = "N", conflicts_with_all = ["data", "dynamodb_table"])]
    pub(crate) seed: Option<u64>,
    /// Limit the calls of each account to each action: 300/60, the documented limit, means 300 calls in
    /// 60 seconds. Default: no limit.
    #[arg(long, value_name = "CALLS/SECONDS")]
    pub(crate) throttle: Option<RateLimit>,
    /// Keep at most this many nonces of each account, each for 31 minutes. Calls beyond that get
    /// Throttling.User. All accounts and worlds share four million nonces, some 320 MB.
    #[arg(long, value_name = "N", default_value_t = NonceBudget::OF_ACCOUNT)]
    pub(crate) nonces_per_account: usize,
    /// Serve at most this many connections at once; further ones wait. A connection ends if the head of
    /// its next request takes longer than 25 seconds.
    #[arg(long, value_name = "N", default_value_t = 900)]
    #[arg(value_parser = clap::builder::RangedU64ValueParser::<usize>::new().range(1..=1_000_000))]
    pub(crate) max_connections: usize,
    /// Answer control paths only to requests with the header `Authorization: Bearer TOKEN`. Required for
    /// control paths if the endpoint listens beyond this machine.
    #[arg(
        long,
        value_name = "TOKEN",
        env = "LOCAL_ENDPOINT_CONTROL_TOKEN",
        hide_env_values = true
    )]
    #[arg(value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub(crate) control_token: Option<String>,
    /// Drop a named world after this many seconds without a call; 0 disables this. It removes the worlds
    /// of clients that were killed. The initial world is never dropped.
    #[arg(long, value_name = "SECONDS", default_value_t = 600)]
    pub(crate) world_lease: u32,
    /// Allow control paths to replace and reset the world in a directory or table.
    #[arg(long)]
    pub(crate) allow_replace: bool,
}

/// The storage of documents: memory by default, a directory, or a table.
#[derive(Args, Debug)]
pub(crate) struct Storage {
    /// Store documents in this directory, where they survive a crash. The directory is created if it
    /// does not exist.
    #[arg(long, value_name = "DIR", conflicts_with = "dynamodb_table")]
    pub(crate) data: Option<PathBuf>,
    /// Store documents in this table of DynamoDB, as the Lambda function does.
    ///
    /// Region and credentials come from `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`
    /// and `AWS_SESSION_TOKEN`. The demo world is never written to a table, for its keys are public:
    /// see `local-endpoint import --help`.
    #[arg(long, value_name = "NAME")]
    pub(crate) dynamodb_table: Option<String>,
    /// The URL of DynamoDB, for DynamoDB Local. Default: the URL of the region. With this option,
    /// region and credentials are optional.
    #[arg(long, value_name = "URL", requires = "dynamodb_table")]
    pub(crate) dynamodb_endpoint: Option<String>,
}

/// The subcommands.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Subcommand {
    /// Signs one call, sends it to a running endpoint and shows the request and the answer.
    ///
    /// Exits with 0 if the call succeeds, 1 if the answer is an error, 2 if there is no answer.
    Call(Call),
    /// Imports a world document into a directory or table, which must be empty or is replaced.
    ///
    /// Use it to write the access keys, addresses and gateways of a deployed function. The import into
    /// a directory is atomic; stop the endpoint that uses the directory first, or use PUT
    /// /_control/world. The import into a table is not atomic: stop all calls during it, and repeat it
    /// if it is interrupted.
    Import(Import),
    /// Exports all documents as a world document.
    Export(Export),
}

/// The options of `import`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("target").args(["data", "dynamodb_table"]).required(true))]
pub(crate) struct Import {
    /// The world document; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) world: PathBuf,
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// Replace existing documents. Without this option the directory or table must be empty.
    #[arg(long)]
    pub(crate) replace: bool,
    /// Create the table first, with expiry, as template.yaml does.
    #[arg(long, requires = "dynamodb_table")]
    pub(crate) create_table: bool,
}

/// The options of `export`.
#[derive(Args, Debug)]
#[command(group = clap::ArgGroup::new("source").args(["data", "dynamodb_table"]).required(true))]
pub(crate) struct Export {
    #[command(flatten)]
    pub(crate) storage: Storage,
    /// The file to write, atomically. Default: standard output. It will hold the secrets of access
    /// keys.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

/// The options of `call`.
#[derive(Args, Debug)]
pub(crate) struct Call {
    /// The operation, for example `AllocateIpv6InternetBandwidth`.
    pub(crate) action: String,
    /// The operation's parameters.
    #[arg(value_name = "KEY=VALUE", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,
    /// The endpoint, as in `http://127.0.0.1:8787` or `127.0.0.1:8787`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8787")]
    pub(crate) endpoint: String,
    /// The named world of the call, created by PUT /_control/worlds/NAME.
    #[arg(long, value_name = "NAME")]
    pub(crate) world: Option<String>,
    /// The access key's id.
    #[arg(long, value_name = "ID", default_value = "testid")]
    pub(crate) access_key_id: String,
    /// The access key's secret.
    #[arg(long, value_name = "SECRET", default_value = "testsecret")]
    pub(crate) access_key_secret: String,
    /// The security token of a temporary access key.
    #[arg(long, value_name = "TOKEN")]
    pub(crate) security_token: Option<String>,
    /// The kind of signature.
    #[arg(long, value_enum, ignore_case = true, default_value_t = Signature::V3)]
    pub(crate) signature: Signature,
    /// The format of the answer.
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
        .ok_or_else(|| "expected KEY=VALUE".to_owned())
}
