//! Each spoilt file is named, with the place and what is meant. What is ambiguous ends every
//! command; what is at odds fails `lint` alone.

use harness::contract::Contract;
use harness::lint::{Class, problems};
use suites::scratch;

use crate::reading::{run, small, write};

const A: &str = "AllocateIpv6InternetBandwidth";

/// Whether a problem stops every command, or `lint` alone.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stops {
    All,
    Lint,
}
use Stops::{All, Lint};

/// A file (`A/` is the action), a text in it and what replaces its first occurrence (an empty text:
/// the whole file), which commands stop, and a part of the message.
type Row = (&'static str, &'static str, &'static str, Stops, &'static str);

const SPOILT: &[Row] = &[
    // Unknown members, in every kind of file.
    (
        "A/operation.json",
        "\"checkingOrder\"",
        "\"checkingOder\"",
        All,
        "/checkingOder: there is no such member; is checkingOrder meant?",
    ),
    (
        "A/operation.json",
        "\"maximum\"",
        "\"maximun\"",
        All,
        "/maximun: there is no such member; is maximum meant?",
    ),
    (
        "A/operation.json",
        "\"required\"",
        "\"requierd\"",
        All,
        "/parameters/0/requierd: there is no such member; is required meant?",
    ),
    ("A/operation.json", "\"fresh\"", "\"frehs\"", All, "is fresh meant?"),
    (
        "A/errors.json",
        "\"status\"",
        "\"stauts\"",
        All,
        "/errors/0/stauts: there is no such member; is status meant?",
    ),
    (
        "A/errors.json",
        "\"status\"",
        "\"status\": 400, \"zzz\"",
        All,
        "/errors/0/zzz: there is no such member\n",
    ),
    ("A/roles.json", "\"needNothing\"", "\"needNohting\"", All, "is needNothing meant?"),
    (
        "A/roles.json",
        "\"role\"",
        "\"rol\"",
        All,
        "/roles/0/rol: there is no such member; is role meant?",
    ),
    (
        "A/coverage.json",
        "\"cases\"",
        "\"case\"",
        All,
        "/case: there is no such member; is cases meant?",
    ),
    (
        "A/cases/MissingBandwidth/absent.json",
        "\"description\"",
        "\"descripton\"",
        All,
        "/descripton: there is no such member; is description meant?",
    ),
    (
        "A/cases/MissingBandwidth/absent.json",
        "\"query\"",
        "\"qeury\"",
        All,
        "/request/qeury: there is no such member; is query meant?",
    ),
    (
        "A/cases/MissingBandwidth/absent.json",
        "\"message\"",
        "\"mesage\"",
        All,
        "/answer/mesage: there is no such member; is message meant?",
    ),
    (
        "A/cases/MissingBandwidth/absent.json",
        "\"from\": \"one-address\"",
        "\"from\": \"one-address\", \"merge\": { \"Acounts\": {} }",
        All,
        "/world/Acounts: there is no such member; is Accounts meant?",
    ),
    (
        "common/when.json",
        "\"when\"",
        "\"wehn\"",
        All,
        "/wehn: there is no such member; is when meant?",
    ),
    (
        "common/worlds/one-address.json",
        "\"AccessKeys\"",
        "\"AcessKeys\"",
        All,
        "/AcessKeys: there is no such member; is AccessKeys meant?",
    ),
    (
        "format.json",
        "\"format\": 2",
        "\"format\": 2, \"from\": 1",
        All,
        "format.json:/from: there is no such member",
    ),
    (
        "approved-changes.json",
        "",
        "{ \"description\": \"d\", \"approved\": [], \"aproved\": [] }",
        All,
        "/aproved: there is no such member; is approved meant?",
    ),
    // Unknown keywords of JSON Schemas, at the deepest place alone.
    (
        "A/schemas/success.json",
        "\"required\"",
        "\"requierd\"",
        All,
        "success.json:/requierd: there is no such member; is required meant?",
    ),
    (
        "A/schemas/request.json",
        "\"pattern\"",
        "\"patern\"",
        All,
        "/properties/Ipv6AddressId/patern: there is no such member; is pattern meant?",
    ),
    (
        "A/schemas/errors/IllegalParam.Bandwidth.json",
        "\"const\"",
        "\"cosnt\"",
        All,
        "cosnt: there is no such member; is const meant?",
    ),
    (
        "A/schemas/success.json",
        "\"additionalProperties\"",
        "\"additionalPropertys\"",
        All,
        "is additionalProperties meant?",
    ),
    (
        "common/when.json",
        "\"not\": { \"required\"",
        "\"not\": { \"requird\"",
        All,
        "/when/region-missing/properties/parameters/not/requird: there is no such member; is required meant?",
    ),
    (
        "A/errors.json",
        "\"properties\"",
        "\"propertys\"",
        All,
        "propertys: there is no such member; is properties meant?",
    ),
    (
        "A/roles.json",
        "\"const\"",
        "\"cons\"",
        All,
        "cons: there is no such member; is const meant?",
    ),
    // Not JSON, wherever a file of JSON is.
    ("A/coverage.json", "{", "{,", All, "coverage.json:1:2: key must be a string"),
    ("A/schemas/success.json", "}\n", "}}\n", All, "trailing characters"),
    ("A/roles.json", "", "", All, "roles.json:1:0: EOF while parsing a value"),
    ("A/errors.json", "400", "NaN", All, "errors[0].status: expected value"),
    ("common/when.json", "{", "// c\n{", All, "when.json:1:1: expected value"),
    // Members and values that do not fit.
    (
        "A/operation.json",
        "\"type\": \"integer\"",
        "\"type\": \"int\"",
        Lint,
        "/parameters/4/type: ",
    ),
    (
        "A/operation.json",
        "\"version\": \"2016-04-28\"",
        "\"version\": \"2016\"",
        Lint,
        "/version: ",
    ),
    (
        "A/errors.json",
        "\"status\": 400",
        "\"status\": 40",
        Lint,
        "/errors/0/status: 40 is less than the minimum of 400",
    ),
    (
        "A/schemas/success.json",
        "\"type\": \"object\"",
        "\"type\": \"objekt\"",
        Lint,
        "success.json:/type: ",
    ),
    (
        "A/schemas/success.json",
        "draft/2020-12/schema",
        "draft-07/schema#",
        Lint,
        "/$schema: schemas are judged as https://json-schema.org/draft/2020-12/schema",
    ),
    (
        "A/schemas/success.json",
        "\"type\": \"object\"",
        "\"type\": \"object\", \"minProperties\": 9, \"maxProperties\": 8",
        Lint,
        "nothing fits it: ",
    ),
    (
        "A/schemas/request.json",
        "\"type\": \"object\"",
        "\"type\": \"object\", \"$ref\": \"#/$defs/nowhere\"",
        Lint,
        "request.json: not usable: ",
    ),
    (
        "A/cases/MissingBandwidth/absent.json",
        "\"decision\": \"missing\"",
        "\"decision\": \"mising\"",
        Lint,
        "/decision: no decisions.md has the decision mising; is missing meant?",
    ),
    (
        "A/errors.json",
        "\"decision\": \"",
        "\"decision\": \"x",
        Lint,
        "no decisions.md has the decision x",
    ),
    (
        "decisions.md",
        "**Choice.**",
        "**Choise.**",
        Lint,
        "the decision format-default has no Choice",
    ),
    (
        "decisions.md",
        "## `check-order`",
        "## `format-default`",
        Lint,
        "the decision format-default is given twice",
    ),
    (
        "decisions.md",
        "## `check-order`",
        "## check-order",
        Lint,
        "the heading \"check-order\" is no id in backticks",
    ),
    // Codes, orders, cases and limits.
    (
        "A/operation.json",
        "    \"MissingBandwidth\",\n",
        "",
        Lint,
        "MissingBandwidth: the checkingOrder of operation.json lacks it",
    ),
    (
        "A/errors.json",
        "\"code\": \"MissingBandwidth\"",
        "\"code\": \"MissingBandwith\"",
        Lint,
        "MissingBandwith: no case of AllocateIpv6InternetBandwidth/cases/MissingBandwith/ demands it",
    ),
    (
        "A/errors.json",
        "\"code\": \"MissingBandwidth\"",
        "\"code\": \"MissingBandwith\"",
        Lint,
        "/answer/code: errors.json has no code MissingBandwidth; is MissingBandwith meant?",
    ),
    (
        "A/errors.json",
        "\"code\": \"MissingBandwidth\"",
        "\"code\": \"MissingRegionId\"",
        Lint,
        "MissingRegionId: the code is given twice",
    ),
    (
        "A/errors.json",
        "\"code\": \"OperationUnsupported.ULA\"",
        "\"code\": \"OperationUnsupported.ULB\"",
        Lint,
        "OperationUnsupported.ULB: no schema of its answer is in schemas/errors/",
    ),
    (
        "A/roles.json",
        "\"MissingAction\"",
        "\"MissingActoin\"",
        Lint,
        "/needNothing/3: errors.json has no code MissingActoin; is MissingAction meant?",
    ),
    (
        "A/cases/MissingBandwidth/absent.json",
        "\"code\": \"MissingBandwidth\"",
        "\"code\": \"MissingRegionId\"",
        Lint,
        "/answer/code: the case is in the folder MissingBandwidth",
    ),
    (
        "A/cases/MissingBandwidth/absent.json",
        "\"status\": 400",
        "\"status\": 403",
        Lint,
        "/answer/status: 403 is demanded, and MissingBandwidth has the status 400",
    ),
    (
        "A/operation.json",
        "\"defaultFrom\": \"gateway\"",
        "\"defaultFrom\": \"gatway\"",
        Lint,
        "/parameters/1/defaultFrom: there is no document gatway; is gateway meant?",
    ),
    (
        "A/operation.json",
        "\"document\": \"address\"",
        "\"document\": \"adress\"",
        Lint,
        "there is no document adress; is address meant?",
    ),
    (
        "A/operation.json",
        "\"PayByTraffic\": {",
        "\"PayByTrafic\": {",
        Lint,
        "/limits/PayByTrafic: neither a limit nor a value of a parameter; is PayByTraffic meant?",
    ),
    (
        "A/operation.json",
        "\"name\": \"Ipv6GatewayId\"",
        "\"name\": \"RegionId\"",
        Lint,
        "the parameter RegionId is given twice",
    ),
    (
        "A/operation.json",
        "\"required\": true",
        "\"required\": true, \"default\": \"cn-hangzhou\"",
        Lint,
        "/parameters/0/default: a required parameter has no default",
    ),
    (
        "A/operation.json",
        "\"action\": \"Allocate",
        "\"action\": \"Alocate",
        Lint,
        "is not the folder's name",
    ),
    (
        "common/when.json",
        "\"region-missing\"",
        "\"region-mising\"",
        Lint,
        "common/when.json has no region-missing; is region-mising meant?",
    ),
    // The order in which errors are checked, and when they apply.
    (
        "A/operation.json",
        "\"MissingBandwidth\",\n    \"IllegalParam.Ipv6Address\"",
        "\"IllegalParam.Ipv6Address\",\n    \"MissingBandwidth\"",
        Lint,
        "bandwidth-missing-before-address-form.json:/answer: MissingBandwidth is demanded; checkingOrder and the conditions of errors.json lead to IllegalParam.Ipv6Address",
    ),
    (
        "A/errors.json",
        "\"bandwidth-missing\"",
        "\"region-missing\"",
        Lint,
        "absent.json:/answer: MissingBandwidth is demanded; checkingOrder and the conditions of errors.json lead to ",
    ),
    (
        "A/schemas/request.json",
        "\"Bandwidth\": {",
        "\"Bandwidth\": { \"default\": \"1\",",
        Lint,
        "/properties/Bandwidth/default: a required parameter has no default",
    ),
    (
        "A/schemas/success.json",
        "\"required\": [\"Ipv6AddressId\"",
        "\"required\": [\"Ipv6AdressId\"",
        Lint,
        "success.json: nothing fits it: ",
    ),
    // Cases that demand a success although a parameter breaks its limits.
    (
        "A/cases/Success/x.json",
        "",
        "Bandwidth=1001&InternetChargeType=PayByTraffic",
        Lint,
        "a success is demanded, but Bandwidth is \"1001\": the maximum is 1000",
    ),
    (
        "A/cases/Success/x.json",
        "",
        "Bandwidth=2001",
        Lint,
        "Bandwidth is \"2001\": the maximum is 2000",
    ),
    ("A/cases/Success/x.json", "", "Bandwidth=0", Lint, "Bandwidth is \"0\": the minimum is 1"),
    ("A/cases/Success/x.json", "", "Bandwidth=abc", Lint, "Bandwidth is \"abc\": no integer"),
    ("A/cases/Success/x.json", "", "Bandwidth=", Lint, "Bandwidth is required and left out"),
    (
        "A/cases/Success/x.json",
        "",
        "InternetChargeType=Free",
        Lint,
        "InternetChargeType is \"Free\": only [\"PayByTraffic\",\"PayByBandwidth\"] may be",
    ),
    ("A/cases/Success/x.json", "", "Ipv6AddressId=eni-1", Lint, "it does not fit ^ipv6-"),
    ("A/cases/Success/x.json", "", "ClientToken=\u{e9}", Lint, "only ASCII may be"),
    (
        "A/cases/Success/x.json",
        "",
        "ClientToken=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        Lint,
        "at most 64 characters may be",
    ),
    ("A/cases/Success/x.json", "", "DryRun=yes", Lint, "DryRun is \"yes\": no boolean"),
    // Files that no command would look at.
    (
        "A/case/MissingBandwidth/x.json",
        "",
        "{}",
        Lint,
        "a contract has no such file; is cases meant?",
    ),
    ("A/cases/x.json", "", "{}", Lint, "a contract has no such file"),
    ("A/cases/MissingBandwidth/x.jsn", "", "{}", Lint, "a contract has no such file"),
    ("A/cases/MissingBandwidth/x.json.bak", "", "{}", Lint, "a contract has no such file"),
    ("A/error.json", "", "{}", Lint, "a contract has no such file; is errors.json meant?"),
    ("A/snapshots/MissingBandwidth.txt", "", "x", Lint, "a contract has no such file"),
    (
        "A/schemas/errors/MissingBandwith.json",
        "",
        "{ \"type\": \"object\" }",
        Lint,
        "errors.json has no code MissingBandwith; is MissingBandwidth meant?",
    ),
    (
        "A/cases/MissingBandwidth/absent.json",
        "\"from\": \"one-address\"",
        "\"from\": \"one-adress\"",
        Lint,
        "/world/from: common/worlds has no one-adress.json; is one-address meant?",
    ),
    // Snapshots.
    (
        "A/snapshots/MissingBandwidth@nobody.snap",
        "",
        "---\n---\n",
        Lint,
        "a snapshot that no case has",
    ),
    ("A/snapshots/MissingBandwith.snap", "", "---\n---\n", Lint, "a snapshot that no case has"),
    (
        "A/snapshots/MissingBandwidth@absent.snap.new",
        "",
        "---\n---\n",
        Lint,
        "an answer that waits for review",
    ),
];

