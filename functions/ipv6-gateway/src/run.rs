//! Runs an operation: decides on the documents, reads further ones if needed, commits the changes, and
//! starts over with fresh documents after a conflict.

use std::ops::ControlFlow;

use allocation::{
    ClientToken, Fresh, Halt, Key, Listed, Listing, Outcome, Refusal, Scope, Seen, Texts,
    Timestamp, error,
};
use rpc::{Format, Members};
use store::{Document, Store, Versioned, Write};

use crate::failure::Failure;
use crate::invocation::{ParsedCall, Rendered};
use crate::operations::Entry;
use crate::permission::Denial;
use crate::reading::Reading;
use crate::{Function, Ids, audit, token};

/// The most decisions of a call. After as many conflicts it fails (decision `busy`).
const DECISIONS_MAX: usize = 5;

/// The most reads for a decision, including the first.
const ROUNDS_MAX: usize = 3;

/// Authorises a call on the documents that were read. The resources of a call may depend on documents,
/// so a call is authorised again after they were read again (decision `deny-by-address`).
pub(crate) type Authorise<'a> = dyn Fn(&Seen) -> Result<(), Denial> + Sync + 'a;

/// An authorised call.
pub(crate) struct Run<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) parsed: &'a ParsedCall<'a>,
    pub(crate) scope: Scope<'a>,
    pub(crate) authorise: &'a Authorise<'a>,
    pub(crate) format: Format,
    pub(crate) now_secs: u64,
}

/// The success of an authorised call.
pub(crate) struct Answered {
    pub(crate) members: Members,
    /// The change; `None`: the call changed nothing.
    pub(crate) changed: Option<Changed>,
}

/// A committed change.
pub(crate) struct Changed {
    /// See [`audit::ids`].
    pub(crate) ids: String,
    /// Whether an earlier call with the same client token committed the change.
    pub(crate) is_replay: bool,
    /// The number of conflicts with other commits.
    pub(crate) conflicts: usize,
}

impl Answered {
    /// Whether this call committed a change.
    pub(crate) fn is_committed(&self) -> bool {
        self.changed.as_ref().is_some_and(|changed| !changed.is_replay)
    }
}

/// The decision on a call.
enum Decided {
    /// Answer without a change.
    Answer(Members),
    /// Repeat the answer of an earlier call with the same client token. With the ids of call and
    /// answer.
    Repeat(Members, String),
    /// Commit, then answer. With the ids of call and answer.
    Commit { writes: Vec<Write>, answer: Members, ids: String },
    /// Answer an error.
    Refused(Refusal),
}

impl<S: Store> Function<S> {
    /// Decides on `reading` and commits the changes. After a conflict, decides again on fresh
    /// documents (decision `race`).
    pub(crate) async fn run(
        &self,
        run: &Run<'_>,
        mut reading: Reading,
    ) -> Result<Answered, Failure> {
        for conflicts in 0..DECISIONS_MAX {
            let answered = |members, ids, is_replay| Answered {
                members,
                changed: Some(Changed { ids, is_replay, conflicts }),
            };
            match self.decide(run, &mut reading).await? {
                Decided::Answer(members) => return Ok(Answered { members, changed: None }),
                Decided::Repeat(members, ids) => return Ok(answered(members, ids, true)),
                Decided::Refused(refusal)
                    if self.store.has_snapshot_reads() && reading.rounds == 1 =>
                {
                    return Err(refusal.into());
                }
                Decided::Refused(refusal) => {
                    // A commit may have happened between two reads. For example, the address has the
                    // bandwidth, but the client token of the call that bought it was read before.
                    let again = self.read_again(run, &reading).await?;
                    if again.is_as(&reading) {
                        return Err(refusal.into());
                    }
                    reading = again;
                }
                Decided::Commit { writes, answer, ids } => match self.store.commit(writes).await {
                    Ok(()) => return Ok(answered(answer, ids, false)),
                    Err(store::Error::Conflict) => {
                        reading = self.read_again(run, &reading).await?;
                    }
                    Err(unavailable @ store::Error::Unavailable { .. }) => {
                        return Err(unavailable.into());
                    }
                },
            }
        }
        Err(store::Error::Conflict.into())
    }

    /// Decides, and reads the documents that the decision needs.
    async fn decide(&self, run: &Run<'_>, reading: &mut Reading) -> Result<Decided, Failure> {
        loop {
            match run.decide(reading, &self.ids) {
                Ok(decided) => return Ok(decided),
                Err(Halt::Refused(refusal)) => return Ok(Decided::Refused(refusal)),
                Err(_) if reading.rounds >= ROUNDS_MAX => {
                    return Err(Failure::Defect("the operation reads in too many rounds"));
                }
                Err(Halt::Read(keys)) => self.read_more(keys, run.now_secs, reading).await?,
                Err(Halt::List) => reading.add_listed(self.list(run).await?),
            }
        }
    }

    /// Reads all documents of `reading` again and authorises the call on them.
    async fn read_again(&self, run: &Run<'_>, reading: &Reading) -> Result<Reading, Failure> {
        let mut again = self.read(reading.keys(), run.now_secs).await?;
        if reading.has_listed() {
            again.add_listed(self.list(run).await?);
        }
        (run.authorise)(&again.seen)?;
        Ok(again)
    }

