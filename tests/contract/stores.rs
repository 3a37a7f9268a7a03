//! Every suite, on every store, in process and over HTTP.
//!
//! A new store is a module here: a function that yields two clients of one empty store, and
//! `suites!`. A new way to start the local endpoint is a module with its arguments, and
//! `suites_over_http!`.

/// Tests everything that is asked of a store and of the function over it. `$clients` names a
/// function that yields the clients.
macro_rules! suites {
    ($clients:ident) => {
        mod conformance {
            crate::conformance::conformance! { super::$clients() }
        }
        mod decision_table {
            crate::decision_table::decision_table! { super::$clients() }
        }
        mod races {
            crate::races::races! { super::$clients() }
        }
        mod linearizability {
            crate::linearizability::linearizability! { super::$clients() }
        }
        mod interruptions {
            crate::interruptions::interruptions! { super::$clients() }
        }
        mod retries {
            crate::retries::retries! { super::$clients() }
        }
    };
}

/// Tests an endpoint over HTTP. `$arguments` is what it is started with.
macro_rules! suites_over_http {
    ($arguments:expr) => {
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn every_cell_of_the_decision_table_holds() {
            crate::decision_table::every_cell_holds_over_http($arguments).await;
        }
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn of_64_callers_one_allocates() {
            crate::races::of_64_callers_over_http_one_allocates($arguments).await;
        }
        #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
        async fn no_trouble_buys_twice() {
            crate::retries::no_trouble_over_http_buys_twice($arguments).await;
        }
    };
}

mod memory {
    use std::sync::Arc;

    use store::MemoryStore;

    use crate::support::Clients;

    /// Async, since other stores are opened over a network.
    async fn clients() -> Clients<MemoryStore> {
        let store = Arc::new(MemoryStore::default());
        [Arc::clone(&store), store]
    }

    suites! { clients }

    mod over_http {
        suites_over_http! { &[] }
    }
}

mod embedded {
    use std::sync::Arc;

    use crate::embedded::{Scratch, scratch};
    use crate::support::Clients;

    /// One process has it open, so both are the same.
    async fn clients() -> Clients<Scratch> {
        let store = Arc::new(scratch());
        [Arc::clone(&store), store]
    }

    suites! { clients }

    mod over_http {
        suites_over_http! { &crate::places::Place::directory().options() }
    }
}

mod dynamodb {
    use std::sync::Arc;

    use harness::dynamodb_local::patient_client;
    use store::DynamoDbStore;

    use crate::dynamodb::{local, new_table};
    use crate::support::Clients;

    async fn clients() -> Clients<DynamoDbStore> {
        let table = new_table().await;
        [(); 2].map(|()| Arc::new(patient_client(local(), &table)))
    }

    suites! { clients }

    mod over_http {
        suites_over_http! { &crate::places::Place::made_table().await.options() }
    }
}
