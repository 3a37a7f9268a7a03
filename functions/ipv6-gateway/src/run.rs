//! Runs an operation: decides on what was read, reads what else is needed, commits what was decided,
//! and does so again on fresh documents when others changed them.

use std::ops::ControlFlow;

use allocation::{
    ClientToken, Fresh, Halt, Key, Listed, Listing, Outcome, Refusal, Scope, Seen, Texts,
    Timestamp, error,
};
use rpc::{Format, Members};
use store::{Document, Store, Versioned, Write};

use crate::failure::Failure;
use crate::operations::Entry;
use crate::permission::Denial;
use crate::reading::Reading;
use crate::running::{Begun, Rendered};
use crate::{Function, Ids, audit, token};

/// How often a call decides before it gives up on documents that others keep changing (decision
/// `busy`).
const DECISIONS_MAX: usize = 5;

/// How often a decision may ask the store, the first reading among them.
const ROUNDS_MAX: usize = 3;

/// Asks RAM about what was read. What a call is about may depend on the state, so RAM is asked
/// again when a call is decided on other documents (decision `deny-by-address`).
pub(crate) type Authorise<'a> = dyn Fn(&Seen) -> Result<(), Denial> + Sync + 'a;

/// A call that was let in.
pub(crate) struct Run<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) begun: &'a Begun<'a>,
    pub(crate) scope: Scope<'a>,
    pub(crate) authorise: &'a Authorise<'a>,
    pub(crate) format: Format,
    pub(crate) now_secs: u64,
}

/// The success of a call that was let in.
pub(crate) struct Answered {
    pub(crate) members: Members,
    /// What it changed; `None`: nothing.
    pub(crate) changed: Option<Changed>,
}

/// A change that was committed for a call.
pub(crate) struct Changed {
    /// See [`audit::ids`].
    pub(crate) ids: String,
    /// Whether it was committed before, for the call that this one repeats.
    pub(crate) is_replay: bool,
    /// How often others changed what the call rested on.
    pub(crate) conflicts: usize,
}

impl Answered {
    /// Whether something was committed just now.
    pub(crate) fn is_committed(&self) -> bool {
        self.changed.as_ref().is_some_and(|changed| !changed.is_replay)
    }
}

/// What a call was decided to be answered with.
enum Decided {
    /// This, at once.
    Answer(Members),
    /// This, which a call with the same token was answered with. The ids of both.
    Repeat(Members, String),
    /// This, once all is committed. The ids of call and answer.
    Commit { writes: Vec<Write>, answer: Members, ids: String },
    /// An error.
    Refused(Refusal),
}

impl<S: Store> Function<S> {
    /// Decides on `reading` and commits what is decided, if nothing has changed since; else on fresh
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
                    // A commit may have happened between the reading of one document and of
                    // another: an address that is taken, and no sign yet of the token that took it.
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

    /// Decides, and reads what the decision turns out to need.
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

    /// Reads everything anew that `reading` has, and asks RAM about it.
    async fn read_again(&self, run: &Run<'_>, reading: &Reading) -> Result<Reading, Failure> {
        let mut again = self.read(reading.keys(), run.now_secs).await?;
        if reading.has_listed() {
            again.add_listed(self.list(run).await?);
        }
        (run.authorise)(&again.seen)?;
        Ok(again)
    }

    /// Reads the documents of `keys` at once.
    pub(crate) async fn read(&self, keys: Vec<Key>, now_secs: u64) -> Result<Reading, Failure> {
        let mut reading = Reading::default();
        self.read_more(keys, now_secs, &mut reading).await?;
        Ok(reading)
    }

    /// Reads the documents of `keys` at once and adds them to `reading`.
    async fn read_more(
        &self,
        mut keys: Vec<Key>,
        now_secs: u64,
        reading: &mut Reading,
    ) -> Result<(), Failure> {
        // A call may name a document twice; the store is asked for it once.
        keys.sort_unstable();
        keys.dedup();
        let read = self.store.load(&keys).await?;
        reading.add(keys, read, now_secs);
        Ok(())
    }

    /// Reads what the call lists. Of the documents that match only those of the page are kept.
    /// If the function's time ends first, the answer is `SystemBusy`, without a part of the list
    /// (decision `list-time`).
    async fn list(&self, run: &Run<'_>) -> Result<Listed, Failure> {
        let Some(Listing { partition, matches, page }) = run.begun.running.listing(run.scope)
        else {
            return Err(Failure::Defect("the operation asks for a listing and names none"));
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
    /// Decides on what was read so far.
    fn decide(&self, reading: &Reading, ids: &Ids) -> Result<Decided, Halt> {
        if let Some(remembered) = self.remembered(reading)? {
            return Ok(remembered);
        }
        let mut tails = || ids.tail();
        let mut fresh = Fresh::new(self.now_secs, &mut tails);
        let Begun { common, running } = self.begun;
        let outcome = running.decide(self.scope, &reading.seen, &mut fresh, self.format)?;
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
        let ids = audit::ids(&running.compared(), &remembered);
        let remembering = self.remembering(&taken, remembered).map(Into::into);
        let writes = changes.into_iter().chain(remembering.map(allocation::Write::Put));
        let writes = writes.map(|change| reading.resting(change)).collect();
        Ok(Decided::Commit { writes, answer: members, ids })
    }

    /// What the token of the call remembers once the call is committed: its parameters, with the
    /// defaults `taken` from the state, and its answer.
    fn remembering(&self, taken: &[(&str, String)], answer: Texts) -> Option<ClientToken> {
        let Begun { common, running } = self.begun;
        let client_token = common.client_token?;
        let compared = running.compared();
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

    /// What a call is answered with whose token is remembered. The address may have been deleted
    /// since; a late duplicate must not buy a second time (decision `token-late`).
    fn remembered(&self, reading: &Reading) -> Result<Option<Decided>, Halt> {
        let Begun { common, running } = self.begun;
        let Some(client_token) = common.client_token else { return Ok(None) };
        let at = ClientToken::at(self.scope, self.entry.name, client_token);
        let Some(token) = reading.seen.get::<ClientToken>(at)? else { return Ok(None) };
        // Only a call that was no dry run is remembered (decision `dry-run-token`).
        let compared = running.compared();
        if common.dry_run || !token::is_repeated(token, &compared, self.entry) {
            return Err(self.entry.row(&error::IDEMPOTENT_PARAMETER_MISMATCH).into());
        }
        let answer = Members::of_texts(token.answer.iter(), self.format);
        Ok(Some(Decided::Repeat(answer, audit::ids(&compared, &token.answer))))
    }
}

#[cfg(test)]
mod tests;
