//! Operations without their types, for the table of operations and the runner.

use std::marker::PhantomData;

use allocation::{
    Common, Fresh, Halt, Key, Listing, Operation, Outcome, Parameters, Refusal, Scope, Seen, Texts,
};
use rpc::{Format, Members};

use crate::token::Compared;

/// Parses the calls of one operation.
///
/// A trait, so that a test suite can wrap the parser of an operation ([`crate::Entry::parser`]).
pub trait CallParser: Send + Sync {
    /// Parses the parameters of a call.
    ///
    /// # Errors
    ///
    /// The first row that applies.
    fn parse<'p>(&self, parameters: &Parameters<'p>) -> Result<ParsedCall<'p>, Refusal>;

    /// See [`Operation::resources`].
    fn resources(&self, parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String>;
}

/// A call with valid parameters.
pub struct ParsedCall<'p> {
    /// The parameters that all operations share.
    pub common: Common<'p>,
    /// The operation's own parameters, and its rules.
    pub invocation: Box<dyn Invocation + 'p>,
}

/// A call of an operation.
pub trait Invocation: Send + Sync {
    /// See [`Operation::first`].
    fn first(&self, scope: Scope<'_>) -> Vec<Key>;

    /// See [`Operation::compared`].
    fn compared(&self) -> Compared<'_>;

    /// See [`Operation::listing`].
    fn listing(&self, scope: Scope<'_>) -> Option<Listing<'_>>;

    /// See [`Operation::decide`]; renders the answer in `format`.
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

/// The rendered answer of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The top-level elements.
    pub members: Members,
    /// The elements to store with a client token.
    pub remembered: Texts,
}

/// The parser of the operation `O`.
pub(crate) struct ParserOf<O>(PhantomData<fn() -> O>);

impl<O> ParserOf<O> {
    pub(crate) const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<O: Operation> CallParser for ParserOf<O> {
    fn parse<'p>(&self, parameters: &Parameters<'p>) -> Result<ParsedCall<'p>, Refusal> {
        let (common, call) = Common::parse::<O>(parameters)?;
        Ok(ParsedCall { common, invocation: Box::new(InvocationOf::<'p, O>(call)) })
    }

    fn resources(&self, parameters: &Parameters<'_>, scope: Scope<'_>, seen: &Seen) -> Vec<String> {
        O::resources(parameters, scope, seen)
    }
}

/// A call of the operation `O`.
struct InvocationOf<'p, O: Operation>(O::Call<'p>);

impl<O: Operation> Invocation for InvocationOf<'_, O> {
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
