// What the panel needs beyond htmx: keys, dialogs, times that stay true. No inline handlers, nothing evaluated.
"use strict";

const kept = "shortcuts";
const shortcutsOn = () => document.body.dataset.shortcuts !== "off" && localStorage.getItem(kept) !== "off";
const typing = (element) => element.closest("input, textarea, select, [contenteditable]");

// By physical key as well, so that the keys work on a Russian layout too.
const keyOf = (event) => (event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : event.key);

let going = 0; // until when a letter after G says where to go
document.addEventListener("keydown", (event) => {
  const modified = event.ctrlKey || event.metaKey;
  if (modified && event.key === "Enter") return document.querySelector("[data-save]")?.click();
  if (modified && keyOf(event) === "k") {
    event.preventDefault();
    return document.getElementById("palette")?.showModal();
  }
  if (event.key === "Escape" && typing(event.target)) return document.querySelector("[data-cancel]")?.click();
  if (modified || event.altKey || !shortcutsOn() || typing(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  const key = keyOf(event);
  const went = Date.now() < going && document.querySelector(`[data-go="${CSS.escape(key)}"]`);
  going = key === "g" ? Date.now() + 1500 : 0;
  const control = went || document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!control) return;
  event.preventDefault();
  control.matches("input:not([type=checkbox]), textarea, select") ? control.focus() : control.click();
});

document.addEventListener("change", (event) => {
  if (event.target.matches("[data-shortcuts]")) localStorage.setItem(kept, event.target.checked ? "on" : "off");
});
const shortcuts = document.querySelector("input[data-shortcuts]");
if (shortcuts) shortcuts.checked = shortcutsOn();

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  event.target.closest("[data-closes]")?.closest("dialog").close();
  event.target.closest("[data-dismiss]")?.closest(".toast").remove();
  const copied = event.target.closest("[data-copy]");
  if (copied) copy(copied);
});
// What a dialog asks is answered by the page behind it.
document.addEventListener("submit", (event) => event.target.closest("dialog")?.close(), true);

// data-copy: the id of what is copied; the button says so.
async function copy(button) {
  const said = button.textContent;
  await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
  button.textContent = button.dataset.copied ?? "✓";
  setTimeout(() => (button.textContent = said), 2000);
}

// data-all: the name of the boxes that this one ticks.
document.addEventListener("change", (event) => {
  const all = event.target.closest("[data-all]");
  if (!all) return;
  for (const box of document.querySelectorAll(`input[name="${CSS.escape(all.dataset.all)}"]`)) box.checked = all.checked;
});

document.addEventListener("htmx:after:swap", () => {
  document.querySelector("textarea[autofocus]:not(:focus)")?.focus({ preventScroll: true });
});

const units = [["day", 86400], ["hour", 3600], ["minute", 60], ["second", 1]];
const relative = new Intl.RelativeTimeFormat(document.documentElement.lang, { style: "short" });
const keepTrue = () => {
  for (const time of document.querySelectorAll("time[data-ago]")) {
    const seconds = (Date.parse(time.dateTime) - Date.now()) / 1000;
    const [unit, size] = units.find(([, each]) => Math.abs(seconds) >= each) ?? units.at(-1);
    const said = relative.format(Math.trunc(seconds / size), unit);
    if (time.textContent !== said) time.textContent = said;
  }
};
setInterval(() => document.hidden || keepTrue(), 20_000);
