"use strict";
// New messages of the chat that is open: asks for what came after the last one, and stays at the bottom if it was there.
(() => {
  const wall = document.getElementById("messages");
  if (!wall) return;
  const isAtBottom = () => window.innerHeight + window.scrollY >= document.body.scrollHeight - 80;
  const toBottom = () => window.scrollTo(0, document.body.scrollHeight);
  if (!wall.dataset.newer) return;

  // What is loaded late, such as a picture of unknown size, must not push the newest message out of sight. Only who reads
  // scrolls up; a page that grows does not.
  let pinned = !location.hash;
  let lastY = 0;
  window.addEventListener("scroll", () => {
    if (window.scrollY < lastY || isAtBottom()) pinned = isAtBottom();
    lastY = window.scrollY;
  });
  new ResizeObserver(() => { if (pinned) toBottom(); }).observe(wall);
  if (pinned) toBottom();

  const kept = 400; // a page that stays open overnight keeps the newest only
  const show = (html) => {
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
    if (pinned) toBottom();
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
