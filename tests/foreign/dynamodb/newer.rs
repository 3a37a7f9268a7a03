//! Items that a newer program wrote: this program reads them, and neither overwrites nor deletes
//! them.

use ::store::{Change, Error, Store, Write};
use foreign::dynamodb_local::patient_client;
use serde_json::json;
use suites::conformance::{account, account_key, write};

use super::{local, new_table};

/// Gives the item of an account the next schema number.
async fn renew(table: &str, number: usize) {
    let body = json!({
        "TableName": table,
        "Key": { "pk": { "S": account_key(number).text() }, "sk": { "S": "-" } },
        "UpdateExpression": "SET schema_number = :newer",
        "ExpressionAttributeValues": { ":newer": { "N": "2" } }
    });
    // DynamoDB Local checks no signature.
    let credential = "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/dynamodb/aws4_request, \
                      SignedHeaders=host, Signature=0";
    let request = harness::http::local_client().unwrap().post(local());
    let request = request
        .header("x-amz-target", "DynamoDB_20120810.UpdateItem")
        .header("content-type", "application/x-amz-json-1.0")
        .header("x-amz-date", "20260101T000000Z")
        .header("authorization", credential);
    let answer = request.body(body.to_string()).send().await.unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
}

#[tokio::test]
async fn an_item_of_a_newer_form_is_read_and_checked_but_not_written() {
    let table = new_table().await;
    let store = patient_client(local(), &table);
    store.commit(vec![write(1, None), write(2, None)]).await.unwrap();
    renew(&table, 1).await;
    let read = store.load(&[account_key(1), account_key(2)]).await.unwrap();
    let [newer, other] = [0, 1].map(|at| read[at].as_ref().unwrap());
    assert_eq!(newer.document, account(1));
    let change = |change| Write { key: account_key(1), change, rests_on: Some(newer.version) };
    for refused in [change(Change::Put(account(1))), change(Change::Delete)] {
        let message = store.commit(vec![refused, write(2, Some(other.version))]).await.unwrap_err();
        assert!(
            message.with_causes().contains("a newer program wrote a row (account)"),
            "{message:?}"
        );
    }
    assert!(matches!(store.commit(vec![write(1, None)]).await, Err(Error::Conflict)));
    let checked = vec![change(Change::Check), write(2, Some(other.version))];
    store.commit(checked).await.unwrap();
}
