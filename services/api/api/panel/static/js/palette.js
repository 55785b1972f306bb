// The palette: pages and what this page can do, narrowed by typing; Enter goes there, or searches the posts.
"use strict";

const palette = document.querySelector("[data-palette]");
if (palette) {
  const dialog = palette.closest("dialog");
  const input = palette.querySelector("input");
  const list = palette.querySelector("[role=listbox]");
  const search = list.querySelector("[data-search]");
  let current = null;

  const choose = (option) => {
    current?.removeAttribute("aria-selected");
    current = option;
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    option ? input.setAttribute("aria-activedescendant", option.id) : input.removeAttribute("aria-activedescendant");
  };
  const shown = () => [...list.children].filter((option) => !option.hidden);
  const narrow = () => {
    const words = input.value.trim().toLowerCase();
    for (const option of list.children) {
      option.hidden = option === search ? !words : !option.textContent.toLowerCase().includes(words);
    }
    choose(shown()[0]);
  };
  // What can be done here: the controls of this page that have a key.
  const offer = () => {
    for (const option of list.querySelectorAll("[data-does]")) option.remove();
    let number = 0;
    for (const control of document.querySelectorAll("main [data-key]")) {
      const option = document.createElement("li");
      option.role = "option";
      option.id = `palette-does-${number++}`;
      option.dataset.does = control.dataset.key;
      option.textContent = control.getAttribute("aria-label") ?? control.innerText.replace(/\s+\S$/, "");
      if (option.textContent.trim()) list.prepend(option);
    }
  };
  const take = (option) => {
    if (!option) return;
    if (option.dataset.href) return location.assign(option.dataset.href);
    dialog.close();
    if (option.dataset.does) document.querySelector(`main [data-key="${CSS.escape(option.dataset.does)}"]`)?.click();
    else location.assign(`/posts?q=${encodeURIComponent(input.value.trim())}`);
  };

  new MutationObserver(() => {
    if (!dialog.open) return;
    input.value = "";
    offer();
    narrow();
  }).observe(dialog, { attributeFilter: ["open"] });
  input.addEventListener("input", narrow);
  input.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const options = shown();
    choose(options[(options.indexOf(current) + step + options.length) % options.length]);
  });
  list.addEventListener("click", (event) => take(event.target.closest("[role=option]")));
  palette.addEventListener("submit", (event) => {
    event.preventDefault();
    take(current);
  });
}
