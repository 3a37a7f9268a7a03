//! Payloads.

use ipv6_gateway::Event;

use crate::server::Server;

/// A payload of any kind: it is answered, or refused as an unsupported event.
pub(super) fn event(input: &[u8]) {
    match Event::parse(input) {
        Ok(_) => {
            let answer = Server::new().answer(input);
            assert!(answer.is_ok(), "read once, but not twice");
        }
        Err(unknown) => {
            let text = unknown.to_string();
            assert!(!text.is_empty() && !text.contains(['\n', '\r']), "{text:?}");
        }
    }
}