/// A case of a success with the parameters in `changed` instead of right ones.
fn success(changed: &str) -> String {
    let mut query = serde_json::json!({
        "RegionId": "cn-huhehaote", "Ipv6AddressId": "ipv6-free", "Bandwidth": "200"
    });
    for pair in changed.split('&') {
        let (name, value) = pair.split_once('=').unwrap();
        query[name] = value.into();
    }
    serde_json::json!({
        "description": "d", "decision": "missing", "world": { "from": "one-address" },
        "request": { "query": query }, "answer": { "status": 200 }
    })
    .to_string()
}

#[test]
fn each_spoilt_file_is_told_with_what_is_meant() {
    let folder = scratch();
    small(folder.path());
    let whole = Contract::in_folder(folder.path()).unwrap();
    let told_of = |contract: &Contract| -> Vec<(bool, String)> {
        let problems = problems(contract).into_iter();
        problems
            .map(|problem| (problem.class == Class::Ambiguous, format!("{problem}\n")))
            .collect()
    };
    let as_it_was = told_of(&whole);
    let mut wrong = Vec::new();
    for (path, old, new, stops, told) in SPOILT {
        let path = path.replacen("A/", &format!("{A}/"), 1);
        let text = match (whole.text(&path), *old) {
            (_, "") if path.ends_with("Success/x.json") => success(new),
            (_, "") => (*new).to_owned(),
            (Some(before), old) => before.replacen(old, new, 1),
            (None, _) => panic!("there is no {path}"),
        };
        assert_ne!(Some(text.as_str()), whole.text(&path), "{path} has no {old}");
        let mut files = whole.files().clone();
        files.insert(path.clone(), text);
        let spoilt = told_of(&Contract::of("own", files));
        let is_told = spoilt.iter().any(|(is_ambiguous, problem)| {
            problem.contains(told) && *is_ambiguous == (*stops == All)
        });
        let is_alone = *stops == All || !spoilt.iter().any(|(is_ambiguous, _)| *is_ambiguous);
        if !is_told || !is_alone || as_it_was.iter().any(|(_, problem)| problem.contains(told)) {
            let more = spoilt.iter().filter(|problem| !as_it_was.contains(problem));
            let more: Vec<&str> = more.map(|(_, problem)| problem.as_str()).collect();
            wrong.push(format!("{path}: {old:?} -> {new:?}: not {told}, but:\n{}", more.concat()));
        }
    }
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), SPOILT.len(), wrong.join("\n"));
}

