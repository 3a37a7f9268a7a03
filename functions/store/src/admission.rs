//! Admission of calls: each nonce once, and at most as many calls as the quota allows.

/// A call to admit.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// The access key that signed the call.
    pub access_key_id: &'a str,
    /// The account that owns the access key.
    pub account_id: &'a str,
    /// The nonce of the call.
    pub nonce: &'a str,
    /// The time from which on the nonce need not be kept, in seconds since 1970 UTC.
    pub nonce_expires_at_secs: u64,
    /// The quota; `None`: the call is not counted.
    pub quota: Option<Quota<'a>>,
    /// The time, in seconds since 1970 UTC.
    pub now_secs: u64,
}

/// The quota of an account's calls to an action.
#[derive(Clone, Copy, Debug)]
pub struct Quota<'a> {
    /// The action.
    pub action: &'a str,
    /// The most calls in one window.
    pub calls_max: u32,
    /// The length of a window, in seconds, at least 1. Windows follow one another from 1970 on.
    pub window_secs: u64,
}

/// The result of [`Store::admit`](crate::Store::admit).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// The call is admitted: its nonce is used and the call counted.
    Yes,
    /// The access key has used the nonce before. Nothing has changed.
    NonceUsed,
    /// The quota is used up. The call is not counted and its nonce can be used again, except in a
    /// store that several instances share: such a store may have used the nonce before it found the
    /// quota used up.
    OverQuota,
    /// The account has used up its budget of nonces. Nothing has changed.
    TooManyNonces {
        /// The most nonces of an account.
        nonces_max: usize,
        /// The seconds until the account's oldest nonce is dropped.
        wait_secs: u64,
    },
}
