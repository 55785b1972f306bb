// The Inbox: which row is current, what comes next in the list as it stands, and what is typed and not yet saved.
"use strict";

const post = () => document.getElementById("post");
const rows = () => [...document.querySelectorAll("#rows > li")];
const link = (row) => row?.querySelector("a");

// The list stays as it was drawn: what is next is what stands next in it and waits still.
function beside(id) {
  const all = rows();
  const at = all.findIndex((row) => row.dataset.post === id);
  const open = (row) => !row.classList.contains("is-decided");
  const before = at < 0 ? undefined : all.slice(0, at).reverse().find(open);
  return { before, after: all.slice(at + 1).find(open) ?? (at < 0 ? undefined : before) };
}

let last = post()?.dataset.shown;

function settle() {
  const id = post()?.dataset.shown;
  if (id === undefined) return;
  const title = document.getElementById("post-title");
  if (id !== last) {
    last = id;
    post().scrollTop = 0;
    if (matchMedia("(max-width: 60rem)").matches) scrollTo(0, 0);
    document.title = [title?.textContent, document.title.split(" · ").at(-1)].filter(Boolean).join(" · ");
  }
  const listed = document.getElementById("list-title"); // one heading is the page's
  title?.matches("h1") ? listed.setAttribute("aria-level", "2") : listed.removeAttribute("aria-level");
  for (const row of rows()) {
    const current = row.dataset.post === id;
    row.classList.toggle("is-current", current);
    current ? link(row).setAttribute("aria-current", "true") : link(row).removeAttribute("aria-current");
    if (current) row.scrollIntoView({ block: "nearest" });
  }
  const { before, after } = beside(id);
  for (const field of document.querySelectorAll("[data-next]")) field.value = after?.dataset.post ?? "";
  const steps = { k: before, j: after === before ? undefined : after };
  for (const step of document.querySelectorAll("[data-step]")) {
    const row = steps[step.dataset.step];
    step.hidden = !row;
    if (row) step.href = link(row).href;
  }
  restore();
}

document.addEventListener("click", (event) => {
  const step = event.target.closest("[data-step]");
  if (step && !event.ctrlKey && !event.metaKey) {
    const row = rows().find((each) => link(each).href === step.href);
    if (row) {
      event.preventDefault();
      link(row).click();
    }
  }
  const given = event.target.closest("[data-forget]");
  if (given) sessionStorage.removeItem(`draft/${given.dataset.forget}`);
});

// What was asked for by itself comes too late where somebody types by now, or looks at another post.
document.addEventListener("htmx:before:swap", (event) => {
  const { ctx } = event.detail;
  if (ctx.sourceElement?.id !== "post") return;
  const { shown } = post().dataset;
  const asked = new URL(ctx.request.action, location.href).pathname;
  const busy = post().querySelector("textarea[data-draft], dialog[open]");
  if (busy || asked !== (shown ? `/inbox/${shown}` : "/inbox")) event.preventDefault();
});

// On a phone list and post are pages of their own.
document.addEventListener("htmx:after:swap", () => {
  if (post()?.dataset.shown && location.pathname !== "/inbox") document.getElementById("desk")?.classList.replace("is-list", "is-post");
  settle();
});
addEventListener("popstate", () => location.reload());

// What is typed is kept in this browser until it is saved or given up: a session that has ended loses nothing.
function restore() {
  const field = document.querySelector("textarea[data-draft]");
  if (!field || field.dataset.watched) return;
  field.dataset.watched = "yes";
  const kept = `draft/${field.dataset.draft}`;
  const draft = sessionStorage.getItem(kept);
  if (draft !== null && draft !== field.value) {
    field.value = draft;
    document.querySelector("[data-restored]").hidden = false;
    htmx.trigger(field, "input");
  }
  field.addEventListener("input", () => sessionStorage.setItem(kept, field.value));
}
let sent = ""; // the draft that is being saved: it is forgotten when the editor has gone
document.addEventListener("htmx:before:request", (event) => {
  const field = document.querySelector("textarea[data-draft]");
  sent = field && event.detail.ctx.request.action.includes("/text") ? `draft/${field.dataset.draft}` : "";
});
document.addEventListener("htmx:after:swap", () => {
  if (sent && !document.querySelector("textarea[data-draft]")) sessionStorage.removeItem(sent);
});

settle();
