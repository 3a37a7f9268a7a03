use super::*;

fn text(text: &str) -> Scalar {
    Scalar::Text(text.to_owned())
}

#[test]
fn a_date_has_a_day_a_time_to_the_second_and_an_offset() {
    let secs = 1_352_678_399;
    for (written, nanos) in [
        ("2012-11-11T23:59:59Z", secs * 1_000_000_000),
        ("2012-11-11t23:59:59z", secs * 1_000_000_000),
        ("2012-11-12T07:59:59+08:00", secs * 1_000_000_000),
        ("2012-11-11T18:29:59-05:30", secs * 1_000_000_000),
        ("2012-11-11T23:59:59-00:00", secs * 1_000_000_000),
        ("2012-11-11T23:59:59.25Z", secs * 1_000_000_000 + 250_000_000),
        ("1969-12-31T23:59:59Z", -1_000_000_000),
        ("1970-01-01T00:00:00+00:01", -60_000_000_000),
    ] {
        assert_eq!(Instant::parse(&text(written)), Some(Instant(nanos)), "{written}");
    }
    for written in [
        "",
        "now",
        "2012-11-11",
        "2012-11-11T23:59Z",
        "2012-11-11T23:59:59",
        "2012-11-11 23:59:59Z",
        "2012-11-11é23:59:59Z",
        "2012-11-11T23:59:59+0800",
        "2012-11-11T23:59:59+08:60",
        "2012-11-11T24:00:00Z",
        "2012-02-30T00:00:00Z",
        "2012-13-01T00:00:00Z",
        "2012-11-11T23:59:59.Z",
        " 2012-11-11T23:59:59Z",
        "2012-11-11T23:59:59Z ",
        "20121111T235959Z",
        "1352678399",
    ] {
        assert_eq!(Instant::parse(&text(written)), None, "{written}");
    }
    assert_eq!(Instant::parse(&Scalar::Number(1_352_678_399.into())), None);
    assert_eq!(Instant::parse(&Scalar::Bool(true)), None);
}

#[test]
fn an_ip_range_is_an_address_or_a_block_of_any_prefix_length() {
    for (written, range) in [
        ("192.0.2.1", "192.0.2.1/32"),
        ("192.0.2.1/32", "192.0.2.1/32"),
        ("192.0.2.1/24", "192.0.2.0/24"),
        ("192.0.2.1/0", "0.0.0.0/0"),
        ("10.128.0.0/9", "10.128.0.0/9"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:DB8:0::1/32", "2001:db8::/32"),
        ("2001:db8::1/128", "2001:db8::1/128"),
        ("::/0", "::/0"),
        ("::ffff:192.0.2.1", "192.0.2.1/32"),
        ("::ffff:c000:201/120", "192.0.2.0/24"),
        ("::ffff:192.0.2.1/96", "0.0.0.0/0"),
        ("::ffff:192.0.2.1/95", "::fffe:0:0/95"),
        ("::192.0.2.1", "::192.0.2.1/128"),
    ] {
        let parsed = IpRange::parse(&text(written));
        assert_eq!(parsed.map(|range| range.0), range.parse().ok(), "{written}");
    }
    for written in [
        "",
        "*",
        "192.0.2",
        "192.0.2.256",
        "192.0.2.01",
        "010.0.0.0/8",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/+8",
        "10.0.0.0/08",
        "10.0.0.0/",
        "10.0.0.0/8/8",
        "10.0.0.0/255.0.0.0",
        "10.0.0.0 /8",
        "192.0.2.*",
        "2001:db8::/129",
        "2001:db8::/256",
        "2001:db8::1::",
        "fe80::1%eth0",
        "[::1]",
        "localhost",
    ] {
        assert_eq!(IpRange::parse(&text(written)), None, "{written}");
    }
    assert_eq!(IpRange::parse(&Scalar::Number(1.into())), None);
}

#[test]
fn a_number_is_one_of_json_or_a_decimal_text() {
    for written in ["0", "10", "-1", "1.5", "007", "-0.25", "123456789012345678901234567890"] {
        assert_eq!(Decimal::parse(&text(written)), Some(Decimal), "{written}");
    }
    for written in ["", "-", "+1", "1.", ".5", "1.2.3", "1e3", "0x10", " 1", "1,5", "ten", "٣"] {
        assert_eq!(Decimal::parse(&text(written)), None, "{written}");
    }
    assert_eq!(Decimal::parse(&Scalar::Number(1.into())), Some(Decimal));
    assert_eq!(Decimal::parse(&Scalar::Bool(true)), None);
}

#[test]
fn a_boolean_is_one_of_json_or_its_text() {
    for (written, value) in [
        (Scalar::Bool(true), Some(true)),
        (Scalar::Bool(false), Some(false)),
        (text("true"), Some(true)),
        (text("false"), Some(false)),
        (text("True"), None),
        (text(""), None),
        (text("1"), None),
        (Scalar::Number(1.into()), None),
    ] {
        assert_eq!(bool::parse(&written), value, "{written:?}");
    }
}
