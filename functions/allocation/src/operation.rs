//! What every operation is to the function that runs it: it names documents, then decides.

use std::sync::Arc;

use crate::document::{Account, ClientToken, Ipv6Address, Name, Resource};
use crate::error::Error;

/// Looks a request parameter up by its documented name.
pub type Parameters<'p> = dyn Fn(&str) -> Option<&'p str> + 'p;

/// One call of one operation, its parameters parsed.
pub trait Operation: Send + Sync {
    /// The documents that the decision needs, all of them, so that one read fetches them.
    fn names(&self, caller: &Caller) -> Vec<Name>;

    /// Decides on what was read.
    ///
    /// # Errors
    ///
    /// The first error of the table that applies, in checking order.
    fn decide(
        &self,
        caller: &Caller,
        documents: &Documents,
        fresh: &Fresh<'_>,
    ) -> Result<Decision, Error>;
}

/// Who calls, as the signature proved it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The account that owns the access key.
    pub account_id: String,
    /// The request's id, which serves as the token of a call that brings none (decision `token`).
    pub request_id: String,
}

/// What a decision may use that no document holds.
#[derive(Clone, Copy, Debug)]
pub struct Fresh<'a> {
    /// Seconds since 1970 UTC.
    pub now_secs: u64,
    /// 17 lower-case letters and digits, never used before: the tail of a new resource's id.
    pub id_tail: &'a str,
}

/// The documents that were read; a document that does not exist is not among them.
#[derive(Clone, Debug, Default)]
pub struct Documents(Vec<Arc<Resource>>);

impl Documents {
    /// The account of this id.
    #[must_use]
    pub fn account(&self, account_id: &str) -> Option<&Account> {
        self.0.iter().find_map(|resource| {
            let Resource::Account(account) = resource.as_ref() else { return None };
            (account.account_id == account_id).then_some(account)
        })
    }

    /// The IPv6 address of this id, whoever owns it.
    #[must_use]
    pub fn ipv6_address(&self, ipv6_address_id: &str) -> Option<&Ipv6Address> {
        self.0.iter().find_map(|resource| {
            let Resource::Ipv6Address(address) = resource.as_ref() else { return None };
            (address.ipv6_address_id == ipv6_address_id).then_some(address.as_ref())
        })
    }

    /// What is remembered under `name`, if that is the name of a client token.
    #[must_use]
    pub fn client_token(&self, name: &Name) -> Option<&ClientToken> {
        self.0.iter().find_map(|resource| {
            let Resource::ClientToken(token) = resource.as_ref() else { return None };
            (token.name() == *name).then_some(token.as_ref())
        })
    }
}

impl FromIterator<Arc<Resource>> for Documents {
    fn from_iter<I: IntoIterator<Item = Arc<Resource>>>(resources: I) -> Self {
        Self(resources.into_iter().collect())
    }
}

/// The elements of a success answer, without the `RequestId`.
pub type Answer = Vec<(&'static str, String)>;

/// What a call that passed every check comes to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The call was made before under the same token: the same answer again, and nothing to write.
    Replay(Answer),
    /// The answer, to be given only once all of `writes` are committed together.
    Commit {
        /// The documents as they shall be.
        writes: Vec<Resource>,
        /// The elements of the answer.
        answer: Answer,
    },
}
