//! The interface of operations: each names the keys of the documents that it needs and then decides
//! on the documents that were read.

use std::borrow::Cow;
use std::fmt;

use serde::Serialize;

use crate::document::Resource;
use crate::error::{ErrorRow, Refusal};
use crate::key::{Key, Partition, Parts, Scope};
use crate::kind::AsKind;
use crate::parameters::{Page, Parameters};
use crate::region::Region;
use crate::texts::Texts;

/// An operation of the API. The type has no state.
///
/// # Examples
///
/// A decision names the documents that it needs, then refuses the call or commits changes:
///
/// ```
/// use allocation::operations::DeleteIpv6InternetBandwidth as Delete;
/// use allocation::{Common, Fresh, Halt, Operation, Parameters, Seen};
///
/// let parameters = |name: &str| match name {
///     "RegionId" => Some("cn-huhehaote"),
///     "Ipv6AddressId" => Some("ipv6-1"),
///     _ => None,
/// };
/// let (common, call) = Common::parse::<Delete>(&Parameters::new(&parameters))?;
/// let scope = common.scope("1234567890123456");
/// let mut tails = String::new;
/// let mut fresh = Fresh::new(1_767_323_045, &mut tails);
///
/// let mut seen = Seen::default();
/// let Err(Halt::Read(keys)) = Delete::decide(&call, scope, &seen, &mut fresh) else {
///     unreachable!("the address was not read");
/// };
/// for key in keys {
///     seen.add(key, None);
/// }
/// let refused = Delete::decide(&call, scope, &seen, &mut fresh).unwrap_err();
/// let Halt::Refused(refusal) = refused else { unreachable!("the address was read") };
/// assert_eq!(refusal.row.code, "InvalidIpv6Instance.NotFound");
/// # Ok::<(), allocation::Refusal>(())
/// ```
pub trait Operation: 'static {
    /// The name, the value of `Action` or `x-acs-action`.
    const NAME: &'static str;
    /// The errors of the operation in checking order: the first that applies is answered. They
    /// include the errors for token and dry run; errors that only a planned fault causes are last.
    /// `SystemBusy` is missing, for it has no position in that order.
    const ERRORS: &'static [&'static ErrorRow];
    /// The top-level elements of the answer in JSON, including `RequestId`, in the order of the
    /// vendor's samples.
    const JSON: &'static [&'static str];
    /// The same in XML.
    const XML: &'static [&'static str];
    /// Parameters whose default depends on the state. A replay of a call may omit them (decision
    /// `token-same`).
    const DEFAULTED_FROM_STATE: &'static [&'static str] = &[];

    /// Whether the operation changes documents. If so, it has the parameters `ClientToken` and
    /// `DryRun`.
    const CHANGES: bool;

    /// The operation's own parameters, all valid; they borrow the request's buffer.
    type Call<'p>: Send + Sync;
    /// The elements of a successful answer without the `RequestId`, under the vendor's names. An
    /// absent member is left out, never null.
    type Answer<'s>: Serialize;

    /// Parses the operation's own parameters: all except those of [`Common`].
    ///
    /// # Errors
    ///
    /// The first row that applies.
    fn parse<'p>(parameters: &Parameters<'p>) -> Result<Self::Call<'p>, Refusal>;

    /// The keys of the documents that the decision most likely needs, for the first read.
    /// [`Operation::decide`] may demand others.
    fn first(call: &Self::Call<'_>, scope: Scope<'_>) -> Vec<Key>;

    /// The resource parts of the ARNs that RAM checks, as in `ipv6bandwidth/*`. Each must be
    /// allowed (decisions `denied` and `deny-by-address`). The parameters may be invalid and `seen`
    /// may lack the documents of [`Operation::first`]; an unknown part is `*`.
    fn resources(parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String>;

    /// The parameters that must be equal in all calls with one client token: the operation's own,
    /// with defaults (decision `token-same`). An absent parameter whose default depends on the
    /// state is left out.
    fn compared<'c>(_call: &'c Self::Call<'_>) -> Vec<(&'static str, Cow<'c, str>)> {
        Vec::new()
    }

    /// The documents that the call lists; `None` if the operation lists nothing.
    fn listing<'c>(_call: &'c Self::Call<'_>, _scope: Scope<'_>) -> Option<Listing<'c>> {
        None
    }

    /// Decides on the documents that were read. It may run several times and has no side effects.
    ///
    /// # Errors
    ///
    /// [`Halt::Refused`]: the first row that applies. [`Halt::Read`] or [`Halt::List`]: the
    /// decision needs more documents.
    fn decide<'s>(
        call: &'s Self::Call<'_>,
        scope: Scope<'_>,
        seen: &'s Seen,
        fresh: &mut Fresh<'_>,
    ) -> Result<Outcome<Self::Answer<'s>>, Halt>;

    /// The elements of an answer that are stored with a client token. Only an answer of strings can
    /// be stored.
    fn remember(_answer: &Self::Answer<'_>) -> Texts {
        Texts::default()
    }
}

