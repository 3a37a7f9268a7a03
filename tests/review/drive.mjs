// Uses the review page by its keys: node drive.mjs CHROMIUM PAGE FOLDER.
// Prints its observations as JSON, and leaves screenshots in FOLDER.
import path from "node:path";
import { pathToFileURL } from "node:url";
import puppeteer from "puppeteer-core";

const [executablePath, file, folder] = process.argv.slice(2);
// Keeps Chromium from looking for updates and the like.
const args = [
  "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync",
];
const browser = await puppeteer.launch({ executablePath, args });
const saw = { errors: [], requests: [] };
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => saw.errors.push(String(error)));
  page.on("console", (message) => saw.errors.push(message.text()));
  page.on("request", (request) => saw.requests.push(request.url().split(":")[0]));
  await page.setViewport({ width: 1280, height: 1400 });
  await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: "light" }]);
  await page.goto(pathToFileURL(file).href);

  const current = () =>
    page.evaluate(() => document.querySelector(".case.current summary code")?.textContent ?? null);
  const shown = () => page.evaluate(() => document.querySelectorAll(".case:not([hidden])").length);
  const open = () => page.evaluate(() => document.querySelectorAll(".case[open]").length);
  const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const press = async (...keys) => {
    for (const key of keys) await page.keyboard.press(key);
  };

  saw.cases = await shown();
  await press("j");
  saw.first = await current();
  await press("j");
  saw.second = await current();
  await press("k", "k", "k");
  saw.back = await current();
  await press("o");
  saw.opened = await open();
  saw.marked = await page.evaluate(() => [
    document.querySelector(".case[open] .old mark")?.textContent ?? null,
    document.querySelector(".case[open] .new mark")?.textContent ?? null,
  ]);
  await page.screenshot({ path: path.join(folder, "light.png") });
  await press("Enter");
  saw.closed = await open();
  await press("a");
  saw.all = await open();
  await press("a");
  await press("1");
  saw.breaking = await shown();
  await press("3");
  saw.cosmetic = await shown();
  await press("0", "/");
  await page.keyboard.type("SystemBusy");
  saw.found = await shown();
  await press("Escape");
  saw.afterwards = await shown();
  saw.light = await paper();
  await press("t");
  saw.dark = await paper();
  await press("j", "o");
  await page.screenshot({ path: path.join(folder, "dark.png") });
  await press("?");
  saw.keys = await page.evaluate(() => document.getElementById("keys").open);
  await press("Escape");
  await page.setViewport({ width: 400, height: 900 });
  saw.overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  await page.screenshot({ path: path.join(folder, "narrow.png") });
} finally {
  await browser.close();
}
console.log(JSON.stringify(saw));
