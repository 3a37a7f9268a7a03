//! Tests the runner with operations that exist only here.

mod operations;
mod troubled;

use allocation::{Ipv6Gateway, Operation, Parameters, Region, Resource, Scope, Vpc};
use rpc::Format;
use store::{Document, MemoryStore};

use super::*;
use crate::{Operations, add_first_keys};
use operations::{Chain, Greet, List, Move, Remove};
use troubled::Troubled;

const ACCOUNT_ID: &str = "1234567890123456";
const REGION_ID: &str = "cn-huhehaote";
const SCOPE: Scope<'_> = Scope { account_id: ACCOUNT_ID, region_id: REGION_ID };
const NOW_SECS: u64 = 1_767_323_045;

fn gateway(id: &str, vpc_id: &str) -> Ipv6Gateway {
    Ipv6Gateway {
        ipv6_gateway_id: id.into(),
        account_id: ACCOUNT_ID.into(),
        region_id: Region::find(REGION_ID).unwrap(),
        vpc_id: vpc_id.into(),
    }
}

/// A store with gateways, each given by its id and its VPC's id.
fn gateways<const N: usize>(gateways: [(&str, &str); N]) -> Troubled {
    let documents =
        gateways.map(|(id, vpc_id)| Document::from(Resource::from(gateway(id, vpc_id))));
    Troubled::over(MemoryStore::holding(documents))
}

/// The VPC of a gateway, if the gateway exists.
async fn vpc_of(store: &Troubled, id: &str) -> Option<String> {
    let key = Ipv6Gateway::key(SCOPE, id);
    match store.read(&key).await.map(|read| read.document) {
        Some(Document::Resource(Resource::Ipv6Gateway(gateway))) => {
            Some(gateway.vpc_id.to_string())
        }
        _ => None,
    }
}

/// The body of the answer, or status and code of the error, of an authorised call.
async fn answer_in<O: Operation>(
    format: Format,
    store: &Troubled,
    parameters: &[(&str, &str)],
) -> Result<String, String> {
    answer_if::<O>(&|_| Ok(()), format, store, parameters).await
}

/// As [`answer_in`], with `authorise` as the authorisation.
async fn answer_if<O: Operation>(
    authorise: &Authorise<'_>,
    format: Format,
    store: &Troubled,
    parameters: &[(&str, &str)],
) -> Result<String, String> {
    let clock = Box::new(|| std::time::SystemTime::UNIX_EPOCH);
    let ids = Ids::from_seed(1);
    let function = Function::new(store.clone(), Operations::of([]), clock, ids);
    let parameters = [parameters, &[("RegionId", REGION_ID)]].concat();
    let look_up =
        |name: &str| parameters.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
    let parameters = Parameters::new(&look_up);
    let entry = Entry::of::<O>();
    let parsed = entry.parser.parse(&parameters);
    let mut keys = Vec::new();
    add_first_keys(&mut keys, &entry, &parsed, ACCOUNT_ID);
    let outcome = async {
        let reading = function.read(keys, NOW_SECS).await?;
        let parsed = parsed?;
        let (entry, parsed) = (&entry, &parsed);
        let run = Run { entry, parsed, scope: SCOPE, authorise, format, now_secs: NOW_SECS };
        function.run(&run, reading).await
    };
    let success = outcome.await.map(|Answered { members, .. }| crate::Success {
        entry: &entry,
        members,
        audit: None,
    });
    match success {
        Ok(success) => Ok(function.envelope(format, "h", "R", Ok(success)).body),
        Err(failure) => {
            let fault = failure.response();
            Err(format!("{} {}", fault.status, fault.code))
        }
    }
}

fn refused(status_and_code: &str) -> Result<String, String> {
    Err(status_and_code.to_owned())
}

async fn answer<O: Operation>(
    store: &Troubled,
    parameters: &[(&str, &str)],
) -> Result<String, String> {
    answer_in::<O>(Format::Json, store, parameters).await
}

