//! `contract review`: the content of the page.

use suites::review::{change, review};
use suites::scratch;

#[test]
fn the_page_shows_the_changes_and_no_secret() {
    let [old, new] = change();
    let folder = scratch();
    let places = [old.path().to_str().unwrap(), new.path().to_str().unwrap()];
    let page = review(&places, folder.path());
    for part in [
        "case-answer-changed",
        "snapshot-changed",
        "limit-widened",
        "cases/SystemBusy/once-more.json</code> is new",
        "page: &quot;IllegalParam.Bandwidth",
        "curl -X POST",
        "SignatureNonce=a-nonce",
        "cargo insta review",
    ] {
        assert!(page.contains(part), "{part}");
    }
    for part in ["testsecret", "http://", "<link", "src=", "@import", "url("] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(page.contains("Signature=***"), "{page}");
    let nothing = review(&[places[0], places[0]], folder.path());
    assert!(nothing.contains("Nothing changes."), "{nothing}");
    let history = review(&["history/2021"], folder.path());
    assert!(history.contains("limit-narrowed"), "{history}");
}
