//! Panics: the process survives them and answers the call (decision `internal-error`).

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

thread_local! {
    /// The location of the last panic of this thread.
    static LAST_LOCATION: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Logs panics by their location, without the message, which may quote a secret.
///
/// `main` calls this once.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "something panicked");
        LAST_LOCATION.with(|last| *last.borrow_mut() = location);
    }));
}

/// The location of the last panic of this thread, if [`log_panics`] was called.
pub(crate) fn last_location() -> String {
    LAST_LOCATION.with(|last| last.borrow().clone())
}

/// The output of `future`, or `None` if it panicked.
///
/// After a panic, shared state may be inconsistent. So the future must share nothing but a store,
/// which stays consistent if a caller stops between two of its methods.
pub(crate) fn caught<T>(future: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    AssertUnwindSafe(future).catch_unwind().map(Result::ok)
}
