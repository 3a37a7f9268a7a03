//! A process opens a directory of format 1 and is killed at one of its writes. The directory that
//! is left opens, and holds the same world.

use std::path::Path;
use std::process::{Command, Stdio};

use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use suites::endpoint::built;

use super::format_1;

/// How many times the process is killed: at the beginning or the end of a write, from the first
/// write to the last.
const KILLS: usize = 24;

/// The system calls that change files.
const WRITES: [i64; 14] = [
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_pwritev,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_rename,
    libc::SYS_renameat2,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_mkdir,
    libc::SYS_rmdir,
];

/// Exports the world of a directory, which opens it, and kills the process after so many beginnings
/// and ends of writes. Returns how many there were.
fn export(binary: &Path, folder: &Path, writes_max: usize) -> usize {
    // The shell waits for its tracer before it executes the program.
    let script = "kill -STOP $$; exec \"$@\"";
    let mut child = Command::new("/bin/sh")
        .args(["-c", script, "sh"])
        .arg(binary)
        .args(["export", "--data"])
        .arg(folder)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let process = Pid::from_raw(child.id().try_into().unwrap());
    waitpid(process, Some(WaitPidFlag::WUNTRACED)).unwrap();
    ptrace::seize(process, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE).unwrap();
    kill(process, Signal::SIGCONT).unwrap();
    let writes = follow(process, folder, writes_max);
    // Most likely the wait above has reaped it.
    drop(child.wait());
    writes
}

/// Follows a process from one system call to the next, and kills it after so many beginnings and
/// ends of writes. Returns how many there were.
fn follow(process: Pid, folder: &Path, writes_max: usize) -> usize {
    let mut writes = 0;
    loop {
        // Only children of this thread: other tests wait for theirs.
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        let (thread, signal) = match waitpid(Pid::from_raw(-1), Some(flags)) {
            Err(_) => return writes,
            Ok(WaitStatus::PtraceSyscall(thread)) => {
                if changes_files(process, thread, folder) {
                    writes += 1;
                    if writes == writes_max {
                        kill(process, Signal::SIGKILL).unwrap();
                    }
                }
                (thread, None)
            }
            Ok(WaitStatus::PtraceEvent(thread, ..)) => (thread, None),
            Ok(WaitStatus::Stopped(thread, signal)) => {
                (thread, (signal != Signal::SIGCONT && signal != Signal::SIGTRAP).then_some(signal))
            }
            Ok(_) => continue,
        };
        let _ = ptrace::syscall(thread, signal);
    }
}

/// Whether a thread begins or ends a system call that changes files of the store's directory.
fn changes_files(process: Pid, thread: Pid, folder: &Path) -> bool {
    let call = std::fs::read_to_string(format!("/proc/{process}/task/{thread}/syscall"));
    let number = call.ok().and_then(|call| call.split_whitespace().next()?.parse().ok());
    number.is_some_and(|number| WRITES.contains(&number)) && folder.join("lock").exists()
}

#[test]
fn a_conversion_that_is_killed_at_any_write_loses_nothing() {
    let binary = built("local-endpoint").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let killed_after = |writes: usize| {
        let copy = format_1::unpacked();
        let seen = export(&binary, copy.path(), writes);
        runtime.block_on(format_1::check(copy.path()));
        seen
    };
    let all = killed_after(usize::MAX);
    assert!(all > 2 * KILLS, "{all} writes");
    // An odd step, so that beginnings and ends take turns.
    for writes in (1..all).step_by((all / KILLS) | 1) {
        killed_after(writes);
    }
}
