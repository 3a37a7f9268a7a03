//! Letting a call in: once for each nonce, and no more often than a quota allows.

/// A call that asks to be let in.
#[derive(Clone, Copy, Debug)]
pub struct Admission<'a> {
    /// The access key that signed it.
    pub access_key_id: &'a str,
    /// The account that owns the access key.
    pub account_id: &'a str,
    /// The text that tells it from every other call of the key.
    pub nonce: &'a str,
    /// From when on the nonce need not be remembered, in seconds since 1970 UTC.
    pub nonce_expires_at_secs: u64,
    /// What it counts against; `None`: it is not counted.
    pub quota: Option<Quota<'a>>,
    /// The time, in seconds since 1970 UTC.
    pub now_secs: u64,
}

/// How often the account may call an action.
#[derive(Clone, Copy, Debug)]
pub struct Quota<'a> {
    /// The action.
    pub action: &'a str,
    /// How many calls it may make in one window.
    pub calls_max: u32,
    /// How long a window is; windows follow one another from 1970 on. Not 0.
    pub window_secs: u64,
}

/// Whether a call is let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admitted {
    /// It is: the nonce is spent and the call counted.
    Yes,
    /// The access key has used the nonce before. Nothing has changed.
    NonceUsed,
    /// The quota is used up. The call is not counted, and the nonce can be used again; only a store
    /// that several instances share may have spent it before it found the quota used up.
    OverQuota,
    /// The account has used so many nonces lately that the store remembers no more of it. Nothing has
    /// changed.
    TooManyNonces {
        /// How many it may have.
        nonces_max: usize,
        /// How many seconds later its oldest is forgotten.
        wait_secs: u64,
    },
}
