//! Panics: defects that must not take the process or the answer with them (decision
//! `internal-error`).

use std::cell::RefCell;
use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;

thread_local! {
    /// Where the last panic of this thread began.
    static LAST_LOCATION: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Has panics logged by their place alone. The message is left out: it may quote what the code was
/// working on, and so a secret.
///
/// For `main` to call, once.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "something panicked");
        LAST_LOCATION.with(|last| *last.borrow_mut() = location);
    }));
}

/// Where the last panic of this thread began, if [`log_panics`] was called.
pub(crate) fn last_location() -> String {
    LAST_LOCATION.with(|last| last.borrow().clone())
}

/// The output of `future`, or `None` if it panicked.
///
/// What it worked on may be half done afterwards, so it must own that or share only what stays
/// whole: a store keeps its promises if a caller dies between two of its methods.
pub(crate) fn caught<T>(future: impl Future<Output = T>) -> impl Future<Output = Option<T>> {
    AssertUnwindSafe(future).catch_unwind().map(Result::ok)
}
