// What happens, while it happens: a part of the page that says data-live="post. change." is loaded anew when an event of
// such a type is told, at most once a second; data-live-post limits it to one post. What is typed in is left alone.
"use strict";

const EVERY = 1000;
const waiting = new Map(); // part → its timer

const concerns = (part, happened) =>
  happened.some(([type, post]) => {
    if (type === "*") return true;
    if (part.dataset.livePost && part.dataset.livePost !== post) return false;
    return part.dataset.live.split(" ").some((prefix) => type.startsWith(prefix));
  });

function refresh(part) {
  const since = Date.now() - (part.refreshedAt ?? 0);
  if (waiting.has(part)) return;
  waiting.set(
    part,
    setTimeout(() => {
      waiting.delete(part);
      if (!part.isConnected) return;
      if (part.querySelector("dialog[open]") || part.contains(document.activeElement?.closest("input, textarea, select"))) {
        return refresh(part); // later: somebody is at work in it
      }
      part.refreshedAt = Date.now();
      htmx.trigger(part, "refresh");
    }, Math.max(0, EVERY - since)),
  );
}

document.addEventListener("happened", (event) => {
  const happened = JSON.parse(event.detail.data);
  document.dispatchEvent(new CustomEvent("postroom:happened", { detail: happened }));
  for (const part of document.querySelectorAll("[data-live]")) if (concerns(part, happened)) refresh(part);
});

const pulse = (lost) => {
  const mark = document.getElementById("pulse");
  mark?.classList.toggle("is-lost", lost);
  if (mark) mark.firstElementChild.textContent = lost ? mark.dataset.lost : mark.dataset.there;
};
document.addEventListener("htmx:sse:error", () => pulse(true));
document.addEventListener("htmx:sse:after:connection", () => pulse(false));
