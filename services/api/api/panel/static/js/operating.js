// What would be done to many is asked in a dialog that opens with the answer of the server, and is empty otherwise.
"use strict";

const asked = document.getElementById("asked");
document.addEventListener("htmx:after:swap", () => {
  if (asked.childElementCount && !asked.open && asked.dataset.shown !== "yes") {
    asked.dataset.shown = "yes";
    asked.showModal();
  }
});
asked.addEventListener("close", () => {
  delete asked.dataset.shown;
  asked.replaceChildren();
});
asked.addEventListener("click", (event) => {
  if (event.target.closest("a[data-closes]")) event.preventDefault();
});
