// The live tail of the logs: what arrived is fetched every second and put at the end. It follows the end while one is
// there, keeps so many lines and no more, and stands still while it is paused.
"use strict";

const LOOK = 1000;
let paused = false;

const tail = () => document.querySelector("[data-tail]");
const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 24;
const toEnd = (box) => (box.scrollTop = box.scrollHeight);

function say(how) {
  const state = document.getElementById("tail-state");
  if (!state || state.dataset.how === how) return;
  state.dataset.how = how;
  state.textContent = state.dataset[how];
  state.classList.toggle("is-lost", how === "lost");
  state.classList.toggle("is-paused", how === "paused");
}

function add(box, html) {
  const following = atEnd(box);
  const made = document.createElement("template");
  made.innerHTML = html;
  for (const line of made.content.querySelectorAll("details.log")) {
    if (!document.getElementById(line.id)) box.append(line); // what was late may come twice
  }
  const lines = box.querySelectorAll("details.log");
  for (let extra = lines.length - Number(box.dataset.most), at = 0; at < extra; at++) lines[at].remove();
  const none = document.getElementById("no-lines");
  if (none) none.hidden = lines.length > 0;
  if (following) toEnd(box);
  document.getElementById("tail-end").hidden = atEnd(box);
}

async function look() {
  const box = tail();
  if (box && !paused && !document.hidden) {
    try {
      const address = new URL(box.dataset.tail, location.href);
      address.searchParams.set("after", box.dataset.last);
      const answer = await fetch(address, { headers: { "HX-Request": "true" } });
      if (!answer.ok) throw new Error(answer.statusText);
      const html = await answer.text();
      if (box.isConnected && box === tail() && !paused) {
        box.dataset.last = answer.headers.get("X-Last") ?? box.dataset.last;
        if (html.trim()) add(box, html);
        say("there");
      }
    } catch {
      say("lost");
    }
  }
  setTimeout(look, LOOK);
}

function begin() {
  const box = tail();
  const pause = document.getElementById("tail-pause");
  if (!box || box.dataset.begun) return;
  box.dataset.begun = "yes";
  pause.hidden = false;
  toEnd(box);
  box.addEventListener("scroll", () => (document.getElementById("tail-end").hidden = atEnd(box)), { passive: true });
}

document.addEventListener("click", (event) => {
  if (event.target.closest("#tail-end")) toEnd(tail());
  const pause = event.target.closest("#tail-pause");
  if (!pause) return;
  paused = !paused;
  pause.textContent = paused ? pause.dataset.resume : pause.dataset.pause;
  say(paused ? "paused" : "there");
});

document.addEventListener("htmx:after:swap", begin);
begin();
look();
