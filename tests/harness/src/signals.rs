//! The signals that ask a process to end.

use tokio::signal::unix::{SignalKind, signal};

/// Resolves with the name of a signal that asks the process to end: Ctrl-C, a cancelled job, or a closed
/// terminal.
pub(crate) async fn interrupted() -> &'static str {
    tokio::select! {
        () = received(SignalKind::interrupt()) => "SIGINT",
        () = received(SignalKind::terminate()) => "SIGTERM",
        () = hung_up() => "SIGHUP",
    }
}

async fn hung_up() {
    // `nohup` starts a process with SIGHUP ignored.
    if is_ignored(SignalKind::hangup()) {
        return std::future::pending().await;
    }
    received(SignalKind::hangup()).await;
}

/// Never resolves if the signal cannot be watched: it then ends the process.
async fn received(kind: SignalKind) {
    match signal(kind) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

/// Whether the process ignores the signal, where `/proc` shows it.
fn is_ignored(kind: SignalKind) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (kind.as_raw_value() - 1) & 1 == 1)
}
