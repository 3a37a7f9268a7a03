"use strict";
const cases = [...document.querySelectorAll(".case")];
const findings = [...document.querySelectorAll(".findings > li")];
const buttons = [...document.querySelectorAll("button[data-severity]")];
const find = document.getElementById("find");
const keys = document.getElementById("keys");
let severity = "";
let current = -1;

const seen = () => cases.filter((one) => !one.hidden);

function show() {
  const text = find.value.trim().toLowerCase();
  const fits = (element, of) =>
    (severity === "" || of === severity) && element.textContent.toLowerCase().includes(text);
  for (const one of cases) one.hidden = !fits(one, one.dataset.severity);
  for (const one of findings) one.hidden = !fits(one, one.firstElementChild.dataset.severity);
  for (const button of buttons) {
    button.setAttribute("aria-pressed", String(button.dataset.severity === severity));
  }
  document.getElementById("status").textContent =
    `${seen().length} of ${cases.length} cases, ` +
    `${findings.filter((one) => !one.hidden).length} of ${findings.length} changes`;
  go(-1);
}

function go(position) {
  const all = seen();
  current = Math.max(-1, Math.min(position, all.length - 1));
  for (const one of cases) one.classList.toggle("current", one === all[current]);
  if (current >= 0) {
    const summary = all[current].querySelector("summary");
    summary.focus({ preventScroll: true });
    all[current].scrollIntoView({ block: "nearest" });
  }
}

function toggle(element) {
  if (element) element.open = !element.open;
}

function theme() {
  const root = document.documentElement;
  const isDark = root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = isDark ? "light" : "dark";
}

function only(which) {
  severity = which;
  show();
}

const actions = {
  j: () => go(current + 1),
  k: () => go(Math.max(0, current - 1)),
  o: () => toggle(seen()[current]),
  a: () => {
    const open = seen().some((one) => !one.open);
    for (const one of seen()) one.open = open;
  },
  "/": () => find.focus(),
  0: () => only(""),
  1: () => only("breaking"),
  2: () => only("additive"),
  3: () => only("cosmetic"),
  t: theme,
  "?": () => (keys.open ? keys.close() : keys.showModal()),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey) return;
  if (event.target === find) {
    if (event.key === "Escape") {
      find.value = "";
      find.blur();
      show();
    }
    return;
  }
  const action = actions[event.key];
  if (action) {
    event.preventDefault();
    action();
  }
});
find.addEventListener("input", show);
for (const button of buttons) button.addEventListener("click", () => only(button.dataset.severity));
document.getElementById("theme").addEventListener("click", theme);
document.getElementById("help").addEventListener("click", () => keys.showModal());
show();
