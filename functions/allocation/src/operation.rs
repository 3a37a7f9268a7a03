//! What an operation is, for the runner: it names its call's scope and keys, then decides on what
//! was read.

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

/// An operation of the API: a type without values that holds its rules.
pub trait Operation: 'static {
    /// The name, as `Action` and `x-acs-action` give it.
    const NAME: &'static str;
    /// The errors that it answers, in checking order: where several apply, the first is answered.
    /// Those of the runner (token, dry run) are among them; those that only a planned fault causes
    /// are last. `SystemBusy` is not among them: it has no place.
    const ERRORS: &'static [&'static ErrorRow];
    /// The top elements of its answer in JSON, `RequestId` among them, in the order of the
    /// vendor's samples.
    const JSON: &'static [&'static str];
    /// The same in XML.
    const XML: &'static [&'static str];
    /// Parameters whose default depends on the state: a replay may leave them out, whatever the
    /// first call took for them (decision `token-same`).
    const DEFAULTED_FROM_STATE: &'static [&'static str] = &[];

    /// Whether its calls change something. Such a call takes a `ClientToken` and may be a dry run.
    const CHANGES: bool;

    /// The operation's own parameters, all in form; they borrow the request's buffer.
    type Call<'p>: Send + Sync;
    /// The elements of a success, without the `RequestId`, by their names on the wire. A member
    /// that may be absent is left out, never null.
    type Answer<'s>: Serialize;

    /// Parses the operation's own parameters: all but those of [`Common`].
    ///
    /// # Errors
    ///
    /// The first row that applies.
    fn parse<'p>(parameters: &Parameters<'p>) -> Result<Self::Call<'p>, Refusal>;

    /// The keys of what the decision most likely needs, so that one read fetches it. A hint:
    /// [`Operation::decide`] asks for whatever else it needs.
    fn first(call: &Self::Call<'_>, scope: Scope<'_>) -> Vec<Key>;

    /// The resource parts of the ARNs that RAM checks, as `ipv6bandwidth/*`; each of them must be
    /// allowed (decisions `denied` and `deny-by-address`). The parameters may be out of form, and
    /// `seen` may lack what [`Operation::first`] asked for; what is not known is `*`.
    fn resources(parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String>;

    /// The parameters that calls with one client token must have in common: the operation's own,
    /// defaults filled in (decision `token-same`), without those whose default depends on the state
    /// and that the call does not give.
    fn compared<'c>(_call: &'c Self::Call<'_>) -> Vec<(&'static str, Cow<'c, str>)> {
        Vec::new()
    }

    /// The documents that the call lists, for an operation that lists.
    fn listing<'c>(_call: &'c Self::Call<'_>, _scope: Scope<'_>) -> Option<Listing<'c>> {
        None
    }

    /// Decides on what was read. It may run several times, so it has no effects.
    ///
    /// # Errors
    ///
    /// [`Halt::Refused`]: the first row that applies. [`Halt::Read`]: the decision needs more.
    fn decide<'s>(
        call: &'s Self::Call<'_>,
        scope: Scope<'_>,
        seen: &'s Seen,
        fresh: &mut Fresh<'_>,
    ) -> Result<Outcome<Self::Answer<'s>>, Halt>;

    /// What a client token remembers of an answer: its elements. Only operations whose answer is
    /// flat texts can have one.
    fn remember(_answer: &Self::Answer<'_>) -> Texts {
        Texts::default()
    }
}

/// The parameters that operations have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Common<'p> {
    /// `RegionId`.
    pub region: Region,
    /// `ClientToken`, in form.
    pub client_token: Option<&'p str>,
    /// `DryRun`.
    pub dry_run: bool,
}

impl<'p> Common<'p> {
    /// Reads a call of the operation `O`: the region, the operation's own parameters, and, if it
    /// changes something, token and dry run, in this order.
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

    /// What the account has in the call's region.
    #[must_use]
    pub fn scope<'a>(&self, account_id: &'a str) -> Scope<'a> {
        Scope { account_id, region_id: self.region.id() }
    }
}

