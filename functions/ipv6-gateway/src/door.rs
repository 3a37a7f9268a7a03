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
use crate::reading::Reading;

/// What a call is authenticated and admitted by.
pub(crate) struct AuthContext<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) signed: &'a Signed<'a>,
    pub(crate) now_secs: u64,
}

impl<S: Store> Function<S> {
    /// The access key with which the call was signed, most likely as the store holds it now.
    ///
    /// A key that has signed before need not be read first: if the signature is right by what is
    /// remembered, [`Function::admit`] reads the key along with everything else. Otherwise it is
    /// read here, for a caller who cannot sign must not spend a nonce.
    pub(crate) async fn signing_key(
        &self,
        context: &AuthContext<'_>,
    ) -> Result<Arc<AccessKey>, Failure> {
        let access_key_id = context.signed.access_key_id;
        let known = self.known_keys.get(access_key_id);
        if let Some(known) = known.filter(|known| context.authenticate(known).is_ok()) {
            return Ok(known);
        }
        let reading = self.read(vec![AccessKey::key(access_key_id)], context.now_secs).await?;
        self.authenticated(context, reading.access_key)
    }

    /// Admits a call that was signed with `signing_key`: the key as the store holds it proves the
    /// signature, the nonce is new and the call is not throttled. Meanwhile `keys` are read.
    ///
    /// The reading is `None` if the key has changed since it was remembered: what the call needs
    /// may be in another account.
    pub(crate) async fn admit(
        &self,
        context: &AuthContext<'_>,
        signing_key: &Arc<AccessKey>,
        mut keys: Vec<Key>,
    ) -> Result<(Arc<AccessKey>, Option<Reading>), Failure> {
        keys.push(AccessKey::key(context.signed.access_key_id));
        // Together, so that neither waits for the other.
        let (reading, spent) =
            tokio::join!(self.read(keys, context.now_secs), self.spend(context, signing_key));
        let mut reading = reading?;
        let is_unchanged = reading.access_key.as_ref() == Some(signing_key);
        let access_key = if is_unchanged {
            Arc::clone(signing_key)
        } else {
            self.authenticated(context, reading.access_key.take())?
        };
        match spent? {
            Admitted::Yes => Ok((access_key, is_unchanged.then_some(reading))),
            Admitted::NonceUsed => Err(rpc::error::SIGNATURE_NONCE_USED.into()),
            Admitted::OverQuota => Err(self.throttled(context.now_secs)),
        }
    }

    /// Checks the signature by the access key that was read, and remembers the key.
    fn authenticated(
        &self,
        context: &AuthContext<'_>,
        read: Option<Arc<AccessKey>>,
    ) -> Result<Arc<AccessKey>, Failure> {
        let access_key = read.ok_or(rpc::error::INVALID_ACCESS_KEY_ID_NOT_FOUND)?;
        context.authenticate(&access_key)?;
        self.known_keys.learn(&access_key);
        Ok(access_key)
    }

    /// Spends the call's nonce and counts the call, both or neither.
    async fn spend(
        &self,
        context: &AuthContext<'_>,
        access_key: &AccessKey,
    ) -> Result<Admitted, store::Error> {
        let quota = self.rate_limit().map(|limit| Quota {
            action: context.entry.name,
            calls_max: limit.calls_max,
            window_secs: limit.window_secs,
        });
        let admission = Admission {
            access_key_id: context.signed.access_key_id,
            account_id: &access_key.account_id,
            nonce: &context.signed.nonce,
            nonce_expires_at_secs: context.signed.expires_at_secs(),
            quota,
            now_secs: context.now_secs,
        };
        self.store.admit(&admission).await
    }
}

impl AuthContext<'_> {
    /// Checks that the call was signed with `access_key`, which may be used.
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

/// The key of the RAM user or role that holds `access_key`; `None`: the account itself holds it.
pub(crate) fn identity_key(access_key: &AccessKey) -> Option<Key> {
    let name = match &access_key.holder {
        Holder::Account => return None,
        Holder::RamUser(name) => IdentityName::RamUser(name.clone()),
        Holder::Session(session) => IdentityName::RamRole(session.role_name.clone()),
    };
    Some(Identity::key(&access_key.account_id, &name))
}
