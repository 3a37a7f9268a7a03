//! An operation without its types: what the table of operations holds and the runner drives.

use std::marker::PhantomData;

use allocation::{
    Caller, Change, Fresh, Halt, Key, Listing, Operation, Outcome, Parameters, Refusal, Region,
    Seen, Texts,
};
use rpc::{Format, Members};

/// Begins the calls of one operation.
///
/// It is an object and not a function, so that a test suite can put one of its own in front of an
/// operation's ([`crate::Entry::begin`]).
pub trait Begin: Send + Sync {
    /// Parses the parameters of a call.
    ///
    /// # Errors
    ///
    /// The first row that applies.
    fn begin<'p>(&self, parameters: &Parameters<'p>) -> Result<Box<dyn Running + 'p>, Refusal>;

    /// See [`Operation::resources`].
    fn resources(
        &self,
        parameters: &Parameters<'_>,
        caller: &Caller<'_>,
        seen: &Seen,
    ) -> Vec<String>;
}

/// A call whose parameters are all in form.
pub trait Running: Send + Sync {
    /// See [`Operation::region`].
    fn region(&self) -> Region;

    /// See [`Operation::first`].
    fn first(&self, caller: &Caller<'_>) -> Vec<Key>;

    /// See [`Operation::change`].
    fn change(&self) -> Option<Change<'_>>;

    /// See [`Operation::listing`].
    fn listing(&self, caller: &Caller<'_>) -> Option<Listing<'_>>;

    /// See [`Operation::decide`]. The answer is rendered in `format`.
    ///
    /// # Errors
    ///
    /// Those of [`Operation::decide`].
    fn decide(
        &self,
        caller: &Caller<'_>,
        seen: &Seen,
        fresh: &mut Fresh<'_>,
        format: Format,
    ) -> Result<Outcome<Rendered>, Halt>;
}

/// The answer of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// Its top elements.
    pub members: Members,
    /// What a client token remembers of it.
    pub remembered: Texts,
}

/// Begins calls of the operation `O`.
pub(crate) struct Of<O>(PhantomData<fn() -> O>);

impl<O> Of<O> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<O: Operation> Begin for Of<O> {
    fn begin<'p>(&self, parameters: &Parameters<'p>) -> Result<Box<dyn Running + 'p>, Refusal> {
        Ok(Box::new(CallOf::<'p, O>(O::parse(parameters)?)))
    }

    fn resources(
        &self,
        parameters: &Parameters<'_>,
        caller: &Caller<'_>,
        seen: &Seen,
    ) -> Vec<String> {
        O::resources(parameters, caller, seen)
    }
}

/// A call of the operation `O`.
struct CallOf<'p, O: Operation>(O::Call<'p>);

impl<O: Operation> Running for CallOf<'_, O> {
    fn region(&self) -> Region {
        O::region(&self.0)
    }

    fn first(&self, caller: &Caller<'_>) -> Vec<Key> {
        O::first(&self.0, caller)
    }

    fn change(&self) -> Option<Change<'_>> {
        O::change(&self.0)
    }

    fn listing(&self, caller: &Caller<'_>) -> Option<Listing<'_>> {
        O::listing(&self.0, caller)
    }

    fn decide(
        &self,
        caller: &Caller<'_>,
        seen: &Seen,
        fresh: &mut Fresh<'_>,
        format: Format,
    ) -> Result<Outcome<Rendered>, Halt> {
        let rendered = |answer: &O::Answer<'_>| Rendered {
            members: Members::of(answer, format),
            remembered: O::remember(answer),
        };
        Ok(match O::decide(&self.0, caller, seen, fresh)? {
            Outcome::Answer(answer) => Outcome::Answer(rendered(&answer)),
            Outcome::Commit { changes, answer, taken } => {
                Outcome::Commit { changes, answer: rendered(&answer), taken }
            }
        })
    }
}
