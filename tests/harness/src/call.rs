//! `contract call`: tries one case and shows all of it, or tells how to with curl.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use reqwest::Method;
use serde_json::json;
use tempfile::TempDir;

use crate::answer::Answer;
use crate::case::{Asked, Case, Fault, Request, Variant};
use crate::client::{self, now_secs, quoted};
use crate::command::{Outcome, print_as_is, print_document};
use crate::contract::Contract;
use crate::judge::{Judged, Rulebook, expected_format, judge};
use crate::list::Chosen;
use crate::secrets::Blot;
use crate::shown::visible;
use crate::signals::interrupted;
use crate::verify::{Bound, Differences, Place, Roles, Where, end, judge_reviewed};

/// Tries one case in one variant and shows its world, the call, the answer, and what is wrong with it.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  contract call --endpoint http://127.0.0.1:8787 --case IllegalParam.Bandwidth/letters \\
    --signature V1 --format XML

Exit codes: 0 it holds, 1 it does not, 2 it could not be run, 3 usage.")]
pub struct Options {
    #[command(flatten)]
    place: Where,
    #[command(flatten)]
    chosen: Chosen,
    /// The kind of signature
    #[arg(long, value_enum, ignore_case = true, default_value_t = Signature::V3)]
    signature: Signature,
    /// The format to ask for
    #[arg(long, value_enum, ignore_case = true, default_value_t = Format::Json)]
    format: Format,
    /// Call nothing, and print the commands that do with curl. They are signed, so whoever reads them
    /// can make that call for a quarter of an hour
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

/// Tries the case.
///
/// # Errors
///
/// It cannot be tried.
pub async fn run(options: Options, contract: Contract) -> Result<Outcome, String> {
    let cases = options.chosen.cases(&contract)?;
    let [case] = &cases[..] else {
        let some: Vec<&str> = cases.iter().take(5).map(|case| case.path.as_str()).collect();
        return Err(format!(
            "--case: {} cases fit, and one is called: {} …",
            cases.len(),
            some.join(", ")
        ));
    };
    let variant = variant(case, &options)?;
    let (place, caller) = options.place.find(&contract).await?;
    let bound = match &caller {
        None => Bound { case: case.clone(), real: Vec::new() },
        Some(caller) => {
            let roles = Roles::read(&contract)?;
            let bindings = roles.bindings(&options.place.bindings)?;
            roles.bind(case, caller, &bindings).map_err(|why| format!("{}: {why}", case.path))?
        }
    };
    if options.curl {
        return print_as_is(&commands(&bound.case, &variant, &place)?).map(|()| Outcome::Holds);
    }
    let folder = TempDir::new().map_err(|error| error.to_string())?;
    let mut target = place.target(0, &folder)?;
    let rules = Rulebook::read(&contract)?;
    let mut undo = Vec::new();
    let verdict = tokio::select! {
        verdict = judge(&bound.case, &variant, &mut target, &rules, now_secs(), &mut undo) => verdict,
        signal = interrupted() => Err(format!("{signal} ended the call")),
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
        findings.told(|_| true).into_iter().partition(|finding| finding.by == Judged::Bytes);
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

/// The variant that the options choose.
fn variant(case: &Case, options: &Options) -> Result<Variant, String> {
    let variants = case.variants().into_iter();
    let mut fitting = variants.filter(|variant| {
        variant.style.is_v3() == (options.signature == Signature::V3)
            && expected_format(variant) == options.format.name()
    });
    fitting.next().ok_or_else(|| {
        let all: Vec<String> = case
            .variants()
            .iter()
            .map(|variant| {
                let style = if variant.style.is_v3() { "V3" } else { "V1" };
                let format = expected_format(variant);
                format!("--signature {style} --format {format}")
            })
            .collect();
        format!("{}: it is only tried with {}", case.path, all.join(", or "))
    })
}

fn answer_text(answer: &Answer) -> String {
    let mut text = format!("HTTP {}\n", answer.status);
    for (name, value) in &answer.headers {
        text.extend([name, ": ", value, "\n"]);
    }
    text.extend(["\n", &answer.body, "\n"]);
    text
}

/// The commands that try a case with curl.
fn commands(case: &Case, variant: &Variant, place: &Place) -> Result<String, String> {
    let (remote, is_apart) = match place {
        Place::Apart(remote) => (remote, true),
        Place::Given(remote) => (remote, false),
        Place::Function(_) | Place::InProcess => {
            return Err("--curl: there is no HTTP endpoint to call".to_owned());
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
            let limit = json!({ "Calls": throttling.calls, "Seconds": throttling.seconds });
            text.push_str(&control(&Method::PUT, "/throttling", &limit.to_string()));
        }
    }
    let world = is_apart.then_some(name.as_str());
    for request in &case.before {
        let variant = Variant {
            style: request.signature.unwrap_or(variant.style),
            format: match &request.format {
                Asked::Either => variant.format.clone(),
                Asked::None => None,
                Asked::Format(format) => Some(format.clone()),
            },
        };
        text.push_str(&command(url, request, &variant, world));
    }
    if let Some(fault) = case.fault {
        let kind = match fault {
            Fault::StoreUnavailable => "StoreUnavailable",
            Fault::StorePanics => "StorePanics",
        };
        let faults =
            json!({ "Faults": [{ "Action": case.request.action, "Times": 1, "Kind": kind }] });
        text.push_str(&control(&Method::PUT, "/faults", &faults.to_string()));
    }
    text.push_str(&command(url, &case.request, variant, world));
    if is_apart {
        text.push_str(&control(&Method::DELETE, "", ""));
    }
    Ok(text)
}

/// The command that sends a request.
fn command(url: &str, request: &Request, variant: &Variant, world: Option<&str>) -> String {
    let mut wire = client::sign(request, variant, now_secs(), &client::fresh_nonce());
    wire.headers.extend(world.map(|world| ("x-local-world".to_owned(), world.to_owned())));
    format!("{}; echo\n", wire.curl(url))
}
