//! An answer leaves only after its sync, as the kernel sees it.
//!
//! The operating system keeps the writes of a killed process, so a kill does not show a missing
//! sync. Therefore this test traces the endpoint's system calls, and checks each answer against the
//! writes before it.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::mpsc;

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace::{self, Options};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use serde_json::json;
use suites::endpoint::{Endpoint, built};
use suites::worlds::addresses;

use super::folder;
use crate::endpoint::{allocate, call};

const CALLS: usize = 20;

/// A system call that matters here.
#[derive(Debug)]
enum Event {
    /// A write to a file.
    Write(PathBuf),
    /// A sync of a file, which has ended before the next event of its thread.
    Sync(PathBuf),
    /// A write to a connection.
    Send,
}

/// Traces the system calls of a process until it ends.
struct Watch {
    process: Pid,
    /// The threads inside a system call, each with its event if that counts when the call ends.
    inside: HashMap<Pid, Option<Event>>,
    events: Vec<Event>,
}

impl Watch {
    fn begin(process: Pid) -> Self {
        let tasks = std::fs::read_dir(format!("/proc/{process}/task")).unwrap();
        for task in tasks {
            let name = task.unwrap().file_name();
            let thread = Pid::from_raw(name.to_str().unwrap().parse().unwrap());
            ptrace::seize(thread, Options::PTRACE_O_TRACESYSGOOD | Options::PTRACE_O_TRACECLONE)
                .unwrap();
            ptrace::interrupt(thread).unwrap();
        }
        Self { process, inside: HashMap::new(), events: Vec::new() }
    }

    fn run(mut self) -> Vec<Event> {
        loop {
            // Only children of this thread: other tests wait for theirs.
            let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
            let (thread, signal) = match waitpid(Pid::from_raw(-1), Some(flags)) {
                Err(Errno::ECHILD) => return self.events,
                Err(error) => panic!("{error}"),
                Ok(WaitStatus::PtraceSyscall(thread)) => {
                    self.step(thread);
                    (thread, None)
                }
                Ok(WaitStatus::PtraceEvent(thread, ..)) => (thread, None),
                Ok(WaitStatus::Stopped(thread, signal)) => (thread, Some(signal)),
                Ok(_) => continue,
            };
            // The thread may have been killed meanwhile.
            let _ = ptrace::syscall(thread, signal);
        }
    }

    /// A system call begins or ends.
    fn step(&mut self, thread: Pid) {
        if let Some(event) = self.inside.remove(&thread) {
            self.events.extend(event);
            return;
        }
        let event = match self.event(thread) {
            // A sync counts when it has ended, every other call when it begins.
            Some(sync @ Event::Sync(_)) => Some(sync),
            other => {
                self.events.extend(other);
                None
            }
        };
        self.inside.insert(thread, event);
    }

    /// The system call that a thread is beginning, if it matters.
    fn event(&self, thread: Pid) -> Option<Event> {
        let process = self.process;
        let call =
            std::fs::read_to_string(format!("/proc/{process}/task/{thread}/syscall")).ok()?;
        let mut words = call.split_whitespace();
        let number: i64 = words.next()?.parse().ok()?;
        let descriptor = words.next()?.trim_start_matches("0x");
        let descriptor = u64::from_str_radix(descriptor, 16).ok()?;
        let file = std::fs::read_link(format!("/proc/{process}/fd/{descriptor}"));
        match number {
            libc::SYS_write | libc::SYS_writev | libc::SYS_pwrite64 | libc::SYS_pwritev => {
                let file = file.ok()?;
                let is_socket = file.to_string_lossy().starts_with("socket:");
                Some(if is_socket { Event::Send } else { Event::Write(file) })
            }
            libc::SYS_sendto | libc::SYS_sendmsg => Some(Event::Send),
            libc::SYS_fsync | libc::SYS_fdatasync => Some(Event::Sync(file.ok()?)),
            _ => None,
        }
    }
}

#[tokio::test]
async fn an_answer_leaves_only_after_its_sync() {
    let folder = folder();
    let world = folder.path().join("world.json");
    std::fs::write(&world, addresses(0..CALLS).to_string()).unwrap();
    let kept = folder.path().join("kept");
    let binary = built("local-endpoint").unwrap();
    let arguments = ["--data", kept.to_str().unwrap(), "--world", world.to_str().unwrap()];
    let endpoint = Endpoint::start(&binary, &arguments).await.unwrap();
    // The endpoint does its one-time work here.
    assert_eq!(call(&endpoint, &allocate("ipv6-none")).await.unwrap().status, 400);
    let process = Pid::from_raw(endpoint.id().unwrap().try_into().unwrap());
    let (begun, has_begun) = mpsc::channel();
    let watch = std::thread::spawn(move || {
        let watch = Watch::begin(process);
        begun.send(()).unwrap();
        watch.run()
    });
    has_begun.recv().unwrap();
    for number in 0..CALLS {
        let mut query = allocate(&format!("ipv6-{number}"));
        query["ClientToken"] = json!(format!("t-{number}"));
        assert_eq!(call(&endpoint, &query).await.unwrap().status, 200);
        // A call that buys nothing has used its nonce as well.
        assert_eq!(call(&endpoint, &allocate("ipv6-none")).await.unwrap().status, 400);
        query["DryRun"] = json!("true");
        assert_eq!(call(&endpoint, &query).await.unwrap().status, 400);
    }
    drop(endpoint);
    let events = watch.join().unwrap();
    check(&events, &kept);
}

/// Asserts that no answer left before the journal's earlier writes were synced.
fn check(events: &[Event], folder: &Path) {
    let is_journal =
        |file: &Path| file.starts_with(folder) && file.extension().is_some_and(|e| e == "jnl");
    let mut unsynced = BTreeSet::new();
    let (mut writes, mut syncs, mut answers) = (0, 0, 0);
    for event in events {
        match event {
            Event::Write(file) if is_journal(file) => {
                unsynced.insert(file);
                writes += 1;
            }
            Event::Sync(file) if is_journal(file) => {
                unsynced.remove(file);
                syncs += 1;
            }
            Event::Send => {
                assert!(unsynced.is_empty(), "answer {answers} left before its sync");
                answers += 1;
            }
            Event::Write(_) | Event::Sync(_) => {}
        }
    }
    // The calls came one after another, so each has its own sync.
    assert!(
        [writes, syncs, answers].iter().all(|count| *count >= 3 * CALLS),
        "{writes} writes, {syncs} syncs, {answers} answers"
    );
}
