// The script of all pages: countdowns, a button that is pressed once, menus, a page that is not old. All work without it.
"use strict";

// After a form was sent, reloading looks at the page instead of sending the form again.
history.replaceState(null, "", location.href);

document.addEventListener("submit", (event) => {
  const button = event.submitter || event.target.querySelector("button");
  // After a file, and where a form answers elsewhere, the page is still here.
  if (!button || button.formTarget || event.target.matches("[data-download]")) return;
  if (button.dataset.busy) button.textContent = button.dataset.busy;
  // Not at once: a button that is disabled before it sends would send nothing.
  setTimeout(() => { button.disabled = true; }, 0);
});

// What is wrong is where the reader begins; the browser names it.
const first = document.querySelector("[data-focus]");
if (first) first.focus();

// ---------------------------------------------------------------------------------------------------- countdowns

const two = (number) => String(number).padStart(2, "0");

function words(left) {
  const days = Math.floor(left / 86400), hours = Math.floor(left / 3600) % 24, minutes = Math.floor(left / 60) % 60;
  if (days) return `${days} d ${hours} h`;
  return hours ? `${hours}:${two(minutes)}:${two(left % 60)}` : `${minutes}:${two(left % 60)}`;
}

const ends = new WeakMap();

function tick() {
  for (const each of document.querySelectorAll("[data-until], [data-seconds]")) {
    const given = each.dataset.until ?? each.dataset.seconds;
    let known = ends.get(each);
    // A part that was read anew brings another number of seconds.
    if (!known || known.given !== given) {
      known = { given, end: performance.now() + 1000 * Number(given), left: Infinity };
      ends.set(each, known);
    }
    const left = Math.max(0, Math.round((known.end - performance.now()) / 1000));
    if (left === known.left) continue;
    each.textContent = each.dataset.word ? `${each.dataset.word} ${words(left)}` : words(left);
    // A screen reader hears it three times only.
    const said = [300, 60, 0].some((mark) => left <= mark && known.left > mark) && known.left !== Infinity;
    each.setAttribute("aria-live", said ? "polite" : "off");
    known.left = left;
    // What comes now, the service decides a moment later; should it be late, the page asks again.
    if (left === 0) setTimeout(refresh, Number(given) > 0 ? 1500 : 5000);
  }
}

function refresh() {
  const parts = document.querySelectorAll("[data-live-part]");
  if (parts.length === 0) location.reload();
  for (const part of parts) htmx.trigger(part, "refresh");
}

setInterval(tick, 250);
tick();

// ---------------------------------------------------------------------------------------------------- live parts

// A part in which someone is filling in a form is left alone.
document.addEventListener("htmx:before:request", (event) => {
  const part = event.target.closest ? event.target.closest("[data-live-part]") : null;
  if (!part || event.target !== part) return;
  const focused = document.activeElement;
  const isTyping = part.contains(focused) && focused.matches("input:not([type=hidden]), textarea, select");
  if (isTyping || document.hidden || part.querySelector("details[open] form")) event.preventDefault();
});

// Back on the screen, or back from another page: see how things are now.
addEventListener("visibilitychange", () => {
  if (document.visibilityState !== "visible") return;
  if (document.querySelector("[data-live]")) location.reload();
});
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});

// --------------------------------------------------------------------------------------------------------- menus

addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
  const copying = event.target.closest("[data-copy]");
  if (copying) {
    const text = document.getElementById(copying.dataset.copy);
    navigator.clipboard.writeText(text.value ?? text.textContent).then(() => { copying.textContent = "Copied"; });
  }
});
addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details[data-menu][open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Filters that apply as soon as they are chosen; without a script the form has a button.
for (const form of document.querySelectorAll("form[data-apply]")) {
  form.addEventListener("change", () => form.requestSubmit());
  const button = form.querySelector("button[data-apply-button]");
  if (button) button.hidden = true;
}

// ----------------------------------------------------------------------------------- a template and its preview

// A placeholder goes in where the cursor is, in the field that was used last.
for (const list of document.querySelectorAll("[data-placeholders]")) {
  const fields = list.closest("form").querySelectorAll("[data-takes-placeholders]");
  let into = fields[fields.length - 1];
  for (const each of fields) each.addEventListener("focus", () => { into = each; });
  for (const each of list.querySelectorAll("[data-insert]")) {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "button small quiet";
    button.textContent = each.querySelector("span").textContent;
    button.title = each.dataset.insert;
    button.addEventListener("click", () => {
      into.setRangeText(each.dataset.insert, into.selectionStart, into.selectionEnd, "end");
      into.focus();
      into.dispatchEvent(new Event("input", { bubbles: true }));
    });
    each.replaceChildren(button, ...each.querySelectorAll(".given"));
  }
}

// The preview follows what is typed, as the button that was pressed last shows it.
for (const preview of document.querySelectorAll("[data-preview]")) {
  const form = document.getElementById(preview.dataset.preview);
  let button = preview.querySelector("[formtarget]"), waiting = 0;
  preview.addEventListener("click", (event) => {
    button = event.target.closest("[formtarget]") ?? button;
  });
  for (const part of [form, preview]) {
    part.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(() => form.requestSubmit(button), 700);
    });
  }
  form.addEventListener("submit", () => clearTimeout(waiting));
}

// Says that there is no connection, where a browser can; it keeps nothing of a lead.
const worker = document.body.dataset.worker;
if (worker && isSecureContext && "serviceWorker" in navigator) {
  const scope = new URL(worker, location.href).pathname.replace(/\/sw\.js$/, "");
  navigator.serviceWorker.register(worker, { scope }).catch(() => {});
}
