// The form of a profile: how long its texts are while they are written, and that a search chooses what it finds.
"use strict";

const lengths = new Intl.NumberFormat(document.documentElement.lang);
document.addEventListener("input", (event) => {
  const counter = document.getElementById(event.target.dataset.counted ?? "");
  if (counter) {
    counter.textContent = `${lengths.format(event.target.value.length)} / ${lengths.format(counter.dataset.most)}`;
  }
  const chosen = event.target.dataset.chooses;
  if (chosen) document.querySelector(`input[name="from"][value="${CSS.escape(chosen)}"]`).checked = true;
});