    /// Reads the documents of `keys` in one request.
    pub(crate) async fn read(&self, keys: Vec<Key>, now_secs: u64) -> Result<Reading, Failure> {
        let mut reading = Reading::default();
        self.read_more(keys, now_secs, &mut reading).await?;
        Ok(reading)
    }

    /// Reads the documents of `keys` in one request and adds them to `reading`.
    async fn read_more(
        &self,
        mut keys: Vec<Key>,
        now_secs: u64,
        reading: &mut Reading,
    ) -> Result<(), Failure> {
        // A call may name a document twice.
        keys.sort_unstable();
        keys.dedup();
        let read = self.store.load(&keys).await?;
        reading.add(keys, read, now_secs);
        Ok(())
    }

    /// Reads the call's listing and keeps the documents of the page. If the function's time is over
    /// first, the answer is `SystemBusy` and has no part of the list (decision `list-time`).
    async fn list(&self, run: &Run<'_>) -> Result<Listed, Failure> {
        let Some(Listing { partition, matches, page }) = run.parsed.invocation.listing(run.scope)
        else {
            return Err(Failure::Defect("the operation needs a listing and has none"));
        };
        let mut listed = Listed::default();
        let mut each = |read: Versioned| {
            if let Document::Resource(resource) = read.document
                && matches(&resource)
            {
                if page.shows(listed.total) {
                    listed.page.push(resource);
                }
                listed.total += 1;
            }
            ControlFlow::Continue(())
        };
        self.store.list(&partition, &mut each).await?;
        Ok(listed)
    }
}

impl Run<'_> {
    /// Decides on the documents that were read so far.
    fn decide(&self, reading: &Reading, ids: &Ids) -> Result<Decided, Halt> {
        if let Some(remembered) = self.remembered(reading)? {
            return Ok(remembered);
        }
        let mut tails = || ids.tail();
        let mut fresh = Fresh::new(self.now_secs, &mut tails);
        let ParsedCall { common, invocation } = self.parsed;
        let outcome = invocation.decide(self.scope, &reading.seen, &mut fresh, self.format)?;
        if common.dry_run {
            return Err(self.entry.row(&error::DRY_RUN_OPERATION).into());
        }
        let (changes, answer, taken) = match outcome {
            Outcome::Answer(Rendered { members, .. }) => return Ok(Decided::Answer(members)),
            Outcome::Commit { changes, answer, taken } => (changes, answer, taken),
        };
        let unread = reading.unread(&changes);
        if !unread.is_empty() {
            return Err(Halt::Read(unread));
        }
        let Rendered { members, remembered } = answer;
        let ids = audit::ids(&invocation.compared(), &remembered);
        let remembering = self.remembering(&taken, remembered).map(Into::into);
        let writes = changes.into_iter().chain(remembering.map(allocation::Write::Put));
        let writes = writes.map(|change| reading.resting(change)).collect();
        Ok(Decided::Commit { writes, answer: members, ids })
    }

    /// The client token to commit with the call: the call's parameters, with the defaults `taken` from
    /// the state, and its answer.
    fn remembering(&self, taken: &[(&str, String)], answer: Texts) -> Option<ClientToken> {
        let ParsedCall { common, invocation } = self.parsed;
        let client_token = common.client_token?;
        let compared = invocation.compared();
        let sent = compared.iter().map(|(name, value)| (*name, &**value));
        let taken = taken.iter().map(|(name, value)| (*name, value.as_str()));
        let taken = taken.filter(|(name, _)| !token::is_sent(&compared, name));
        Some(ClientToken {
            account_id: self.scope.account_id.into(),
            region_id: Some(common.region),
            action: self.entry.name.into(),
            client_token: client_token.into(),
            expires_at: Timestamp { secs: self.now_secs.saturating_add(token::LIFE_SECS) },
            parameters: sent.chain(taken).collect(),
            answer,
        })
    }

    /// The decision on a call whose client token was used before. The answer is repeated even if the
    /// bandwidth was deleted since: a late duplicate must not buy a second one (decision `token-late`).
    fn remembered(&self, reading: &Reading) -> Result<Option<Decided>, Halt> {
        let ParsedCall { common, invocation } = self.parsed;
        let Some(client_token) = common.client_token else { return Ok(None) };
        let at = ClientToken::at(self.scope, self.entry.name, client_token);
        let Some(token) = reading.seen.get::<ClientToken>(at)? else { return Ok(None) };
        // A dry run stores no client token, so it cannot be repeated (decision `dry-run-token`).
        let compared = invocation.compared();
        if common.dry_run || !token::is_repeated(token, &compared, self.entry) {
            return Err(self.entry.row(&error::IDEMPOTENT_PARAMETER_MISMATCH).into());
        }
        let answer = Members::of_texts(token.answer.iter(), self.format);
        Ok(Some(Decided::Repeat(answer, audit::ids(&compared, &token.answer))))
    }
}

#[cfg(test)]
mod tests;
