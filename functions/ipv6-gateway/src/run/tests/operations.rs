//! Operations on gateways, for the tests of the runner.

use std::borrow::Cow;

use allocation::error::DRY_RUN_OPERATION;
use allocation::parameters::{Page, whole_number};
use allocation::{
    ErrorRow, Fresh, Halt, Ipv6Gateway, Key, Listing, Operation, Outcome, Parameters, Partition,
    Refusal, Resource, Scope, Seen, Texts, Vpc, Write,
};
use serde::Serialize;

static ABSENT: ErrorRow = ErrorRow::new(404, "Absent", "It does not exist.");
static LOCKED: ErrorRow = ErrorRow::new(400, "Locked", "It is locked.");
/// The operation's own row for a code of the runner, with another status.
static MISMATCH: ErrorRow =
    ErrorRow::new(409, "IdempotentParameterMismatch", "It was another call.");

fn key(scope: Scope<'_>, id: &str) -> Key {
    Ipv6Gateway::key(scope, id)
}

/// The parts that these operations share.
macro_rules! common {
    (changes: $changes:expr, json: $json:expr, xml: $xml:expr) => {
        const CHANGES: bool = $changes;
        const ERRORS: &'static [&'static ErrorRow] =
            &[&MISMATCH, &ABSENT, &LOCKED, &DRY_RUN_OPERATION];
        const JSON: &'static [&'static str] = $json;
        const XML: &'static [&'static str] = $xml;

        fn resources(_: &Parameters<'_>, _: Scope<'_>, _: &Seen) -> Vec<String> {
            Vec::new()
        }
    };
}

/// Reads no document and answers nested elements.
pub(super) struct Greet;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Greeting {
    count: u8,
    words: Words,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Words {
    word: [Word; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Word {
    text: &'static str,
}

impl Operation for Greet {
    const NAME: &'static str = "Greet";
    common!(changes: false, json: &["Words", "RequestId", "Count"], xml: &["RequestId", "Count", "Words"]);

    type Call<'p> = ();
    type Answer<'s> = Greeting;

    fn parse(_: &Parameters<'_>) -> Result<(), Refusal> {
        Ok(())
    }

    fn first((): &(), _: Scope<'_>) -> Vec<Key> {
        Vec::new()
    }

    fn decide<'s>(
        (): &'s (),
        _: Scope<'_>,
        _: &'s Seen,
        _: &mut Fresh<'_>,
    ) -> Result<Outcome<Greeting>, Halt> {
        let words = Words { word: [Word { text: "hello" }, Word { text: "you" }] };
        Ok(Outcome::Answer(Greeting { count: 2, words }))
    }
}

/// Follows a chain of gateways: the VPC's id of each is the id of the next.
pub(super) struct Chain;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct End<'s> {
    end: &'s str,
}

impl Operation for Chain {
    const NAME: &'static str = "Chain";
    common!(changes: false, json: &["RequestId", "End"], xml: &["RequestId", "End"]);

    type Call<'p> = (&'p str, u64);
    type Answer<'s> = End<'s>;

    fn parse<'p>(parameters: &Parameters<'p>) -> Result<(&'p str, u64), Refusal> {
        let links = parameters.given("Links").and_then(whole_number).ok_or(&ABSENT)?;
        Ok((parameters.required("Id", &ABSENT)?, links))
    }

    fn first((id, _): &(&str, u64), scope: Scope<'_>) -> Vec<Key> {
        vec![key(scope, id)]
    }

    fn decide<'s>(
        (id, links): &'s (&str, u64),
        scope: Scope<'_>,
        seen: &'s Seen,
        _: &mut Fresh<'_>,
    ) -> Result<Outcome<End<'s>>, Halt> {
        let mut end: &'s str = id;
        for _ in 0..*links {
            end = &seen.get::<Ipv6Gateway>(Ipv6Gateway::at(scope, end))?.ok_or(&ABSENT)?.vpc_id;
        }
        Ok(Outcome::Answer(End { end }))
    }
}

/// Lists the gateways of a VPC.
pub(super) struct List;

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Listed<'s> {
    total_count: usize,
    gateways: Gateways<'s>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Gateways<'s> {
    gateway: Vec<&'s str>,
}

impl Operation for List {
    const NAME: &'static str = "List";
    common!(changes: false, json: &["RequestId", "TotalCount", "Gateways"], xml: &["RequestId"]);

