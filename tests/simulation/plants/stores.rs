//! The stores with these mistakes, each a wrapper of a sound store.

use std::collections::HashMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};

use aws_sdk_dynamodb::error::ProvideErrorMetadata as _;
use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsInput;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use store::{
    Admission, Admitted, DynamoDbApi as _, Error, Key, Partition, Store, Versioned, Write,
};

use crate::executor::{Sim, Surroundings as _};
use crate::expression::Item;
use crate::scene::{KEYS, Place};
use crate::table::{TABLE_NAME, Table};

/// A place whose stores have a mistake.
pub(crate) struct Planted<P, F> {
    pub(crate) place: P,
    pub(crate) plant: F,
}

impl<P: Place, S: Store + 'static, F: Fn(P::Store) -> S + Send + Sync + 'static> Place
    for Planted<P, F>
{
    type Store = S;

    const SPENDS_OVER_QUOTA: bool = P::SPENDS_OVER_QUOTA;

    fn client(&self) -> S {
        (self.plant)(self.place.client())
    }

    fn crash(&self) -> bool {
        self.place.crash()
    }

    fn trouble(&self, is_troubled: bool) {
        self.place.trouble(is_troubled);
    }
}

/// Passes the other operations on to the wrapped store.
macro_rules! pass_on {
    (load) => {
        async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
            self.store.load(keys).await
        }
    };
    (list) => {
        fn has_snapshot_reads(&self) -> bool {
            self.store.has_snapshot_reads()
        }

        async fn list(
            &self,
            partition: &Partition,
            each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
        ) -> Result<(), Error> {
            self.store.list(partition, each).await
        }
    };
    (commit) => {
        async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
            self.store.commit(writes).await
        }
    };
    ($($what:ident)*) => {
        $(pass_on! { $what })*
    };
}

/// Reads an access key once, and answers it from memory from then on.
pub(crate) struct RememberedKeys<S> {
    store: S,
    keys: Mutex<HashMap<Key, Versioned>>,
}

impl<S> RememberedKeys<S> {
    pub(crate) fn new(store: S) -> Self {
        Self { store, keys: Mutex::default() }
    }
}

impl<S: Store> Store for RememberedKeys<S> {
    pass_on! { list commit }

    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        let mut read = self.store.load(keys).await?;
        let mut remembered = self.keys.lock().unwrap();
        for (key, read) in keys.iter().zip(&mut read) {
            if key.kind() != "access-key" {
                continue;
            }
            match (remembered.get(key), &read) {
                (Some(first), _) => *read = Some(first.clone()),
                (None, Some(first)) => {
                    remembered.insert(key.clone(), first.clone());
                }
                (None, None) => {}
            }
        }
        Ok(read)
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.store.admit(admission).await
    }

    async fn settle(&self) -> Result<(), Error> {
        self.store.settle().await
    }
}

/// Reports nonces as kept before they are.
pub(crate) struct Unsettled<S> {
    pub(crate) store: S,
}

impl<S: Store> Store for Unsettled<S> {
    pass_on! { load list commit }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.store.admit(admission).await
    }
}

/// Nonces, and the latest time of any call.
#[derive(Default)]
struct Nonces {
    latest_secs: u64,
    expiring: HashMap<(String, String), u64>,
}

/// Checks and forgets nonces by the latest clock that it has seen.
pub(crate) struct LatestClock<S> {
    store: S,
    nonces: Arc<Mutex<Nonces>>,
}

impl LatestClock<()> {
    pub(crate) fn new() -> Self {
        Self { store: (), nonces: Arc::default() }
    }

    pub(crate) fn over<S>(&self, store: S) -> LatestClock<S> {
        LatestClock { store, nonces: Arc::clone(&self.nonces) }
    }
}

