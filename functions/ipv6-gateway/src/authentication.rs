//! Authentication, replay protection and throttling, in this order.

use std::sync::Arc;

use rpc::signature::Signed;
use store::{
    AccessKey, AccessKeyStatus, Admission, Admitted, Holder, Identity, IdentityName, Key, Quota,
    Store,
};

use crate::Function;
use crate::failure::Failure;
use crate::operations::Entry;
use crate::rate_limit::Throttled;

/// The parts of a call that authentication and admission need.
pub(crate) struct AuthContext<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) signed: &'a Signed<'a>,
    pub(crate) now_secs: u64,
}

/// An access key that this call read from the store and whose secret made the call's signature. Only
/// a call with such a key uses a nonce and is counted.
pub(crate) struct Verified(Arc<AccessKey>);

impl Verified {
    /// The access key.
    pub(crate) fn key(&self) -> &AccessKey {
        &self.0
    }

    /// The access key.
    pub(crate) fn into_key(self) -> Arc<AccessKey> {
        self.0
    }
}

impl<S: Store> Function<S> {
    /// Verifies the call with the access key that was read. A refused key is no longer a known key.
    pub(crate) fn verify(
        &self,
        context: &AuthContext<'_>,
        read: Option<Arc<AccessKey>>,
    ) -> Result<Verified, Failure> {
        let read = read.ok_or_else(|| rpc::error::INVALID_ACCESS_KEY_ID_NOT_FOUND.into());
        let verified = read.and_then(|access_key| {
            context.authenticate(&access_key)?;
            Ok(Verified(access_key))
        });
        verified.map_err(|refused: rpc::Error| {
            self.known_keys.forget(context.signed.access_key_id);
            refused.into()
        })
    }

    /// Uses the call's nonce and counts the call.
    pub(crate) async fn admit(
        &self,
        context: &AuthContext<'_>,
        verified: &Verified,
    ) -> Result<(), Failure> {
        let quota = self.rate_limit().map(|limit| Quota {
            action: context.entry.name,
            calls_max: limit.calls_max,
            window_secs: limit.window_secs,
        });
        let admission = Admission {
            access_key_id: context.signed.access_key_id,
            account_id: &verified.key().account_id,
            nonce: &context.signed.nonce,
            nonce_expires_at_secs: context.signed.expires_at_secs(),
            quota,
            now_secs: context.now_secs,
        };
        match self.store.admit(&admission).await? {
            Admitted::Yes => Ok(()),
            Admitted::NonceUsed => Err(rpc::error::SIGNATURE_NONCE_USED.into()),
            Admitted::OverQuota => Err(self.throttled(context.now_secs)),
            Admitted::TooManyNonces { nonces_max, wait_secs } => {
                let throttled = Throttled::for_nonces(nonces_max, context.now_secs, wait_secs);
                Err(Failure::Throttled(throttled))
            }
        }
    }
}

impl AuthContext<'_> {
    /// Checks that `access_key` may be used and signed the call.
    fn authenticate(&self, access_key: &AccessKey) -> Result<(), rpc::Error> {
        match access_key.status {
            AccessKeyStatus::Active => {}
            AccessKeyStatus::Inactive => {
                return Err(rpc::error::INVALID_ACCESS_KEY_ID_INACTIVE.into());
            }
        }
        match &access_key.holder {
            Holder::Account | Holder::RamUser(_) => self.signed.verify_security_token(None)?,
            Holder::Session(session) => {
                self.signed.verify_security_token(Some(&session.security_token))?;
                if session.expires_at_secs <= self.now_secs {
                    return Err(rpc::error::INVALID_SECURITY_TOKEN_EXPIRED.into());
                }
            }
        }
        self.signed.verify(&access_key.access_key_secret)
    }
}

/// The key of the RAM user or role that has `access_key`; `None`: the account itself has it.
pub(crate) fn identity_key(access_key: &AccessKey) -> Option<Key> {
    let name = match &access_key.holder {
        Holder::Account => return None,
        Holder::RamUser(name) => IdentityName::RamUser(name.clone()),
        Holder::Session(session) => IdentityName::RamRole(session.role_name.clone()),
    };
    Some(Identity::key(&access_key.account_id, &name))
}
