//! World documents.

use serde_json::Value;
use store::World;

use crate::plan::{Shape, Style};
use crate::sent::{Key, Sent};
use crate::server::Server;
use crate::verdict::usual_action;
use harness::client::signature::encode;
use harness::world::members;

/// A world document: it is refused with its line and field, or it is written and read again without
/// a change, and served.
pub(super) fn world(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let world = match World::parse(text) {
        Ok(world) => world,
        Err(error) => {
            let lines = text.split('\n').count();
            assert!((1..=lines).contains(&error.line), "{lines} lines: {error}");
            assert!(!error.field.is_empty() && !error.message.is_empty(), "{error}");
            return;
        }
    };
    let write = |world: &World| world.to_json().unwrap_or_else(|error| panic!("{error}"));
    let read = |text: &str| {
        World::parse(text).unwrap_or_else(|error| panic!("written, but not read: {error}: {text}"))
    };
    let written = write(&world);
    assert_eq!(read(&written), world, "read otherwise than written: {written}");

    let documents = world.into_documents();
    let kept = World::from_documents(documents.clone());
    let written = write(&kept);
    let again = World::from_documents(read(&written).into_documents());
    assert_eq!(write(&again), written, "kept otherwise than written");

    let server = Server::holding(documents);
    for request in requests(text) {
        server.send(Shape::RestApi, &request);
    }
}

/// Calls with the world's own keys for its addresses.
fn requests(text: &str) -> Vec<Sent> {
    let world: Value = serde_json::from_str(text).unwrap_or_default();
    let mut requests = Vec::new();
    for (_, account) in members(&world["Accounts"]).take(3) {
        let of = |kind: &str, keys: &'static str| {
            members(&account[kind]).flat_map(move |(_, owner)| members(&owner[keys]))
        };
        let keys = members(&account["AccessKeys"]);
        let keys = keys.chain(of("RamUsers", "AccessKeys")).chain(of("RamRoles", "Sessions"));
        let addresses: Vec<_> = members(&account["Ipv6Addresses"]).collect();
        let token = members(&account["ClientTokens"]).next();
        let token = token.and_then(|(id, _)| id.splitn(3, '/').nth(2));
        for (position, (key_id, key)) in keys.take(4).enumerate() {
            let address = addresses.get(position);
            let region = address.and_then(|(_, address)| address["RegionId"].as_str());
            let parameters: Vec<_> = [
                ("RegionId", region),
                ("Ipv6AddressId", address.map(|(id, _)| id.as_str())),
                ("ClientToken", token),
            ]
            .into_iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", encode(value?))))
            .collect();
            let mut sent = Sent {
                method: "POST".to_owned(),
                query: format!("Bandwidth=1&{}", parameters.join("&")),
                ..Sent::default()
            };
            let member = |name: &str| key[name].as_str();
            let key = Key {
                id: key_id,
                secret: member("AccessKeySecret").unwrap_or_default(),
                security_token: member("SecurityToken"),
                is_good: true,
            };
            sent.sign(Style::V1, usual_action(), &key);
            requests.push(sent);
        }
    }
    requests
}