#[tokio::test]
async fn a_nested_answer_is_rendered_in_the_format_and_order_of_its_operation() {
    let store = gateways([]);
    assert_eq!(
        answer_in::<Greet>(Format::Json, &store, &[]).await.unwrap(),
        r#"{"Words":{"Word":[{"Text":"hello"},{"Text":"you"}]},"RequestId":"R","Count":2}"#
    );
    assert_eq!(
        answer_in::<Greet>(Format::Xml, &store, &[]).await.unwrap(),
        "<?xml version='1.0' encoding='UTF-8'?><GreetResponse><RequestId>R</RequestId>\
         <Count>2</Count><Words><Word><Text>hello</Text></Word><Word><Text>you</Text></Word>\
         </Words></GreetResponse>"
    );
}

#[tokio::test]
async fn a_decision_reads_what_it_turns_out_to_need_in_three_rounds_and_no_more() {
    let store = gateways([("a", "b"), ("b", "c"), ("c", "d"), ("d", "")]);
    for (links, rounds) in [("1", 1), ("2", 2), ("3", 3)] {
        store.forget_loads();
        let answered = answer::<Chain>(&store, &[("Id", "a"), ("Links", links)]).await.unwrap();
        let end = ["b", "c", "d"][rounds - 1];
        assert_eq!(answered, format!(r#"{{"RequestId":"R","End":"{end}"}}"#));
        assert_eq!(store.loads(), rounds);
    }
    store.forget_loads();
    let answered = answer::<Chain>(&store, &[("Id", "a"), ("Links", "4")]).await;
    assert_eq!(answered, refused("500 InternalError"));
    assert_eq!(store.loads(), 3);
}

#[tokio::test]
async fn a_list_counts_all_that_match_and_answers_one_page_of_them() {
    let store = gateways([("c", "v"), ("a", "v"), ("x", "w"), ("b", "v"), ("e", "v"), ("d", "v")]);
    for (number, size, page) in [
        ("1", "2", r#"["a","b"]"#),
        ("2", "2", r#"["c","d"]"#),
        ("3", "2", r#"["e"]"#),
        ("4", "2", "[]"),
        ("2147483647", "100", "[]"),
        ("1", "100", r#"["a","b","c","d","e"]"#),
    ] {
        let parameters = [("VpcId", "v"), ("PageNumber", number), ("PageSize", size)];
        let expected =
            format!(r#"{{"RequestId":"R","TotalCount":5,"Gateways":{{"Gateway":{page}}}}}"#);
        assert_eq!(answer::<List>(&store, &parameters).await.unwrap(), expected, "{parameters:?}");
    }
}

#[tokio::test]
async fn a_dry_run_ends_where_a_commit_would_begin() {
    let store = gateways([("a", "v")]);
    let parameters = [("Id", "a"), ("VpcId", "w"), ("DryRun", "true"), ("ClientToken", "t")];
    assert_eq!(answer::<Move>(&store, &parameters).await, refused("400 DryRunOperation"));
    assert_eq!(vpc_of(&store, "a").await.as_deref(), Some("v"));
    // The dry run does not use the token, and a rule is checked before it.
    assert!(answer::<Move>(&store, &[("Id", "a"), ("ClientToken", "t")]).await.is_ok());
    let parameters = [("Id", "b"), ("DryRun", "true")];
    assert_eq!(answer::<Move>(&store, &parameters).await, refused("404 Absent"));
}

#[tokio::test]
async fn a_token_repeats_the_answer_of_a_call_with_the_same_effective_parameters() {
    let store = gateways([("a", "v"), ("b", "v")]);
    let first = [("Id", "a"), ("ClientToken", "t")];
    let answered = answer::<Move>(&store, &first).await.unwrap();
    // The state that gave the default has changed since.
    answer::<Move>(&store, &[("Id", "a"), ("VpcId", "w")]).await.unwrap();
    for (added, repeats) in [
        (&[][..], true),
        (&[("VpcId", "v")], true),
        (&[("VpcId", "w")], false),
        (&[("Colour", "grey")], true),
        (&[("Colour", "red")], false),
        (&[("DryRun", "true")], false),
        (&[("DryRun", "false")], true),
    ] {
        let parameters = [&first, added].concat();
        let expected =
            if repeats { Ok(answered.clone()) } else { refused("409 IdempotentParameterMismatch") };
        assert_eq!(answer::<Move>(&store, &parameters).await, expected, "{added:?}");
    }
    let other = [("Id", "b"), ("ClientToken", "t")];
    assert_eq!(answer::<Move>(&store, &other).await, refused("409 IdempotentParameterMismatch"));
    assert_eq!(vpc_of(&store, "a").await.as_deref(), Some("w"));
}

#[tokio::test]
async fn a_parameter_that_was_sent_and_has_no_default_in_the_state_must_be_sent_again() {
    let store = gateways([("a", "v")]);
    let note = [("Id", "a"), ("Note", "n"), ("ClientToken", "t")];
    answer::<Move>(&store, &note).await.unwrap();
    let without = [("Id", "a"), ("ClientToken", "t")];
    assert_eq!(answer::<Move>(&store, &without).await, refused("409 IdempotentParameterMismatch"));
}

#[tokio::test]
async fn a_token_has_the_scope_of_operation_and_region_and_expires() {
    let store = gateways([("a", "v")]);
    let token = |region_id: &str, action: &str, expires_at: u64| ClientToken {
        account_id: ACCOUNT_ID.into(),
        region_id: Region::find(region_id),
        action: action.into(),
        client_token: "t".into(),
        expires_at: Timestamp { secs: expires_at },
        parameters: Texts::default(),
        answer: Texts::default(),
    };
    for other in [
        token("cn-beijing", Move::NAME, NOW_SECS + 1),
        token(REGION_ID, Remove::NAME, NOW_SECS + 1),
        token(REGION_ID, Move::NAME, NOW_SECS),
    ] {
        store.put(other.into()).await;
    }
    let parameters = [("Id", "a"), ("ClientToken", "t")];
    answer::<Move>(&store, &parameters).await.unwrap();
    let key = ClientToken::key(SCOPE, Move::NAME, "t");
    let Document::Resource(Resource::ClientToken(kept)) = store.read(&key).await.unwrap().document
    else {
        panic!("not a token")
    };
    assert_eq!(kept.expires_at.secs, NOW_SECS + 24 * 60 * 60);
    let texts = |pairs: &[(&str, &str)]| pairs.iter().copied().collect::<Texts>();
    assert_eq!(kept.parameters, texts(&[("Id", "a"), ("Colour", "grey"), ("VpcId", "v")]));
    assert_eq!(kept.answer, texts(&[("Id", "a")]));
    let expired =
        ClientToken { parameters: Texts::default(), ..token(REGION_ID, Move::NAME, NOW_SECS) };
    store.put(expired.into()).await;
    // An expired token counts as absent, and its row is replaced.
    answer::<Move>(&store, &parameters).await.unwrap();
}

#[tokio::test]
async fn a_call_without_a_token_stores_no_token() {
    let store = gateways([("a", "v")]);
    answer::<Move>(&store, &[("Id", "a"), ("VpcId", "w")]).await.unwrap();
    assert_eq!(store.commits(), [["put"]]);
    answer::<Move>(&store, &[("Id", "a"), ("ClientToken", "t")]).await.unwrap();
    assert_eq!(store.commits(), [vec!["put"], vec!["put", "put"]]);
}

#[tokio::test]
async fn what_is_deleted_or_checked_is_read_first() {
    let store = gateways([("a", "v"), ("b", "w")]);
    let vpc = |id: &str| Vpc {
        vpc_id: id.into(),
        account_id: ACCOUNT_ID.into(),
        region_id: Region::find(REGION_ID).unwrap(),
        ipv6_gateway_id: Some("a".into()),
    };
    store.put(vpc("v").into()).await;
    store.forget_loads();
    assert_eq!(answer::<Remove>(&store, &[("Id", "a")]).await.unwrap(), r#"{"RequestId":"R"}"#);
    assert_eq!(store.loads(), 2);
    assert_eq!(store.commits(), [["delete", "check", "put"]]);
    assert_eq!(vpc_of(&store, "a").await, None);
    assert_eq!(vpc_of(&store, "b").await.as_deref(), Some("w"));
    assert_eq!(answer::<Remove>(&store, &[("Id", "a")]).await, refused("404 Absent"));
}

#[tokio::test]
async fn a_commit_that_meets_a_change_is_decided_again_on_fresh_documents() {
    let store = gateways([("a", "v")]);
    store.before_commits([gateway("a", "w").into()]);
    answer::<Move>(&store, &[("Id", "a"), ("ClientToken", "t")]).await.unwrap();
    assert_eq!(vpc_of(&store, "a").await.as_deref(), Some("w"));

    let store = gateways([("a", "v")]);
    store.before_commits([gateway("a", "locked").into()]);
    assert_eq!(answer::<Move>(&store, &[("Id", "a")]).await, refused("400 Locked"));
}

#[tokio::test]
async fn ram_is_asked_again_before_a_call_is_decided_on_fresh_documents() {
    let authorise = |seen: &Seen| match seen.get::<Ipv6Gateway>(Ipv6Gateway::at(SCOPE, "a")) {
        Ok(Some(gateway)) if &*gateway.vpc_id == "denied" => Err(Denial::default()),
        _ => Ok(()),
    };
    let denied = refused("403 Forbidden.RAM");
    let store = gateways([("a", "v")]);
    store.before_commits([gateway("a", "denied").into()]);
    let answered = answer_if::<Move>(&authorise, Format::Json, &store, &[("Id", "a")]).await;
    assert_eq!(answered, denied);
    assert_eq!(vpc_of(&store, "a").await.as_deref(), Some("denied"), "nothing was written");

    let store = gateways([("a", "locked")]).without_snapshots();
    store.before_loads([None, Some(gateway("a", "denied").into())]);
    let answered = answer_if::<Move>(&authorise, Format::Json, &store, &[("Id", "a")]).await;
    assert_eq!(answered, denied);
}

#[tokio::test]
async fn documents_that_keep_changing_end_in_the_system_being_busy() {
    let store = gateways([("a", "v")]);
    let change = |number: usize| gateway("a", &format!("v{number}")).into();
    store.before_commits(std::array::from_fn::<_, 5, _>(change));
    assert_eq!(answer::<Move>(&store, &[("Id", "a")]).await, refused("500 SystemBusy"));
    assert_eq!(store.commits().len(), 5);
}

#[tokio::test]
async fn a_refusal_on_documents_of_several_moments_is_confirmed() {
    // One round in a store with snapshot reads is a snapshot.
    let store = gateways([("a", "locked")]);
    assert_eq!(answer::<Move>(&store, &[("Id", "a")]).await, refused("400 Locked"));
    assert_eq!(store.loads(), 1);

    let store = gateways([("a", "locked")]).without_snapshots();
    assert_eq!(answer::<Move>(&store, &[("Id", "a")]).await, refused("400 Locked"));
    assert_eq!(store.loads(), 2);

    // After two rounds, one request reads the documents of both again.
    let store = gateways([("a", "b")]);
    assert_eq!(
        answer::<Chain>(&store, &[("Id", "a"), ("Links", "2")]).await,
        refused("404 Absent")
    );
    assert_eq!(store.loads(), 3);
    assert_eq!(store.last_load(), 2);
}

#[tokio::test]
async fn a_refusal_that_another_commit_has_overtaken_is_not_answered() {
    let store = gateways([("a", "locked")]).without_snapshots();
    store.before_loads([None, Some(gateway("a", "v").into())]);
    assert!(answer::<Move>(&store, &[("Id", "a")]).await.is_ok());

    // The first round's document changes before the second round reads the one that it named.
    let store = gateways([("a", "b"), ("c", "d")]);
    store.before_loads([None, Some(gateway("a", "c").into())]);
    let answered = answer::<Chain>(&store, &[("Id", "a"), ("Links", "2")]).await;
    assert_eq!(answered.unwrap(), r#"{"RequestId":"R","End":"d"}"#);
}
