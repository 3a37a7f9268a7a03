//! Values of parameters: the usual ones, those at a limit, and those next to them.

use proptest::prelude::*;
use proptest::sample::select;

use super::generate::gateways;
use super::scene::{ADDRESSES, OLD_TOKEN, REGION};

type Texts = BoxedStrategy<String>;

fn one_of(texts: &[&str]) -> Texts {
    select(texts.iter().map(|text| (*text).to_owned()).collect::<Vec<_>>()).boxed()
}

/// A text with something about it that it should not have.
fn spoilt(text: &'static str) -> Texts {
    let change = (0..9_usize, any::<prop::sample::Index>()).prop_map(move |(kind, at)| {
        let at = at.index(text.len());
        let (before, after) = text.split_at(at);
        match kind {
            0 => format!("{text} "),
            1 => format!(" {text}"),
            2 => text.to_uppercase(),
            3 => before.to_owned(),
            4 => format!("{before}\0{after}"),
            5 => format!("{before}é{after}"),
            6 => format!("{text}\n"),
            7 => format!("{before}+{after}"),
            _ => format!("{before}%{after}&<{after}"),
        }
    });
    change.boxed()
}

/// Any text, of any characters that can travel.
pub(super) fn any_text() -> Texts {
    prop_oneof![
        4 => ".{0,12}",
        1 => "[ -~]{0,40}",
        1 => Just("x".repeat(8192)),
        1 => Just("x".repeat(8193)),
        1 => Just("é".repeat(4096)),
    ]
    .boxed()
}

pub(super) fn region_id() -> Texts {
    prop_oneof![
        2 => Just("cn-shanghai".to_owned()),
        2 => one_of(&["cn-hangzhou", "cn-beijing", "cn-nowhere", "cn-huhehaote-a", ""]),
        1 => spoilt(REGION),
    ]
    .boxed()
}

pub(super) fn address_id() -> Texts {
    prop_oneof![
        6 => one_of(&ADDRESSES),
        2 => one_of(&["ipv6-nowhere", "ipv6--", "ipv6-", "ipv6", "", "2408:4004:1::1", "eni-1"]),
        1 => spoilt(ADDRESSES[0]),
        1 => "ipv6-[a-z0-9-]{1,80}",
    ]
    .boxed()
}

pub(super) fn gateway_id() -> Texts {
    prop_oneof![
        6 => one_of(gateways()),
        1 => one_of(&["", "ipv6gw-nowhere", "ipv6gw-", "igw-1"]),
        1 => spoilt("ipv6gw-1"),
    ]
    .boxed()
}

pub(super) fn charge_type() -> Texts {
    prop_oneof![
        6 => one_of(&["PayByTraffic", "PayByBandwidth"]),
        2 => one_of(&["", "PostPaid", "PrePaid", "paybytraffic", "1", "PayByLcu"]),
        1 => spoilt("PayByTraffic"),
    ]
    .boxed()
}

pub(super) fn older_charge_type() -> Texts {
    prop_oneof![
        3 => one_of(&["PostPaid", "PrePaid", ""]),
        1 => one_of(&["postpaid", "PayByTraffic", "null"]),
        1 => spoilt("PrePaid"),
    ]
    .boxed()
}

pub(super) fn bandwidth() -> Texts {
    prop_oneof![
        4 => one_of(&["1", "300", "999", "1000", "1001", "1999", "2000", "2001", "5000"]),
        2 => (1..=2100_u32).prop_map(|mbps| mbps.to_string()),
        2 => one_of(&[
            "", "0", "-1", "+1", "01", "00", "1.0", "1e3", "0x10", "true", "null", "[200]", "1_000",
            "1,000", "200Mbps", "4294967297", "18446744073709551617", "２００", "٢٠٠", " ", "-0",
        ]),
        1 => "[0-9]{1,22}",
        1 => spoilt("200"),
    ]
    .boxed()
}

pub(super) fn token() -> Texts {
    prop_oneof![
        6 => one_of(&["token-1", "token-2", "Token-1", OLD_TOKEN, ""]),
        1 => Just("t".repeat(64)),
        1 => Just("t".repeat(65)),
        1 => "[\\x00-\\x7f]{1,64}",
        1 => Just("é".repeat(32)),
        1 => spoilt("token-1"),
    ]
    .boxed()
}

pub(super) fn boolean() -> Texts {
    prop_oneof![
        4 => one_of(&["true", "false"]),
        2 => one_of(&["True", "FALSE", "tRuE", "", "1", "0", "yes", "no", "null", "t", "truefalse"]),
        1 => spoilt("true"),
    ]
    .boxed()
}
