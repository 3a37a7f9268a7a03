//! `contract call`: tries one case and shows every detail, or prints the curl commands that do.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use reqwest::Method;
use tempfile::TempDir;

use crate::answer::Answer;
use crate::case::{Case, Request, Variant};
use crate::client::{self, now_secs, quoted};
use crate::command::{Outcome, print_as_is, print_document};
use crate::contract::Contract;
use crate::error::{At as _, Result, bail};
use crate::judge::{Judged, Rulebook, expected_format, judge};
use crate::list::Chosen;
use crate::secrets::Blot;
use crate::shown::visible;
use crate::signals::interrupted;
use crate::verify::{Bound, Differences, Place, Roles, Where, end, judge_reviewed};

/// Tries one case in one variant; shows its call, its answer and every finding.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  contract call --endpoint http://127.0.0.1:8787 --case IllegalParam.Bandwidth/letters \\
    --signature V1 --format XML

Exit codes: 0 the case holds, 1 it does not hold, 2 it could not be tried, 3 usage.")]
pub struct Options {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    chosen: Chosen,
    /// The signature
    #[arg(long, value_enum, ignore_case = true, default_value_t = Signature::V3)]
    signature: Signature,
    /// The requested format
    #[arg(long, value_enum, ignore_case = true, default_value_t = Format::Json)]
    format: Format,
    /// Call nothing, and print the curl commands. They are signed: for 15 minutes, anyone who reads them can
    /// make the call
    #[arg(long)]
    curl: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Signature {
    /// HMAC-SHA1 over all parameters
    #[value(name = "V1")]
    V1,
    /// ACS3-HMAC-SHA256, or ACS3-HMAC-SM3 if the case names it
    #[value(name = "V3")]
    V3,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// JSON
    #[value(name = "JSON")]
    Json,
    /// XML
    #[value(name = "XML")]
    Xml,
}

impl Format {
    fn name(self) -> &'static str {
        match self {
            Self::Json => "JSON",
            Self::Xml => "XML",
        }
    }
}

/// Runs `contract call`.
pub async fn run(options: Options, contract: Contract) -> Result<Outcome> {
    let cases = options.chosen.cases(&contract)?;
    let [case] = &cases[..] else {
        let some: Vec<&str> = cases.iter().take(5).map(|case| case.path.as_str()).collect();
        bail!(
            "--case: {} cases fit, and only one can be called: {} …",
            cases.len(),
            some.join(", ")
        );
    };
    let variant = variant(case, &options)?;
    let (place, caller) = options.place.find(&contract).await?;
    let bound = match &caller {
        None => Bound { case: case.clone(), real: Vec::new() },
        Some(caller) => {
            let roles = Roles::read(&contract)?;
            let bindings = roles.bindings(&options.place.bindings)?;
            roles.bind(case, caller, &bindings).at(&case.path)?
        }
    };
    if options.curl {
        return print_as_is(&commands(&bound.case, &variant, &place)?).map(|()| Outcome::Holds);
    }
    let folder = TempDir::new()?;
    let mut target = place.target(0, &folder)?;
    let rules = Rulebook::read(&contract)?;
    let mut undo = Vec::new();
    let verdict = tokio::select! {
        verdict = judge(&bound.case, &variant, &mut target, &rules, now_secs(), &mut undo) => verdict,
        signal = interrupted() => Err(format!("{signal} ended the call").into()),
    };
    end(&target, verdict.is_err()).await;
    let verdict = verdict?;
    let mut text = format!("{}\n{}\n{}\n", case.path, case.description, case.rests_on());
    let (wire, answer) = &verdict.last;
    // Writing to a `String` cannot fail.
    let _ = writeln!(text, "\n{}\n{}", wire.shown(usize::MAX).text(), answer_text(answer));
    let mut findings = verdict.findings;
    let transcript = bound.case_names(verdict.transcript.trim_end());
    judge_reviewed(&mut findings, &contract, &rules, &bound.case, verdict.format, &transcript);
    let (cosmetic, findings): (Vec<_>, Vec<_>) =
        findings.reported(|_| true).into_iter().partition(|finding| finding.by == Judged::Bytes);
    let blot = Blot::of_known();
    text = visible(&blot.apply(&text));
    let differences = Differences::of_width(120);
    for finding in findings.iter().chain(&cosmetic) {
        let sides =
            differences.side_by_side(&blot.apply(&finding.expected), &blot.apply(&finding.actual));
        let _ = writeln!(
            text,
            "{}\n{}",
            visible(&blot.apply(&finding.place.to_string())),
            sides.trim_end()
        );
    }
    let holds = findings.is_empty();
    text.push_str(match (holds, cosmetic.is_empty()) {
        (true, true) => "it holds\n",
        (true, false) => "it holds, and is written otherwise\n",
        (false, _) => "it does not hold\n",
    });
    print_document(&text)?;
    Ok(if holds { Outcome::Holds } else { Outcome::Fails })
}