impl<S: Store> Store for LatestClock<S> {
    pass_on! { load list commit }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        let Admission { access_key_id, nonce, nonce_expires_at_secs, now_secs, .. } = *admission;
        let spent = {
            let mut nonces = self.nonces.lock().unwrap();
            let latest_secs = nonces.latest_secs.max(now_secs);
            nonces.latest_secs = latest_secs;
            nonces.expiring.retain(|_, expires_at_secs| latest_secs < *expires_at_secs);
            let nonce = (access_key_id.to_owned(), nonce.to_owned());
            nonces.expiring.insert(nonce, nonce_expires_at_secs)
        };
        if spent.is_some() {
            return Ok(Admitted::NonceUsed);
        }
        // It is counted below, under a nonce that is never used again.
        let nonce = format!("{nonce} at {now_secs}");
        self.store.admit(&Admission { nonce: &nonce, ..*admission }).await
    }
}

/// The mistake of a careless store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mistake {
    /// It acknowledges a commit without making it.
    LosesCommits,
    /// It admits every call.
    IgnoresQuotas,
    /// It counts a call twice.
    CountsTwice,
    /// It uses up a nonce for every access key.
    SpendsForAllKeys,
}

/// A careless store.
pub(crate) struct Careless<S> {
    pub(crate) store: S,
    pub(crate) mistake: Mistake,
}

impl<S: Store> Store for Careless<S> {
    pass_on! { load list }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        let is_purchase = writes.iter().any(|write| write.key.kind() == "internet-bandwidth");
        if is_purchase && self.mistake == Mistake::LosesCommits {
            return Ok(());
        }
        self.store.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        let quota = admission.quota.filter(|_| self.mistake != Mistake::IgnoresQuotas);
        let admitted = self.store.admit(&Admission { quota, ..*admission }).await?;
        if admitted == Admitted::Yes {
            let again = format!("{} again", admission.nonce);
            let second = match self.mistake {
                Mistake::CountsTwice => vec![Admission { nonce: &again, ..*admission }],
                Mistake::SpendsForAllKeys => KEYS
                    .iter()
                    .map(|access_key_id| Admission { access_key_id, quota: None, ..*admission })
                    .collect(),
                Mistake::LosesCommits | Mistake::IgnoresQuotas => Vec::new(),
            };
            for admission in second {
                self.store.admit(&admission).await?;
            }
        }
        Ok(admitted)
    }
}

/// Puts the nonce and counts the call in one transaction.
pub(crate) struct Together<S> {
    pub(crate) store: S,
    pub(crate) table: Table<Sim>,
}

impl<S: Store> Store for Together<S> {
    pass_on! { load list commit }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        let Some(quota) = admission.quota else { return self.store.admit(admission).await };
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let number = |number: u64| AttributeValue::N(number.to_string());
        let key = |pk: String| Item::from([("pk".into(), text(&pk)), ("sk".into(), text("-"))]);
        let nonce = key(format!("nonce#{}#{}", admission.access_key_id, admission.nonce));
        let window = admission.now_secs / quota.window_secs;
        let counter = key(format!("calls#{}#{window}", quota.action));
        let put = Put::builder()
            .table_name(TABLE_NAME)
            .set_item(Some(nonce))
            .condition_expression("attribute_not_exists(pk)");
        let update = Update::builder()
            .table_name(TABLE_NAME)
            .set_key(Some(counter))
            .update_expression("ADD calls :one SET window = :window")
            .condition_expression("attribute_not_exists(pk) OR calls < :calls_max")
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":window", number(window))
            .expression_attribute_values(":calls_max", number(quota.calls_max.into()));
        let parts = vec![
            TransactWriteItem::builder().put(put.build().unwrap()).build(),
            TransactWriteItem::builder().update(update.build().unwrap()).build(),
        ];
        let sim = &self.table.surroundings;
        for attempt in 0..10 {
            let token = sim.draw(u64::MAX).to_string();
            let request = TransactWriteItemsInput::builder().client_request_token(token);
            let request = request.set_transact_items(Some(parts.clone()));
            match self.table.transact_write_items(request).await {
                Ok(_) => return Ok(Admitted::Yes),
                Err(error) if error.code() == Some("TransactionCanceledException") => {}
                Err(error) => return Err(Error::Unavailable { source: Box::new(error) }),
            }
            // As the store does between attempts.
            sim.sleep(sim.draw((25_000 << attempt).min(400_000))).await;
        }
        Err(Error::Unavailable { source: "conflicts".into() })
    }
}
