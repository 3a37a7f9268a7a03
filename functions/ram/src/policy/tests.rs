use serde_json::{Value, json};

use super::*;

/// The field, line and message of a document's error.
fn refused(document: &str) -> (String, usize, String) {
    let mut json = serde_json::Deserializer::from_str(document);
    let policy: Result<Policy, _> = serde_path_to_error::deserialize(&mut json);
    let error = policy.expect_err(document);
    let message = error.inner().to_string();
    let message = message.split(" at line ").next().unwrap_or_default().to_owned();
    (error.path().to_string(), error.inner().line(), message)
}

/// A policy of a good statement and then `statement`, which begins on line 9.
fn after_a_good_one(statement: &str) -> String {
    format!(
        r#"{{
"Version": "1",
"Statement": [
{{"Effect": "Allow",
"Action": "*",
"Resource": "*"
}}
,
{statement}
]}}"#
    )
}

fn assert_names_field(statement: &str, field: &str, line: usize, message: &str) {
    let expected = (format!("Statement[1].{field}"), line, message.to_owned());
    assert_eq!(refused(&after_a_good_one(statement)), expected, "{statement}");
}

#[test]
fn an_error_in_a_statement_names_its_field_and_line() {
    for (statement, field, line, message) in [
        (
            "{\"Effect\": \"allow\",\n\"Action\": \"*\", \"Resource\": \"*\"}",
            "Effect",
            9,
            "invalid effect `allow`, expected `Allow` or `Deny`",
        ),
        ("{\"Effect\":\n{\"Allow\": null}}", "Effect", 10, "invalid type: map, expected an effect"),
        (
            "{\"Effect\": \"Deny\",\n\"Action\": \"vpc\", \"Resource\": \"*\"}",
            "Action",
            10,
            "invalid action `vpc`, expected `*` or `service:operation`",
        ),
        (
            "{\"NotAction\": [\"vpc:*\",\n\"vpc:\"],\n\"Resource\": \"*\"}",
            "NotAction[1]",
            10,
            "invalid action `vpc:`, expected `*` or `service:operation`",
        ),
        (
            "{\"Action\": []}",
            "Action",
            9,
            "invalid length 0, expected an action or a list of at least one",
        ),
        (
            "{\"Action\": null}",
            "Action",
            9,
            "invalid type: null, expected an action or a list of at least one",
        ),
        (
            "{\"Action\": [\"*\", [\"*\"]]}",
            "Action[1]",
            9,
            "invalid type: sequence, expected an action",
        ),
        ("{\"Action\": 1}", "Action", 9, "invalid type: integer `1`, expected an action"),
        (
            "{\n\"Resource\": [\"*\",\n\"acs:vpc:*:*\"]}",
            "Resource[1]",
            11,
            "invalid resource `acs:vpc:*:*`, expected `*` or \
             `acs:service:region:account:relative-id`",
        ),
        (
            "{\"Resource\": true}",
            "Resource",
            9,
            "invalid type: boolean `true`, expected a resource",
        ),
        (
            "{\n\"Sid\": \"x\"}",
            "Sid",
            10,
            "unknown field `Sid`, expected one of `Effect`, `Action`, `NotAction`, `Resource`, \
             `Condition`",
        ),
    ] {
        assert_names_field(statement, field, line, message);
    }
}

