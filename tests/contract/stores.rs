//! Every suite on the stores of this machine, in process and over HTTP.

mod memory {
    use std::sync::Arc;

    use store::MemoryStore;

    use suites::support::Clients;

    /// Async, because other stores are opened over a network.
    async fn clients() -> Clients<MemoryStore> {
        let store = Arc::new(MemoryStore::default());
        [Arc::clone(&store), store]
    }

    suites::suites! { clients }

    mod over_http {
        suites::suites_over_http! { &[] }
    }
}

mod embedded {
    use std::sync::Arc;

    use crate::embedded::{Scratch, scratch};
    use suites::support::Clients;

    /// One process opens it, so both clients are the same.
    async fn clients() -> Clients<Scratch> {
        let store = Arc::new(scratch());
        [Arc::clone(&store), store]
    }

    suites::suites! { clients }

    mod over_http {
        suites::suites_over_http! { &suites::places::Place::directory().options() }
    }
}
