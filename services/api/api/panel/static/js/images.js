// The gallery: a dialog that came with an answer opens; what is chosen is counted.
"use strict";

document.addEventListener("htmx:after:swap", () => {
  const asked = document.querySelector("dialog[data-modal]:not([open])");
  if (!asked) return;
  delete asked.dataset.modal;
  asked.showModal();
});

const count = () => {
  const chosen = document.querySelectorAll('input[name="hashes"]:checked').length;
  const told = document.querySelector("[data-chosen]");
  if (!told) return;
  told.hidden = !chosen;
  told.querySelector("[data-number]").textContent = chosen;
};
document.addEventListener("change", count);
document.addEventListener("htmx:after:swap", count);
count();