#[test]
fn an_error_in_a_condition_names_its_field_and_line() {
    for (statement, field, line, message) in [
        (
            "{\n\"Condition\": null}",
            "Condition",
            10,
            "invalid type: null, expected an object of operators",
        ),
        (
            "{\"Condition\": {\"Bool\":\n[]}}",
            "Condition.Bool",
            10,
            "invalid type: sequence, expected an object of keys and values",
        ),
        (
            "{\"Condition\": {\"IpAddress\": {\n\"acs:SourceIp\": \"10.0.0.0/33\"}}}",
            "Condition.IpAddress.acs:SourceIp",
            10,
            "invalid value `10.0.0.0/33`, expected an IP address or CIDR block",
        ),
        (
            "{\"Condition\": {\"IpAddress\": {\"acs:SourceIp\": [\"10.0.0.0/8\",\n\"x\"]}}}",
            "Condition.IpAddress.acs:SourceIp[1]",
            10,
            "invalid value `x`, expected an IP address or CIDR block",
        ),
        (
            "{\"Condition\": {\"Bool\": {\"acs:MFAPresent\": \"yes\"}}}",
            "Condition.Bool.acs:MFAPresent",
            9,
            "invalid value `yes`, expected true or false",
        ),
        (
            "{\"Condition\": {\"Bool\": {\"acs:MFAPresent\": {}}}}",
            "Condition.Bool.acs:MFAPresent",
            9,
            "invalid type: map, expected true or false or a list of at least one",
        ),
        (
            "{\"Condition\": {\"NumericEquals\": {\"x:y\": [1,\n\"1e3\"]}}}",
            "Condition.NumericEquals.x:y[1]",
            10,
            "invalid value `1e3`, expected a decimal number",
        ),
        (
            "{\"Condition\": {\"DateLessThan\": {\"acs:CurrentTime\": 1352678399}}}",
            "Condition.DateLessThan.acs:CurrentTime",
            9,
            "invalid value `1352678399`, expected a date like 2012-11-11T23:59:59Z or 2019-08-12T17:00:00+08:00",
        ),
        (
            "{\"Condition\": {\"StringLike\": {\"x:y\": [null]}}}",
            "Condition.StringLike.x:y[0]",
            9,
            "invalid type: null, expected a string, number or boolean",
        ),
        (
            "{\"Condition\": {\"StringLike\": {\"x:y\": []}}}",
            "Condition.StringLike.x:y",
            9,
            "invalid length 0, expected a string, number or boolean or a list of at least one",
        ),
    ] {
        assert_names_field(statement, field, line, message);
    }
}

#[test]
fn the_error_for_an_unknown_operator_lists_the_known_ones() {
    for operator in ["StringEqual", "stringEquals", "BoolIfExists", ""] {
        let statement = format!("{{\"Condition\": {{\n\"{operator}\": {{}}}}}}");
        let (field, line, message) = refused(&after_a_good_one(&statement));
        assert_eq!((field, line), (format!("Statement[1].Condition.{operator}"), 10));
        let expected = format!("invalid operator `{operator}`, expected one of StringEquals, ");
        assert!(message.starts_with(&expected), "{message}");
        assert!(message.ends_with(", NotIpAddress"), "{message}");
    }
}

