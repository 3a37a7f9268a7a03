//! `contract fuzz` in a terminal.

use foreign::tools::{command, run};
use suites::command::endpoint;
use suites::endpoint::built;

#[tokio::test(flavor = "multi_thread")]
async fn it_shows_its_progress_in_time() {
    let (_endpoint, url) = endpoint(&[]).await;
    let contract = built("contract").unwrap();
    let line = format!("{} fuzz --endpoint {url} --seed 1 --seconds 4", contract.display());
    // In a script the terminal has no size.
    let output = run(command("script")
        .args(["--quiet", "--return", "--command"])
        .arg(format!("stty cols 100; {line}"))
        .arg("/dev/null"));
    let shown = String::from_utf8_lossy(&output.stdout);
    for part in ["1 of 4 s, ", "2 of 4 s, ", " calls, no answer is wrong"] {
        assert!(shown.contains(part), "{part}\n{shown}");
    }
}