/// The parameters that all operations share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common<'p> {
    /// `RegionId`.
    pub region: Region,
    /// `ClientToken`.
    pub client_token: Option<&'p str>,
    /// `DryRun`.
    pub dry_run: bool,
}

impl<'p> Common<'p> {
    /// Reads a call of the operation `O`: first the region, then the operation's own parameters,
    /// then token and dry run if the operation has them.
    ///
    /// # Errors
    ///
    /// The first row that applies.
    pub fn parse<O: Operation>(
        parameters: &Parameters<'p>,
    ) -> Result<(Self, O::Call<'p>), Refusal> {
        let region = parameters.region()?;
        let call = O::parse(parameters)?;
        let mut common = Self { region, client_token: None, dry_run: false };
        if O::CHANGES {
            common.client_token = parameters.client_token()?;
            common.dry_run = parameters.dry_run()?;
        }
        Ok((common, call))
    }

    /// The scope of the call: the account and the call's region.
    #[must_use]
    pub fn scope<'a>(&self, account_id: &'a str) -> Scope<'a> {
        Scope { account_id, region_id: self.region.id() }
    }
}

/// The time and new ids for a decision.
pub struct Fresh<'a> {
    /// Seconds since 1970 UTC.
    pub now_secs: u64,
    tails: &'a mut dyn FnMut() -> String,
}

impl<'a> Fresh<'a> {
    /// `tails` must return 17 lower-case letters and digits, and never the same ones again.
    pub fn new(now_secs: u64, tails: &'a mut dyn FnMut() -> String) -> Self {
        Self { now_secs, tails }
    }

    /// A new id with this prefix, as in `ipv6bw-`.
    pub fn id(&mut self, prefix: &str) -> String {
        [prefix, &(self.tails)()].concat()
    }
}

impl fmt::Debug for Fresh<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Fresh").field("now_secs", &self.now_secs).finish_non_exhaustive()
    }
}

/// A listing: one page of the documents of a partition that match.
pub struct Listing<'c> {
    /// The kind, account and region.
    pub partition: Partition,
    /// Whether a document belongs to the list.
    pub matches: Box<dyn Fn(&Resource) -> bool + Send + Sync + 'c>,
    /// The page to return.
    pub page: Page,
}

impl fmt::Debug for Listing<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Listing")
            .field("partition", &self.partition)
            .field("page", &self.page)
            .finish_non_exhaustive()
    }
}

/// The result of a listing. It is no snapshot: commits may happen while it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// The number of documents that match.
    pub total: usize,
    /// The documents of the page, in the order of ids.
    pub page: Vec<Resource>,
}

/// The documents that were read for a call so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    documents: Vec<(Key, Option<Resource>)>,
    listed: Option<Listed>,
}

impl Seen {
    /// Adds the document that was read under `key`; `None` if there is none.
    pub fn add(&mut self, key: Key, document: Option<Resource>) {
        self.documents.push((key, document));
    }

    /// Adds the result of the call's listing.
    pub fn add_listed(&mut self, listed: Listed) {
        self.listed = Some(listed);
    }