#[test]
fn an_error_of_a_whole_statement_names_the_statement() {
    for (statement, message) in [
        (
            r#"{"Action": "*", "NotAction": "*"}"#,
            "both `Action` and `NotAction`, expected one of them",
        ),
        (r#"{"Effect": "Allow", "Resource": "*"}"#, "missing field `Action` or `NotAction`"),
        (r#"{"Effect": "Allow", "Action": "*"}"#, "missing field `Resource`"),
        (r#"{"Action": "*", "Resource": "*"}"#, "missing field `Effect`"),
        (r#"{"Effect": "Deny", "Effect": "Deny"}"#, "duplicate field `Effect`"),
        (
            r#"["Allow", "*", "*", "*"]"#,
            "invalid type: sequence, expected a statement, an object of `Effect`, `Action` or \
             `NotAction`, and `Resource`",
        ),
    ] {
        let (field, _, read) = refused(&after_a_good_one(statement));
        assert_eq!((field.as_str(), read.as_str()), ("Statement[1]", message), "{statement}");
    }
}

#[test]
fn a_repeated_member_of_a_condition_is_an_error() {
    for (condition, field, message) in [
        (r#"{"Bool": {}, "Bool": {}}"#, "", "duplicate operator `Bool`"),
        (
            r#"{"Bool": {"acs:MFAPresent": true, "acs:mfapresent": true}}"#,
            ".Bool",
            "duplicate key `acs:mfapresent`: letter case does not count",
        ),
    ] {
        let (read_field, _, read) =
            refused(&after_a_good_one(&format!("{{\"Condition\": {condition}}}")));
        assert_eq!(read_field, format!("Statement[1].Condition{field}"));
        assert_eq!(read, message);
    }
}

#[test]
fn an_error_in_the_document_names_its_field() {
    for (document, field, message) in [
        ("{}", ".", "missing field `Version`"),
        (r#"{"Version": "1"}"#, ".", "missing field `Statement`"),
        (
            r#"{"Version": "1", "Statement": []}"#,
            "Statement",
            "invalid length 0, expected at least one statement",
        ),
        (
            r#"{"Version": "1", "Statement": {}}"#,
            "Statement",
            "invalid type: map, expected a sequence",
        ),
        (r#"{"Version": "2012-10-17"}"#, "Version", "invalid version `2012-10-17`, expected `1`"),
        (r#"{"Version": 1}"#, "Version", "invalid type: integer `1`, expected the string \"1\""),
        (
            r#"{"version": "1"}"#,
            "version",
            "unknown field `version`, expected `Version` or `Statement`",
        ),
        (r#"{"Version": "1", "Version": "1"}"#, ".", "duplicate field `Version`"),
        (
            "[\"1\", []]",
            ".",
            "invalid type: sequence, expected a policy, an object of `Version` and `Statement`",
        ),
    ] {
        let (read_field, _, read) = refused(document);
        assert_eq!((read_field.as_str(), read.as_str()), (field, message), "{document}");
    }
}

#[test]
fn a_document_nested_too_deep_is_refused() {
    for open in ["[", "{\"a\":", "{\"Statement\":[", "{\"Version\":"] {
        let (_, line, _) = refused(&open.repeat(100_000));
        assert_eq!(line, 1);
    }
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let statement = format!("{{\"Condition\": {{\"Bool\": {{\"x:y\": {deep}}}}}}}");
    refused(&after_a_good_one(&statement));
}

#[test]
fn a_policy_is_written_back_as_it_was_read() {
    let document = json!({
        "Version": "1",
        "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"},
            {"Effect": "Deny", "NotAction": ["VPC:*"], "Resource": ["acs:vpc:*::a:b", "*"]},
            {"Effect": "Allow", "Action": ["*", "a:b"], "Resource": ["*"], "Condition": {}},
            {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {
                "StringEquals": {},
                "StringLike": {"acs:CURRENTTIME": [1, -1, 0.1, -0.0, 1e300, true, "", "*"]},
                "NumericLessThan": {
                    "x:y": u64::MAX,
                    "x:z": [i64::MIN, "1", 1.0],
                    "": 123_456_789_012_345_680_000_000_000.0_f64,
                },
                "DateEquals": {"acs:CurrentTime": "2019-08-12T17:00:00+08:00"},
                "Bool": {"acs:MFAPresent": true, "acs:SecureTransport": "true", "z": [false]},
                "NotIpAddress": {"acs:sourceip": ["192.0.2.1/24", "::ffff:192.0.2.1"]},
            }},
        ],
    });
    let policy: Policy = serde_json::from_value(document.clone()).expect("a policy");
    let written = serde_json::to_string(&policy).expect("JSON");
    let read: Value = serde_json::from_str(&written).expect("JSON");
    assert_eq!(read, document);
    assert_eq!(serde_json::from_str::<Policy>(&written).expect("a policy"), policy);
}

#[test]
fn a_fraction_is_written_back_to_its_last_digit() {
    for number in [
        "0.1",
        "9007199254740993.0",
        "4.549634940177443582e-76",
        "5e-324",
        "1.7976931348623157e308",
    ] {
        let statement = format!(
            "{{\"Effect\": \"Deny\", \"Action\": \"*\", \"Resource\": \"*\", \"Condition\": \
             {{\"NumericEquals\": {{\"x:y\": {number}}}}}}}"
        );
        let document = after_a_good_one(&statement);
        let policy: Policy = serde_json::from_str(&document).expect("a policy");
        let written = serde_json::to_value(&policy).expect("JSON");
        assert_eq!(written, serde_json::from_str::<Value>(&document).expect("JSON"));
    }
}