/// What a decision may use that no document holds.
pub struct Fresh<'a> {
    /// Seconds since 1970 UTC.
    pub now_secs: u64,
    tails: &'a mut dyn FnMut() -> String,
}

impl<'a> Fresh<'a> {
    /// The time, and a source of 17 lower-case letters and digits that never repeats itself.
    pub fn new(now_secs: u64, tails: &'a mut dyn FnMut() -> String) -> Self {
        Self { now_secs, tails }
    }

    /// A new id with this prefix, as `ipv6bw-`.
    pub fn id(&mut self, prefix: &str) -> String {
        [prefix, &(self.tails)()].concat()
    }
}

impl fmt::Debug for Fresh<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Fresh").field("now_secs", &self.now_secs).finish_non_exhaustive()
    }
}

/// What a call lists: all documents of a partition that match, or a page of them.
pub struct Listing<'c> {
    /// The kind, account and region.
    pub partition: Partition,
    /// Whether a document is in the list.
    pub matches: Box<dyn Fn(&Resource) -> bool + Send + Sync + 'c>,
    /// Which of them are answered.
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

/// What came of a listing. It is of no single moment: others may commit while it is read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listed {
    /// How many documents match.
    pub total: usize,
    /// Those of the page, by id.
    pub page: Vec<Resource>,
}

/// What was read for a call so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    documents: Vec<(Key, Option<Resource>)>,
    listed: Option<Listed>,
}

impl Seen {
    /// Takes what was read under `key`: a document, or that there is none.
    pub fn add(&mut self, key: Key, document: Option<Resource>) {
        self.documents.push((key, document));
    }

    /// Takes what came of the call's listing.
    pub fn add_listed(&mut self, listed: Listed) {
        self.listed = Some(listed);
    }

    /// The keys of all documents that were read.
    pub fn keys(&self) -> impl Iterator<Item = &Key> {
        self.documents.iter().map(|(key, _)| key)
    }

    /// The document `at` a place, or that there is none.
    ///
    /// # Errors
    ///
    /// [`Halt::Read`]: it was not read.
    pub fn get<K>(&self, at: Parts<'_>) -> Result<Option<&K>, Halt>
    where
        Resource: AsKind<K>,
    {
        match self.documents.iter().find(|(key, _)| at.are_of(key)) {
            Some((_, document)) => Ok(document.as_ref().and_then(AsKind::as_kind)),
            None => Err(Halt::Read(vec![at.key()])),
        }
    }

    /// The documents `at` these places, in their order, each or that there is none.
    ///
    /// # Errors
    ///
    /// [`Halt::Read`]: the keys of those that were not read.
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

    /// What came of the call's listing.
    ///
    /// # Errors
    ///
    /// [`Halt::List`]: it was not read.
    pub fn listed(&self) -> Result<&Listed, Halt> {
        self.listed.as_ref().ok_or(Halt::List)
    }
}

/// Why a decision ended without an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Halt {
    /// A rule refused the call.
    Refused(Refusal),
    /// The documents of these keys are needed first.
    Read(Vec<Key>),
    /// The call's listing is needed first.
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

/// What a call that passed every check results in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome<A> {
    /// An answer; nothing is written.
    Answer(A),
    /// An answer, to be given only once all of `changes` are committed together.
    Commit {
        /// What is written, deleted and checked.
        changes: Vec<Write>,
        /// The answer.
        answer: A,
        /// The parameters that took their default from the state, with that default, for the
        /// token to remember.
        taken: Vec<(&'static str, String)>,
    },
}

/// The answer of an operation that answers nothing but its `RequestId`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Done {}

/// One change of a commit. Each rests on the document as it was read: if it has changed since,
/// nothing of the commit happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// The document as it shall be.
    Put(Resource),
    /// The document of this key goes.
    Delete(Key),
    /// The document of this key stays, and must be as it was read. A commit holds at most one
    /// change of each key, and at least one [`Write::Put`].
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
