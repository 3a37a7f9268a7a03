//! Keys of documents as text, for stores that find things by it.

use allocation::Name;

use crate::{IdentityName, Key};

/// A key as text. What a caller chooses freely stands last, so that no two documents have the same.
pub(crate) fn key_text(key: &Key) -> String {
    match key {
        Key::AccessKey(id) => format!("access-key#{id}"),
        Key::Identity { account_id, name: IdentityName::RamUser(name) } => {
            format!("ram-user#{account_id}#{name}")
        }
        Key::Identity { account_id, name: IdentityName::RamRole(name) } => {
            format!("ram-role#{account_id}#{name}")
        }
        Key::Resource(Name::Account(id)) => format!("account#{id}"),
        Key::Resource(Name::Ipv6Gateway(id)) => format!("ipv6-gateway#{id}"),
        Key::Resource(Name::Ipv6Address(id)) => format!("ipv6-address#{id}"),
        Key::Resource(Name::InternetBandwidth(id)) => format!("internet-bandwidth#{id}"),
        Key::Resource(Name::ClientToken { account_id, region_id, action, client_token }) => {
            format!("client-token#{account_id}#{region_id}#{action}#{client_token}")
        }
    }
}
