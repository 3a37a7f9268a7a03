//! Many callers at once on a store that is never busy.

use std::sync::Arc;

use ::store::MemoryStore;
use suites::races::{Tokens, race_on};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_store_in_memory_is_never_busy() {
    for tokens in [Tokens::Own, Tokens::One, Tokens::Two] {
        for _ in 0..10 {
            let store = Arc::new(MemoryStore::default());
            // As no call is refused as busy, the counts are exact.
            assert_eq!(race_on([Arc::clone(&store), store], tokens).await, 0);
        }
    }
}
