//! Builds the crate anew when a file of the contract is added, changed or removed.

#![expect(clippy::print_stdout, reason = "it is how cargo is told")]

fn main() {
    println!("cargo::rerun-if-changed=.");
}
