"use strict";
// New messages of the chat that is open: asks for what came after the last one, and stays at the bottom if it was there.
(() => {
  const wall = document.getElementById("messages");
  if (!wall) return;
  const isAtBottom = () => window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
  const toBottom = () => window.scrollTo(0, document.body.scrollHeight);
  if (!wall.dataset.newer) return;
  if (!location.hash) toBottom();
  window.addEventListener("load", () => { if (!location.hash) toBottom(); });

  const kept = 400; // a page that stays open overnight keeps the newest only
  const show = (html) => {
    const stay = isAtBottom();
    const piece = document.createElement("template");
    piece.innerHTML = html;
    const days = wall.querySelectorAll("[data-day]");
    const last = days.length ? days[days.length - 1].dataset.day : "";
    const first = piece.content.querySelector("[data-day]");
    if (first && first.dataset.day === last) first.remove();
    for (const bubble of piece.content.querySelectorAll(".bubble")) {
      bubble.classList.add("fresh");
      wall.dataset.after = bubble.dataset.id;
    }
    wall.append(piece.content);
    document.getElementById("empty")?.remove();
    while (wall.querySelectorAll(".bubble").length > kept) wall.firstElementChild.remove();
    if (stay) toBottom();
  };

  const ask = async () => {
    let more = false;
    if (!document.hidden) {
      try {
        const answer = await fetch(`${wall.dataset.newer}?after=${wall.dataset.after}`);
        document.body.classList.toggle("offline", !answer.ok);
        if (answer.status === 200) { show(await answer.text()); more = true; }
      } catch {
        document.body.classList.add("offline");
      }
    }
    setTimeout(ask, more ? 300 : 1200);
  };
  setTimeout(ask, 1200);
})();
