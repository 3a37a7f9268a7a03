//! The checker tells linearizable histories from others.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use ::store::{Admission, Admitted, Error, Key, Partition, Store, Versioned, Write};
use suites::linearizability::History;
use suites::linearizability::address::{MISMATCH, Op, Ret};
use suites::support::{
    self, ALREADY_EXISTED, Outcome, Time, allocate_under, fill, instance, outcome, sign,
};
use suites::worlds::one_address;
use tokio::sync::Barrier;

use crate::broken::{Broken, Defect};

/// Delays the first two commits until both callers have read the same state.
struct Together<S>(S, Barrier, AtomicUsize);

impl<S: Store> Store for Together<S> {
    async fn load(&self, keys: &[Key]) -> Result<Vec<Option<Versioned>>, Error> {
        self.0.load(keys).await
    }

    async fn list(
        &self,
        partition: &Partition,
        each: &mut (dyn FnMut(Versioned) -> ControlFlow<()> + Send),
    ) -> Result<(), Error> {
        self.0.list(partition, each).await
    }

    async fn commit(&self, writes: Vec<Write>) -> Result<(), Error> {
        if self.2.fetch_add(1, Ordering::SeqCst) < 2 {
            self.1.wait().await;
        }
        self.0.commit(writes).await
    }

    async fn admit(&self, admission: &Admission<'_>) -> Result<Admitted, Error> {
        self.0.admit(admission).await
    }
}

/// Whether the history of two buyers who have read the same is linearizable.
async fn two_buyers_are_linearizable(defect: Defect) -> bool {
    let [client, _] = Broken::clients(defect);
    fill(&*client, &one_address()).await;
    let (history, time) = (History::default(), Time::default());
    let function = instance(Together(client, Barrier::new(2), AtomicUsize::new(0)), &time);
    let buy = async |token| {
        let me = history.newcomer();
        history.invoked(me, Op::Allocate { token, bandwidth: 200 });
        let wire = sign(&allocate_under(token, "ipv6-1"), time.now_secs());
        let got = outcome(&support::send(&function, &wire).await);
        history.returned(me, Ret::Answered(got));
    };
    tokio::join!(buy("a"), buy("b"));
    history.is_linearizable()
}

#[tokio::test]
async fn a_store_that_ignores_versions_is_not_linearizable() {
    assert!(two_buyers_are_linearizable(Defect::None).await);
    assert!(!two_buyers_are_linearizable(Defect::CommitIgnoresVersions).await);
}

/// Calls in sequence with their results; no result if the answer was lost.
type Calls<'a> = &'a [(Op, Option<Ret>)];

#[test]
fn the_checker_accepts_exactly_the_linearizable_histories() {
    let allocate = |token, bandwidth| Op::Allocate { token, bandwidth };
    let bought = |id: &str| Some(Ret::Answered(Outcome::Bought(id.to_owned())));
    let refused = |code: &str| Some(Ret::Answered(support::refused(code)));
    let holds = |id: Option<&str>| Some(Ret::Holds(id.map(str::to_owned)));
    let lost = None;
    let (a, b) = (allocate("a", 200), allocate("b", 200));
    let one = [(a, bought("1")), (b, refused(ALREADY_EXISTED)), (a, bought("1"))];
    let wrong: &[(&str, Calls<'_>)] = &[
        ("bought twice", &[(a, bought("1")), (b, bought("2"))]),
        ("repeated with another id", &[(a, bought("1")), (a, bought("2"))]),
        ("refused for nothing", &[(a, refused(ALREADY_EXISTED))]),
        ("refused to its buyer", &[(a, bought("1")), (a, refused(ALREADY_EXISTED))]),
        ("repeated for another call", &[(a, bought("1")), (allocate("a", 300), bought("1"))]),
        ("mismatched for nothing", &[(a, refused(MISMATCH))]),
        ("mismatched with itself", &[(a, bought("1")), (a, refused(MISMATCH))]),
        ("read too late", &[(a, bought("1")), (Op::Read, holds(None))]),
        ("read before it was bought", &[(Op::Read, holds(Some("1"))), (a, bought("1"))]),
        (
            "come and gone",
            &[(a, lost.clone()), (Op::Read, holds(Some("1"))), (Op::Read, holds(None))],
        ),
        (
            "lost and bought again",
            &[(a, lost.clone()), (Op::Read, holds(Some("1"))), (b, bought("2"))],
        ),
    ];
    let right: &[(&str, Calls<'_>)] = &[
        ("one after the other", &one),
        ("lost and done", &[(a, lost.clone()), (b, refused(ALREADY_EXISTED)), (a, bought("1"))]),
        ("lost and not done", &[(a, lost.clone()), (b, bought("2")), (Op::Read, holds(Some("2")))]),
        ("lost and done late", &[(a, lost), (Op::Read, holds(None)), (Op::Read, holds(Some("1")))]),
        ("another call", &[(a, bought("1")), (allocate("a", 300), refused(MISMATCH))]),
    ];
    for (calls, expected) in
        wrong.iter().map(|calls| (calls, false)).chain(right.iter().map(|calls| (calls, true)))
    {
        let history = History::default();
        let mut me = history.newcomer();
        for (op, ret) in calls.1 {
            history.invoked(me, *op);
            match ret {
                Some(ret) => history.returned(me, ret.clone()),
                None => me = history.newcomer(),
            }
        }
        assert_eq!(history.is_linearizable(), expected, "{}", calls.0);
    }
}
