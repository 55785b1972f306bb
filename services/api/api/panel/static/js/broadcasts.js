// A broadcast says nothing while it goes from chat to chat: what shows one that is on its way looks again by itself. It is
// told as an event, so that what somebody is at work in is left alone.
"use strict";

const SECONDS = 3;
setInterval(() => {
  if (document.hidden || !document.querySelector("[data-moving]")) return;
  const data = JSON.stringify([["broadcast.moving", null]]);
  document.dispatchEvent(new CustomEvent("happened", { detail: { data } }));
}, SECONDS * 1000);
