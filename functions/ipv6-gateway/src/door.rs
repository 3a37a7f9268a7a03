//! The door: who calls, and whether the call may come in.

use allocation::{Caller, Name};
use rpc::Call;
use rpc::signature::Signed;
use store::{
    AccessKey, AccessKeyStatus, Admission, Admitted, Holder, IdentityName, Key, Quota, Store,
};

use crate::action::Action;
use crate::failure::Failure;
use crate::reading::Reading;
use crate::{Function, permission};

/// A call at the door.
pub(crate) struct Visit<'a> {
    pub(crate) call: &'a Call,
    pub(crate) action: &'static Action,
    pub(crate) signed: &'a Signed<'a>,
    /// The documents that the call names, if `Caller` makes it.
    pub(crate) names: &'a (dyn Fn(&Caller) -> Vec<Name> + Sync),
    pub(crate) request_id: &'a str,
    pub(crate) now_secs: u64,
}

impl<S: Store> Function<S> {
    /// Lets a call in: its access key is known and active, security token and signature are right,
    /// its nonce is new, it is not throttled, and its caller may make it; in this order (decision
    /// `check-order`). Yields who calls and the documents that the call names.
    pub(crate) async fn admit(&self, visit: &Visit<'_>) -> Result<(Caller, Reading), Failure> {
        // A key that has signed before is most likely still the same. If the signature is right by
        // it, all documents are read at once and the nonce is spent meanwhile, so that nothing
        // waits for another; else the key is read first, for whoever cannot sign spends no nonce.
        let guess = self.known_keys.get(visit.signed.access_key_id);
        let guess = guess.filter(|access_key| visit.authenticate(access_key).is_ok());
        let key = Key::AccessKey(visit.signed.access_key_id.to_owned());
        let (mut reading, spent) = match &guess {
            Some(guess) => {
                let keys = [key].into_iter().chain(visit.keys(guess)).collect();
                let (reading, spent) = tokio::join!(self.load(keys), self.spend(visit, guess));
                (reading?, Some(spent))
            }
            None => (self.load(vec![key]).await?, None),
        };
        let access_key = reading.access_key.take();
        let access_key = access_key.ok_or(rpc::error::INVALID_ACCESS_KEY_ID_NOT_FOUND)?;
        let is_as_guessed = guess.as_ref() == Some(&access_key);
        if !is_as_guessed {
            visit.authenticate(&access_key)?;
            self.known_keys.learn(&access_key);
        }
        let (reading, spent) = match spent {
            Some(spent) if is_as_guessed => (reading, spent),
            Some(spent) => (self.load(visit.keys(&access_key).collect()).await?, spent),
            None => {
                let load = self.load(visit.keys(&access_key).collect());
                let (reading, spent) = tokio::join!(load, self.spend(visit, &access_key));
                (reading?, spent)
            }
        };
        match spent? {
            Admitted::Yes => {}
            Admitted::NonceUsed => return Err(rpc::error::SIGNATURE_NONCE_USED.into()),
            Admitted::OverQuota => return Err(self.throttled(visit.now_secs)),
        }
        let caller = visit.caller(&access_key);
        let Visit { call, action, now_secs, .. } = *visit;
        let identity = reading.identity.as_deref();
        permission::check(call, action, &caller, &access_key, identity, now_secs)?;
        Ok((caller, reading))
    }

    /// Spends the call's nonce and counts the call, both or neither.
    async fn spend(
        &self,
        visit: &Visit<'_>,
        access_key: &AccessKey,
    ) -> Result<Admitted, store::Error> {
        let quota = self.rate_limit().map(|limit| Quota {
            account_id: &access_key.account_id,
            action: visit.action.name,
            calls_max: limit.calls_max,
            window_secs: limit.window_secs,
        });
        let admission = Admission {
            access_key_id: visit.signed.access_key_id,
            nonce: &visit.signed.nonce,
            nonce_expires_at_secs: visit.signed.expires_at_secs(),
            quota,
            now_secs: visit.now_secs,
        };
        self.store.admit(&admission).await
    }
}

impl Visit<'_> {
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

    /// What is to be read for the call, once the access key is known.
    fn keys(&self, access_key: &AccessKey) -> impl Iterator<Item = Key> {
        let name = match &access_key.holder {
            Holder::Account => None,
            Holder::RamUser(name) => Some(IdentityName::RamUser(name.clone())),
            Holder::Session(session) => Some(IdentityName::RamRole(session.role_name.clone())),
        };
        let account_id = access_key.account_id.clone();
        let identity = name.map(|name| Key::Identity { account_id, name });
        let resources = (self.names)(&self.caller(access_key)).into_iter().map(Key::Resource);
        identity.into_iter().chain(resources)
    }

    fn caller(&self, access_key: &AccessKey) -> Caller {
        Caller { account_id: access_key.account_id.clone(), request_id: self.request_id.to_owned() }
    }
}