/// The variant that the options select.
fn variant(case: &Case, options: &Options) -> Result<Variant> {
    let variants = case.variants().into_iter();
    let mut fitting = variants.filter(|variant| {
        variant.style.is_v3() == (options.signature == Signature::V3)
            && expected_format(variant) == options.format.name()
    });
    if let Some(variant) = fitting.next() {
        return Ok(variant);
    }
    let options = |variant: &Variant| {
        let style = if variant.style.is_v3() { "V3" } else { "V1" };
        format!("--signature {style} --format {}", expected_format(variant))
    };
    let all: Vec<String> = case.variants().iter().map(options).collect();
    bail!("{}: the case can only be tried with {}", case.path, all.join(", or "))
}

fn answer_text(answer: &Answer) -> String {
    let mut text = format!("HTTP {}\n", answer.status);
    for (name, value) in &answer.headers {
        text.extend([name, ": ", value, "\n"]);
    }
    text.extend(["\n", &answer.body, "\n"]);
    text
}

/// The curl commands that try a case.
fn commands(case: &Case, variant: &Variant, place: &Place) -> Result<String> {
    let (remote, is_apart) = match place {
        Place::Apart(remote) => (remote, true),
        Place::Given(remote) => (remote, false),
        Place::Function(_) | Place::InProcess => {
            bail!("--curl: it needs --endpoint");
        }
    };
    let url = remote.url();
    let name = format!("contract-{}", client::fresh_run());
    let control = |method: &Method, path: &str, body: &str| {
        let url = quoted(&format!("{url}/_control/worlds/{name}{path}"));
        format!("curl -sS -X {method} {url} --data-raw {} >/dev/null\n", quoted(body))
    };
    let mut text = String::new();
    if is_apart {
        text.push_str(&control(&Method::PUT, "", &case.world.to_string()));
        if let Some(throttling) = case.throttling {
            text.push_str(&control(&Method::PUT, "/throttling", &throttling.document()));
        }
    }
    let world = is_apart.then_some(name.as_str());
    for request in &case.before {
        text.push_str(&command(url, request, &request.variant(variant), world));
    }
    if let Some(fault) = case.fault {
        text.push_str(&control(&Method::PUT, "/faults", &fault.document(&case.request.action)));
    }
    text.push_str(&command(url, &case.request, variant, world));
    if is_apart {
        text.push_str(&control(&Method::DELETE, "", ""));
    }
    Ok(text)
}

/// The curl command that sends a request.
fn command(url: &str, request: &Request, variant: &Variant, world: Option<&str>) -> String {
    let mut wire = client::sign(request, variant, now_secs(), &client::fresh_nonce());
    wire.headers.extend(world.map(|world| ("x-local-world".to_owned(), world.to_owned())));
    format!("{}; echo\n", wire.curl(url))
}