#[test]
fn what_is_ambiguous_ends_every_command_and_what_is_at_odds_fails_lint_alone() {
    let folder = scratch();
    let own = folder.path().join("own");
    small(&own);
    write(&own, "format.json", "\u{feff}{ \"format\": 2 }".as_bytes());
    let spoil = |old: &str, new: &str| {
        let path = format!("{A}/schemas/success.json");
        let text = std::fs::read_to_string(own.join(&path)).unwrap();
        assert!(text.contains(old), "{old}");
        write(&own, &path, text.replacen(old, new, 1).as_bytes());
    };
    let own_place = ["--contracts", "own"];
    let commands: [&[&str]; 5] = [
        &["list"],
        &["coverage"],
        &["diff", "own"],
        &["unpack", "new"],
        &["verify", "--in-process"],
    ];
    spoil(
        "\"type\": \"object\"",
        "\"type\": \"object\", \"minProperties\": 9, \"maxProperties\": 8",
    );
    let (code, text) = run(folder.path(), &[&["lint"][..], &own_place].concat());
    assert_eq!(code, 1, "{text}");
    assert!(text.contains(&format!("own/{A}/schemas/success.json: nothing fits it")), "{text}");
    assert!(text.contains("own/format.json: it begins with a byte order mark"), "{text}");
    for arguments in commands {
        let (code, text) = run(folder.path(), &[arguments, &own_place].concat());
        assert_ne!(code, 2, "{arguments:?}: {text}");
        assert_eq!(text.matches("note: own/").count(), 1, "{arguments:?}: {text}");
        assert!(text.contains("more are listed by `contract lint`"), "{arguments:?}: {text}");
    }
    std::fs::remove_dir_all(folder.path().join("new")).unwrap();
    spoil("\"required\"", "\"requierd\"");
    for arguments in commands {
        let (code, text) = run(folder.path(), &[arguments, &own_place].concat());
        assert_eq!(code, 2, "{arguments:?}: {text}");
        assert!(text.contains("success.json:/requierd: there is no such member"), "{text}");
    }
    // The change that mends it can be compared.
    std::fs::create_dir(folder.path().join("mended")).unwrap();
    small(&folder.path().join("mended"));
    let (code, text) = run(folder.path(), &["diff", "own", "mended"]);
    assert_ne!(code, 2, "{text}");
}

#[test]
fn nothing_is_wrong_with_the_contract_of_this_repository() {
    let problems = problems(&Contract::embedded());
    assert_eq!(problems.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
}
