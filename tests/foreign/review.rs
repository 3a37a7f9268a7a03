//! The page of `contract review`, in a browser.

use foreign::tools::{self, command, run};
use serde_json::{Value, json};
use suites::review::{change, review};
use suites::scratch;
use suites::support::ALLOCATE;

#[test]
fn it_works_by_keys_and_without_a_network() {
    let [old, new] = change();
    let folder = scratch();
    review(&[old.path().to_str().unwrap(), new.path().to_str().unwrap()], folder.path());
    // The driver starts the browser by its path.
    let which = run(command("bash")
        .args(["-c", "command -v \"$0\""])
        .arg(command("chromium").get_program()));
    let chromium = String::from_utf8(which.stdout).unwrap();
    let driver = tools::folder("review");
    let home = tools::node("review-node", &driver);
    std::fs::copy(driver.join("drive.mjs"), home.join("drive.mjs")).unwrap();
    let mut drive = command("node");
    drive.arg("drive.mjs").arg(chromium.trim());
    drive.arg(folder.path().join("review.html")).arg(folder.path()).current_dir(&home);
    let saw = run(&mut drive);
    let saw: Value = serde_json::from_slice(&saw.stdout).unwrap();
    let bandwidth = format!("{ALLOCATE}/cases/IllegalParam.Bandwidth/letters.json");
    let expected = json!({
        "errors": [], "requests": ["file"],
        "cases": 3,
        "first": bandwidth, "second": format!("{ALLOCATE}/cases/SystemBusy/once-more.json"),
        "back": bandwidth,
        "opened": 1, "marked": ["param", "parameter"], "closed": 0, "all": 3,
        "breaking": 1, "cosmetic": 1, "found": 1, "afterwards": 3,
        "light": "rgb(255, 255, 255)", "dark": "rgb(22, 22, 22)",
        "keys": true, "overflow": 0
    });
    assert_eq!(saw, expected);
    for name in ["light.png", "dark.png", "narrow.png"] {
        assert!(folder.path().join(name).metadata().unwrap().len() > 10_000, "{name}");
    }
}
