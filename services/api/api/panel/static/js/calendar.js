// Drag a post to another day or hour with mouse, pen or finger (a finger rests on it first, so that the page still
// scrolls). The same by keyboard: Enter on a post opens a dialog with its day and time.
"use strict";

const FAR = 6; // px from where a mouse drags
const REST = 350; // ms after which a finger does
const QUARTER = 15; // minutes to which a time snaps within an hour
const EDGE = 56; // px from the edges of the window at which it scrolls
let drag = null;

const two = (number) => String(number).padStart(2, "0");

// Where it would go: a day keeps the time on the clock, a place within an hour gives it.
function placeAt(x, y) {
  const over = document.elementFromPoint(x, y)?.closest("[data-day]");
  if (!over) return null;
  const values = { day: over.dataset.day };
  if (over.dataset.hour) {
    const box = over.getBoundingClientRect();
    const part = Math.min(0.999, Math.max(0, (y - box.top) / box.height));
    const minute = Math.floor((part * 60) / QUARTER) * QUARTER;
    values.time = `${two(over.dataset.hour)}:${two(minute)}`;
    values.fold = over.dataset.fold;
  }
  return { over, values, said: [over.dataset.said, values.time].filter(Boolean).join(", ") };
}

function lift(x, y) {
  const calendar = document.getElementById("calendar");
  drag.live = calendar.dataset.live;
  delete calendar.dataset.live; // nothing moves beneath what is dragged
  drag.ghost = drag.slot.cloneNode(true);
  drag.ghost.removeAttribute("id");
  drag.ghost.classList.add("slot-ghost");
  drag.ghost.style.width = `${drag.slot.offsetWidth}px`;
  drag.label = document.createElement("b");
  drag.label.className = "slot-goes";
  drag.ghost.append(drag.label);
  document.body.append(drag.ghost);
  drag.slot.classList.add("is-dragged");
  document.body.classList.add("is-dragging");
  drag.moved = true;
  follow(x, y);
}

function follow(x, y) {
  [drag.atX, drag.atY] = [x, y];
  drag.ghost.style.translate = `${x - drag.insideX}px ${y - drag.insideY}px`;
  drag.place?.over.classList.remove("is-target");
  drag.place = placeAt(x, y);
  drag.place?.over.classList.add("is-target");
  drag.label.textContent = drag.place?.said ?? "";
}

function scroll() {
  if (!drag?.moved) return;
  const beyond = drag.atY < EDGE ? drag.atY - EDGE : Math.max(0, drag.atY - innerHeight + EDGE);
  if (beyond) {
    scrollBy(0, beyond / 4);
    follow(drag.atX, drag.atY);
  }
  requestAnimationFrame(scroll);
}

function drop(commit) {
  if (!drag) return;
  const { slot, moved, place, ghost, live, resting } = drag;
  clearTimeout(resting);
  drag = null;
  if (!moved) return;
  ghost.remove();
  slot.classList.remove("is-dragged");
  document.body.classList.remove("is-dragging");
  place?.over.classList.remove("is-target");
  document.getElementById("calendar").dataset.live = live;
  // The click that follows is no click on a link.
  const swallow = (event) => {
    event.preventDefault();
    event.stopPropagation();
  };
  addEventListener("click", swallow, { capture: true, once: true });
  setTimeout(() => removeEventListener("click", swallow, true));
  if (!commit || !place) return;
  if (!place.values.time && place.over === slot.closest("[data-day]")) return;
  move(slot, place.values);
}

function move(slot, values) {
  again = slot.id;
  htmx.ajax("POST", slot.dataset.move, {
    values: { ...values, etag: slot.dataset.etag },
    target: "#calendar",
    swap: "outerMorph",
  });
}

document.addEventListener("pointerdown", (event) => {
  const slot = event.target.closest("[data-move]");
  if (!slot || event.button !== 0 || drag) return;
  const box = slot.getBoundingClientRect();
  const [x, y] = [event.clientX, event.clientY];
  drag = { slot, x, y, insideX: x - box.left, insideY: y - box.top, touch: event.pointerType === "touch", id: event.pointerId };
  const begun = drag;
  if (drag.touch) drag.resting = setTimeout(() => drag === begun && (lift(x, y), requestAnimationFrame(scroll)), REST);
});
document.addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.id) return;
  const far = Math.hypot(event.clientX - drag.x, event.clientY - drag.y) >= FAR;
  if (drag.moved) follow(event.clientX, event.clientY);
  else if (far && drag.touch) drop(false); // it scrolls
  else if (far) {
    lift(event.clientX, event.clientY);
    requestAnimationFrame(scroll);
  }
});
document.addEventListener("pointerup", (event) => event.pointerId === drag?.id && drop(true));
document.addEventListener("pointercancel", (event) => event.pointerId === drag?.id && drop(false));
document.addEventListener("keydown", (event) => event.key === "Escape" && drop(false));
document.addEventListener("touchmove", (event) => drag?.moved && event.preventDefault(), { passive: false });
document.addEventListener("contextmenu", (event) => drag?.touch && event.preventDefault());
document.addEventListener("dragstart", (event) => event.target.closest(".slot") && event.preventDefault());

// The dialog of a post; afterwards the focus is on the post again, wherever it is now.
const dialog = document.getElementById("slot-dialog");
let again = "";
document.addEventListener("click", (event) => {
  const slot = event.target.closest(".slot[id]");
  if (slot) again = slot.id;
});
document.addEventListener("htmx:after:swap", () => {
  if (dialog.childElementCount && !dialog.open && dialog.dataset.shown !== "yes") {
    dialog.dataset.shown = "yes";
    dialog.showModal();
    return;
  }
  if (!dialog.open && again && document.activeElement === document.body) {
    document.getElementById(again)?.focus({ preventScroll: true });
  }
});
dialog.addEventListener("close", () => {
  delete dialog.dataset.shown;
  dialog.replaceChildren();
});

// Twice on an empty place: a new post at that time. The button above does the same.
document.addEventListener("dblclick", (event) => {
  const place = event.target.closest(".slot, a, button") ? null : placeAt(event.clientX, event.clientY);
  const write = document.querySelector(".page-act");
  if (!place || !write) return;
  const { day, time } = place.values;
  location.assign(`/calendar/new?${new URLSearchParams(time ? { day, time } : { day })}`);
});

// The line of now; once its hour is over the calendar is drawn anew.
setInterval(() => {
  const now = document.querySelector("svg.now");
  if (!now || drag || document.hidden) return;
  const line = now.firstElementChild;
  const drawn = Date.parse(now.dataset.now);
  const minute = Number(now.dataset.minute ?? (now.dataset.minute = line.getAttribute("y1"))) + (Date.now() - drawn) / 60000;
  if (minute >= 60) return htmx.trigger(document.getElementById("calendar"), "refresh");
  line.setAttribute("y1", minute);
  line.setAttribute("y2", minute);
}, 20_000);
