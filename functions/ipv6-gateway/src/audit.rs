//! The audit log: one line for each call that changed something.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Instant;

use allocation::Texts;
use store::AccessKey;

use crate::run::Changed;
use crate::token::Compared;

/// A change, its caller and the caller's address.
pub(crate) struct Audit {
    pub(crate) access_key: Arc<AccessKey>,
    pub(crate) source_ip: Option<IpAddr>,
    pub(crate) changed: Changed,
}

impl Audit {
    /// Logs the change of a call that began at `began`.
    pub(crate) fn log(&self, request_id: &str, action: &str, began: Instant) {
        let AccessKey { account_id, access_key_id, .. } = &*self.access_key;
        let Changed { ids, is_replay, conflicts } = &self.changed;
        let source_ip = self.source_ip.map(tracing::field::display);
        let took_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        tracing::info!(
            request_id,
            action,
            account_id,
            access_key_id,
            source_ip,
            ids,
            is_replay,
            conflicts,
            took_us,
            "changed"
        );
    }
}

/// The ids in the parameters of a call and in its answer, as in
/// `Ipv6AddressId=ipv6-1 InternetBandwidthId=ipv6bw-2`. They are ids of existing documents, for the
/// call succeeded; a caller cannot put other text into the log.
pub(crate) fn ids(parameters: &Compared<'_>, answer: &Texts) -> String {
    // Unused if the log has only warnings.
    if !tracing::enabled!(tracing::Level::INFO) {
        return String::new();
    }
    let parameters = parameters.iter().map(|(name, value)| (*name, &**value));
    let is_new = |name: &str| parameters.clone().all(|(known, _)| known != name);
    let answered = answer.iter().filter(|(name, _)| is_new(name));
    let named = parameters.clone().chain(answered).filter(|(name, _)| name.ends_with("Id"));
    named.map(|(name, id)| [name, id].join("=")).collect::<Vec<_>>().join(" ")
}
