// Notifications of this browser: asks for them after a press, and gives the service what it needs to send them.
"use strict";

const form = document.querySelector("form[data-push-key]");
const state = document.querySelector("[data-push-state]");

function say(words) {
  if (!state) return;
  state.textContent = words;
  state.hidden = false;
}

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (each) => each.charCodeAt(0));
}

function same(one, other) {
  if (!one || one.byteLength !== other.byteLength) return false;
  const first = new Uint8Array(one);
  return other.every((each, place) => each === first[place]);
}

async function subscribed(key) {
  const worker = await navigator.serviceWorker.ready;
  const known = await worker.pushManager.getSubscription();
  if (known && same(known.options.applicationServerKey, key)) return known;
  if (known) await known.unsubscribe();                                // the service has other keys by now
  return worker.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
}

async function allow() {
  if (await Notification.requestPermission() !== "granted") {
    say("This browser does not allow notifications for these pages. How to change that is said below.");
    return;
  }
  try {
    const given = (await subscribed(bytes(form.dataset.pushKey))).toJSON();
    form.elements.endpoint.value = given.endpoint;
    form.elements.p256dh.value = given.keys.p256dh;
    form.elements.auth.value = given.keys.auth;
    form.requestSubmit();
  } catch {
    say("This browser could not reach its own service for notifications. Try again later, or use another browser.");
  }
}

async function show() {
  if (!form) return;
  if (!isSecureContext || !("serviceWorker" in navigator) || !("PushManager" in window) || !("Notification" in window)) {
    say("This browser cannot show notifications here. On a phone, add the pages to the home screen first.");
    return;
  }
  const worker = await navigator.serviceWorker.getRegistration();
  const known = worker && await worker.pushManager.getSubscription();
  const here = known && [...document.querySelectorAll("[data-endpoint]")].find((each) => each.dataset.endpoint === known.endpoint);
  if (here && Notification.permission === "granted") {
    here.querySelector(".who").textContent += " (this one)";
    // Stopped here, the browser forgets it, too.
    here.querySelector("form").addEventListener("submit", () => { known.unsubscribe(); });
    return;
  }
  form.hidden = false;
  form.querySelector("[data-allow]").addEventListener("click", allow);
}

show();
