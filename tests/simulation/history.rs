//! The calls and their answers, for the judge.

use harness::client::Wire;

use crate::address::{Op, Ret};

/// A call and its answer.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) wire: Wire,
    pub(crate) access_key_id: &'static str,
    pub(crate) access_key_secret: String,
    pub(crate) nonce: String,
    pub(crate) timestamp_secs: u64,
    pub(crate) address_id: String,
    pub(crate) op: Op,
    /// The clock of its instance when it began.
    pub(crate) instance_secs: u64,
    pub(crate) began: u64,
    /// When it ended; `None`: never.
    pub(crate) ended: Option<u64>,
    pub(crate) answer: Option<Answer>,
}

/// An answer.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// The error's code; `None` for a success.
    pub(crate) code: Option<String>,
    pub(crate) ret: Ret,
}

/// How far a call came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reached {
    /// It was refused before its admission.
    Door,
    /// It was throttled. A shared store may have used up its nonce.
    Quota,
    /// It was admitted.
    Admitted,
    /// Unknown.
    Unknown,
}

/// The codes about a key.
pub(crate) const KEY_CODES: [&str; 3] =
    ["InvalidAccessKeyId.NotFound", "InvalidAccessKeyId.Inactive", "SignatureDoesNotMatch"];

impl Call {
    pub(crate) fn action(&self) -> &str {
        self.wire.action()
    }

    pub(crate) fn reached(&self) -> Reached {
        let Some(answer) = &self.answer else { return Reached::Unknown };
        match answer.code.as_deref() {
            Some("SystemBusy") => Reached::Unknown,
            Some("Throttling.User") => Reached::Quota,
            Some("InvalidTimeStamp.Expired" | "SignatureNonceUsed") => Reached::Door,
            Some(code) if KEY_CODES.contains(&code) => Reached::Door,
            _ => Reached::Admitted,
        }
    }
}

/// The state of an access key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum KeyState {
    /// It signs with this secret.
    Active(String),
    Inactive(String),
    Deleted,
}

/// The states of an access key, each with the moments between which it began.
#[derive(Clone, Debug)]
pub(crate) struct KeyStates(Vec<(KeyState, u64, u64)>);

impl KeyStates {
    pub(crate) fn new(state: KeyState) -> Self {
        Self(vec![(state, 0, 0)])
    }

    pub(crate) fn push(&mut self, state: KeyState, began: u64, ended: u64) {
        self.0.push((state, began, ended));
    }

    /// Records when the last change was complete.
    pub(crate) fn end(&mut self, ended: u64) {
        if let Some(last) = self.0.last_mut() {
            last.2 = ended;
        }
    }

    pub(crate) fn last(&self) -> &KeyState {
        &self.0[self.0.len() - 1].0
    }

    /// Whether the key may have been in a state that `is_such` selects at some moment between
    /// `from` and `to`.
    pub(crate) fn may_be(&self, from: u64, to: u64, is_such: impl Fn(&KeyState) -> bool) -> bool {
        self.0.iter().enumerate().any(|(number, (state, began, _))| {
            let until = self.0.get(number + 1).map_or(u64::MAX, |(_, _, ended)| *ended);
            is_such(state) && *began <= to && from <= until
        })
    }
}