    type Call<'p> = (&'p str, Page);
    type Answer<'s> = Listed<'s>;

    fn parse<'p>(parameters: &Parameters<'p>) -> Result<(&'p str, Page), Refusal> {
        Ok((parameters.required("VpcId", &ABSENT)?, parameters.page()?))
    }

    fn first(_: &(&str, Page), _: Scope<'_>) -> Vec<Key> {
        Vec::new()
    }

    fn listing<'c>((vpc_id, page): &'c (&str, Page), scope: Scope<'_>) -> Option<Listing<'c>> {
        Some(Listing {
            partition: Partition::of(Ipv6Gateway::NAME, scope),
            matches: Box::new(move |document| match document {
                Resource::Ipv6Gateway(gateway) => &*gateway.vpc_id == *vpc_id,
                _ => false,
            }),
            page: *page,
        })
    }

    fn decide<'s>(
        _: &'s (&str, Page),
        _: Scope<'_>,
        seen: &'s Seen,
        _: &mut Fresh<'_>,
    ) -> Result<Outcome<Listed<'s>>, Halt> {
        let listed = seen.listed()?;
        let gateway = listed.page.iter().filter_map(|document| match document {
            Resource::Ipv6Gateway(gateway) => Some(&*gateway.ipv6_gateway_id),
            _ => None,
        });
        let gateways = Gateways { gateway: gateway.collect() };
        Ok(Outcome::Answer(Listed { total_count: listed.total, gateways }))
    }
}

/// Moves a gateway to the VPC that the call names, by default its current one.
pub(super) struct Move;

pub(super) struct MoveCall<'p> {
    id: &'p str,
    vpc_id: Option<&'p str>,
    note: Option<&'p str>,
    colour: &'p str,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Moved<'s> {
    id: &'s str,
}

impl Operation for Move {
    const NAME: &'static str = "Move";
    const DEFAULTED_FROM_STATE: &'static [&'static str] = &["VpcId"];
    common!(changes: true, json: &["Id", "RequestId"], xml: &["RequestId", "Id"]);

    type Call<'p> = MoveCall<'p>;
    type Answer<'s> = Moved<'s>;

    fn parse<'p>(parameters: &Parameters<'p>) -> Result<MoveCall<'p>, Refusal> {
        Ok(MoveCall {
            id: parameters.required("Id", &ABSENT)?,
            vpc_id: parameters.given("VpcId"),
            note: parameters.given("Note"),
            colour: parameters.given("Colour").unwrap_or("grey"),
        })
    }

    fn first(call: &MoveCall<'_>, scope: Scope<'_>) -> Vec<Key> {
        vec![key(scope, call.id)]
    }

    fn compared<'c>(call: &'c MoveCall<'_>) -> Vec<(&'static str, Cow<'c, str>)> {
        let given = [("Note", call.note), ("VpcId", call.vpc_id)];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value?)));
        let always = [("Id", call.id), ("Colour", call.colour)];
        let parameters = always.into_iter().chain(given);
        parameters.map(|(name, value)| (name, Cow::Borrowed(value))).collect()
    }

    fn decide<'s>(
        call: &'s MoveCall<'_>,
        scope: Scope<'_>,
        seen: &'s Seen,
        _: &mut Fresh<'_>,
    ) -> Result<Outcome<Moved<'s>>, Halt> {
        let gateway = seen.get::<Ipv6Gateway>(Ipv6Gateway::at(scope, call.id))?.ok_or(&ABSENT)?;
        if &*gateway.vpc_id == "locked" {
            return Err((&LOCKED).into());
        }
        let vpc_id: Box<str> = call.vpc_id.unwrap_or(&gateway.vpc_id).into();
        let taken = vec![("VpcId", vpc_id.to_string())];
        let moved = Ipv6Gateway { vpc_id, ..gateway.clone() };
        let answer = Moved { id: call.id };
        Ok(Outcome::Commit { changes: vec![Write::Put(moved.into())], answer, taken })
    }

    fn remember(answer: &Moved<'_>) -> Texts {
        [("Id", answer.id)].into_iter().collect()
    }
}

/// Deletes a gateway and removes it from its VPC, if the gateway `b` has not changed.
pub(super) struct Remove;

#[derive(Serialize)]
pub(super) struct Nothing {}

impl Operation for Remove {
    const NAME: &'static str = "Remove";
    common!(changes: true, json: &["RequestId"], xml: &["RequestId"]);

    type Call<'p> = &'p str;
    type Answer<'s> = Nothing;

    fn parse<'p>(parameters: &Parameters<'p>) -> Result<&'p str, Refusal> {
        parameters.required("Id", &ABSENT)
    }

    fn first(id: &&str, scope: Scope<'_>) -> Vec<Key> {
        vec![key(scope, id), Vpc::key(scope, "v")]
    }

    fn decide<'s>(
        id: &'s &str,
        scope: Scope<'_>,
        seen: &'s Seen,
        _: &mut Fresh<'_>,
    ) -> Result<Outcome<Nothing>, Halt> {
        let gateway = key(scope, id);
        seen.get::<Ipv6Gateway>(Ipv6Gateway::at(scope, id))?.ok_or(&ABSENT)?;
        let vpc = seen.get::<Vpc>(Vpc::at(scope, "v"))?.ok_or(&ABSENT)?;
        let vpc = Vpc { ipv6_gateway_id: None, ..vpc.clone() };
        let changes =
            vec![Write::Delete(gateway), Write::Check(key(scope, "b")), Write::Put(vpc.into())];
        Ok(Outcome::Commit { changes, answer: Nothing {}, taken: Vec::new() })
    }
}
