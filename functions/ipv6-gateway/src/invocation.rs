//! An operation without its types: what the table of operations holds and the runner drives.

use std::marker::PhantomData;

use allocation::{
    Common, Fresh, Halt, Key, Listing, Operation, Outcome, Parameters, Refusal, Scope, Seen, Texts,
};
use rpc::{Format, Members};

use crate::token::Compared;

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
    fn begin<'p>(&self, parameters: &Parameters<'p>) -> Result<Begun<'p>, Refusal>;

    /// See [`Operation::resources`].
    fn resources(&self, parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String>;
}

/// A call whose parameters are all in form.
pub struct Begun<'p> {
    /// The parameters that every operation has.
    pub common: Common<'p>,
    /// Those of its own, and its rules.
    pub running: Box<dyn Running + 'p>,
}

/// A call of some operation.
pub trait Running: Send + Sync {
    /// See [`Operation::first`].
    fn first(&self, scope: Scope<'_>) -> Vec<Key>;

    /// See [`Operation::compared`].
    fn compared(&self) -> Compared<'_>;

    /// See [`Operation::listing`].
    fn listing(&self, scope: Scope<'_>) -> Option<Listing<'_>>;

    /// See [`Operation::decide`]. The answer is rendered in `format`.
    ///
    /// # Errors
    ///
    /// Those of [`Operation::decide`].
    fn decide(
        &self,
        scope: Scope<'_>,
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
    fn begin<'p>(&self, parameters: &Parameters<'p>) -> Result<Begun<'p>, Refusal> {
        let (common, call) = Common::parse::<O>(parameters)?;
        Ok(Begun { common, running: Box::new(CallOf::<'p, O>(call)) })
    }

    fn resources(&self, parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String> {
        O::resources(parameters, scope, seen)
    }
}

/// A call of the operation `O`.
struct CallOf<'p, O: Operation>(O::Call<'p>);

impl<O: Operation> Running for CallOf<'_, O> {
    fn first(&self, scope: Scope<'_>) -> Vec<Key> {
        O::first(&self.0, scope)
    }

    fn compared(&self) -> Compared<'_> {
        O::compared(&self.0)
    }

    fn listing(&self, scope: Scope<'_>) -> Option<Listing<'_>> {
        O::listing(&self.0, scope)
    }

    fn decide(
        &self,
        scope: Scope<'_>,
        seen: &Seen,
        fresh: &mut Fresh<'_>,
        format: Format,
    ) -> Result<Outcome<Rendered>, Halt> {
        let rendered = |answer: &O::Answer<'_>| Rendered {
            members: Members::of(answer, format),
            remembered: O::remember(answer),
        };
        Ok(match O::decide(&self.0, scope, seen, fresh)? {
            Outcome::Answer(answer) => Outcome::Answer(rendered(&answer)),
            Outcome::Commit { changes, answer, taken } => {
                Outcome::Commit { changes, answer: rendered(&answer), taken }
            }
        })
    }
}
