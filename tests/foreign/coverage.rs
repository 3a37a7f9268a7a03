//! The page of `contract coverage`, in a browser.

use foreign::tools::{self, command, run};
use serde_json::{Value, json};
use suites::command::{contract, printed};
use suites::scratch;

/// Opens all lists of the page of `process.argv[2]` at 400 pixels, and prints the elements that are
/// wider than the page.
const SCRIPT: &str = r"
const puppeteer = (await import('puppeteer-core')).default;
const [executablePath, url] = process.argv.slice(1);
const browser = await puppeteer.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
const page = await browser.newPage();
await page.setViewport({ width: 400, height: 800 });
await page.goto(url);
console.log(JSON.stringify(await page.evaluate(() => {
  document.querySelectorAll('details').forEach((list) => { list.open = true; });
  const all = [...document.querySelectorAll('*')];
  const wide = all.filter((it) => it.getBoundingClientRect().right > 400 || it.scrollWidth > 400);
  return { rows: document.querySelectorAll('tbody tr').length > 100, wide: wide.map((it) => it.outerHTML.slice(0, 200)) };
})));
await browser.close();
";

#[test]
fn it_fits_a_narrow_window() {
    let folder = scratch();
    let page = folder.path().join("coverage.html");
    let output = contract(&["coverage", "--format", "html", "--output", page.to_str().unwrap()]);
    assert!(output.status.success(), "{}", printed(&output));
    let chromium = run(command("bash")
        .args(["-c", "command -v \"$0\""])
        .arg(command("chromium").get_program()));
    let chromium = String::from_utf8(chromium.stdout).unwrap();
    let mut drive = command("node");
    drive.args(["--input-type=module", "-e", SCRIPT, chromium.trim()]);
    drive.arg(format!("file://{}", page.display()));
    let home = tools::node("review-node", &tools::folder("review"));
    let saw = run(drive.current_dir(home));
    let saw: Value = serde_json::from_slice(&saw.stdout).unwrap();
    assert_eq!(saw, json!({ "rows": true, "wide": [] }));
}
