// Our only script: a countdown, a button that is pressed once, a page that is not old. Every page works without it.
"use strict";

// After a form was sent, reloading looks at the page instead of sending the form again.
history.replaceState(null, "", location.href);

for (const form of document.querySelectorAll("form")) {
  form.addEventListener("submit", () => {
    const button = form.querySelector("button");
    if (button.dataset.busy) button.textContent = button.dataset.busy;
    // Not at once: a button that is disabled before it sends would send nothing.
    setTimeout(() => { button.disabled = true; }, 0);
  });
}

const countdown = document.querySelector("[data-seconds]");
if (countdown) {
  const end = performance.now() + 1000 * Number(countdown.dataset.seconds);
  const show = () => {
    const left = Math.max(0, Math.round((end - performance.now()) / 1000));
    const hours = Math.floor(left / 3600), minutes = Math.floor(left / 60) % 60, seconds = left % 60;
    const two = (number) => String(number).padStart(2, "0");
    countdown.textContent = hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
    if (left > 0) return;
    clearInterval(ticking);
    // What comes now, the service decides a moment later; should it be late, the page asks again.
    setTimeout(() => location.reload(), Number(countdown.dataset.seconds) > 0 ? 1500 : 5000);
  };
  const ticking = setInterval(show, 250);
  show();
}

// Back on the phone's screen, or back from another page: see how the lead is now.
if (document.querySelector("[data-live]")) {
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") location.reload();
  });
}
addEventListener("pageshow", (event) => {
  if (event.persisted) location.reload();
});