    /// The keys of all documents that were read.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.documents.iter().map(|(key, _)| key)
    }

    /// The document with the key `at`; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Halt::Read`]: the key was not read.
    pub fn get<K>(&self, at: Parts<'_>) -> Result<Option<&K>, Halt>
    where
        Resource: AsKind<K>,
    {
        match self.documents.iter().find(|(key, _)| at.are_of(key)) {
            Some((_, document)) => Ok(document.as_ref().and_then(AsKind::as_kind)),
            None => Err(Halt::Read(vec![at.key()])),
        }
    }

    /// The documents with the keys `at`, in this order; `None` for each that does not exist.
    ///
    /// # Errors
    ///
    /// [`Halt::Read`]: the keys that were not read.
    pub fn all<'a, K>(
        &self,
        at: impl IntoIterator<Item = Parts<'a>>,
    ) -> Result<Vec<Option<&K>>, Halt>
    where
        Resource: AsKind<K>,
    {
        let (mut found, mut unread) = (Vec::new(), Vec::new());
        for at in at {
            match self.get(at) {
                Ok(document) => found.push(document),
                Err(_) if unread.iter().any(|key| at.are_of(key)) => {}
                Err(_) => unread.push(at.key()),
            }
        }
        if unread.is_empty() { Ok(found) } else { Err(Halt::Read(unread)) }
    }

    /// The result of the call's listing.
    ///
    /// # Errors
    ///
    /// [`Halt::List`]: the listing was not read.
    pub fn listed(&self) -> Result<&Listed, Halt> {
        self.listed.as_ref().ok_or(Halt::List)
    }
}

/// Why a decision ended without an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// A rule refused the call.
    Refused(Refusal),
    /// The decision needs the documents of these keys.
    Read(Vec<Key>),
    /// The decision needs the call's listing.
    List,
}

impl From<Refusal> for Halt {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<&'static ErrorRow> for Halt {
    fn from(row: &'static ErrorRow) -> Self {
        Self::Refused(row.into())
    }
}

/// The result of a call that passed every check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<A> {
    /// An answer without changes.
    Answer(A),
    /// Changes and the answer to give once they are committed atomically.
    Commit {
        /// The changes.
        changes: Vec<Write>,
        /// The answer.
        answer: A,
        /// The parameters that took their default from the state, with that default. They are
        /// stored with the client token.
        taken: Vec<(&'static str, String)>,
    },
}

/// The answer of an operation that has no elements but `RequestId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Done {}

/// One change of a commit. If its document has changed since it was read, the whole commit fails.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// Writes this document.
    Put(Resource),
    /// Deletes the document of this key.
    Delete(Key),
    /// Checks that the document of this key has not changed. A commit has at most one change per
    /// key, and at least one [`Write::Put`].
    Check(Key),
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::{Account, Vpc};

    const SCOPE: Scope<'_> = Scope { account_id: "1", region_id: "cn-huhehaote" };

    fn vpc(vpc_id: &str) -> Vpc {
        Vpc {
            vpc_id: vpc_id.into(),
            account_id: "1".into(),
            region_id: Region::find("cn-huhehaote").unwrap(),
            ipv6_gateway_id: None,
        }
    }

    #[test]
    fn a_document_is_there_or_not_there_or_not_read() {
        let [there, gone, unread] = ["there", "gone", "unread"].map(|id| Vpc::at(SCOPE, id));
        let mut seen = Seen::default();
        seen.add(there.key(), Some(vpc("there").into()));
        seen.add(gone.key(), None);
        assert_eq!(seen.get(there), Ok(Some(&vpc("there"))));
        assert_eq!(seen.get::<Vpc>(gone), Ok(None));
        assert_eq!(seen.get::<Vpc>(unread), Err(Halt::Read(vec![unread.key()])));
        assert_eq!(seen.get::<Account>(there), Ok(None), "it is of another kind");
    }

    #[test]
    fn several_documents_are_given_in_order_once_all_were_read_and_asked_for_once_until_then() {
        let [a, b, c] = ["a", "b", "c"].map(|id| Vpc::at(SCOPE, id));
        let asked = [c, a, b, c, a];
        let mut seen = Seen::default();
        seen.add(a.key(), Some(vpc("a").into()));
        assert_eq!(seen.all::<Vpc>(asked), Err(Halt::Read(vec![c.key(), b.key()])));
        seen.add(b.key(), None);
        seen.add(c.key(), Some(vpc("c").into()));
        let (a, c) = (vpc("a"), vpc("c"));
        assert_eq!(seen.all(asked), Ok(vec![Some(&c), Some(&a), None, Some(&c), Some(&a)]));
        assert_eq!(seen.all::<Vpc>([]), Ok(vec![]));
    }

    #[test]
    fn a_list_is_there_or_not_read() {
        let mut seen = Seen::default();
        assert_eq!(seen.listed(), Err(Halt::List));
        seen.add_listed(Listed::default());
        assert_eq!(seen.listed(), Ok(&Listed::default()));
    }
}
