// Shows alerts as notifications, and "You are offline" in place of a page that cannot be reached. Nothing but that page,
// its style and the icon is stored; no page with a lead or a contact ever is, and of an alert only what it shows.
"use strict";

const home = new URL(".", location.href).pathname;                      // .../app/
const assets = home.replace(/app\/$/, "assets/");
const version = location.search;                                        // of the style and of this
const stored = [home + "offline", assets + "pages.css" + version, assets + "icon.svg" + version];
const name = "offline" + version;

addEventListener("install", (event) => {
  event.waitUntil(caches.open(name).then((cache) => cache.addAll(stored)).then(() => skipWaiting()));
});

addEventListener("activate", (event) => {
  event.waitUntil(caches.keys().then((names) => Promise.all(names.filter((each) => each !== name).map((each) => caches.delete(each)))));
});

addEventListener("fetch", (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== "GET" || url.origin !== location.origin) return;
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match(stored[0])));
  } else if (stored.includes(url.pathname + url.search)) {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request)));
  }
});

// A later alert about the same lead takes the place of the earlier one: one look says who has it.
addEventListener("push", (event) => {
  const alert = event.data ? event.data.json() : {};
  event.waitUntil(registration.showNotification(alert.title || "Lead Routes", {
    body: alert.body,
    tag: alert.tag,
    renotify: Boolean(alert.tag) && !alert.silent,
    silent: Boolean(alert.silent),
    icon: assets + "icon-192.png" + version,
    data: { path: alert.path || "" },
  }));
});

// A tap leads to the page with the button; a window in which someone may be writing is left alone.
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow(new URL(event.notification.data.path, location.origin + home).href));
});

// A browser may exchange its subscription by itself; the service then gets the new one, as from the page of alerts.
addEventListener("pushsubscriptionchange", (event) => {
  if (!event.oldSubscription) return;
  event.waitUntil(registration.pushManager.subscribe(event.oldSubscription.options).then((fresh) => {
    const { endpoint, keys } = fresh.toJSON();
    const body = new URLSearchParams({ do: "allow", endpoint, p256dh: keys.p256dh, auth: keys.auth });
    return fetch(home + "me/alerts", { method: "POST", body, credentials: "same-origin" });
  }));
});
