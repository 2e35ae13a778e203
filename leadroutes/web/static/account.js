// For the pages of signing in and of one's own account. Every page works without it.
"use strict";

for (const each of document.querySelectorAll("[data-script]")) each.hidden = false;

function addButton(after, label, act) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link small";
  button.textContent = label;
  button.addEventListener("click", () => act(button));
  after.after(button);
  return button;
}

// A password can be looked at; it is hidden again before it is sent, so that the browser offers to keep it.
for (const input of document.querySelectorAll("input[type=password]")) {
  const box = document.createElement("div");
  box.className = "secret";
  const hadFocus = document.activeElement === input;
  input.replaceWith(box);
  box.append(input);
  if (hadFocus) input.focus();
  const name = input.labels[0]?.textContent ?? "password";
  const show = (button, isShown) => {
    input.type = isShown ? "text" : "password";
    button.textContent = isShown ? "Hide" : "Show";
    button.setAttribute("aria-label", `${button.textContent}: ${name}`);
  };
  const button = addButton(input, "Show", (each) => show(each, input.type === "password"));
  show(button, false);
  if (input.form) input.form.addEventListener("submit", () => show(button, false));
}

// The time zone of this browser: chosen where no one has chosen yet, else offered.
for (const select of document.querySelectorAll("select[data-zone]")) {
  const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (select.value === here || ![...select.options].some((each) => each.value === here)) continue;
  if (select.dataset.zone === "set") select.value = here;
  else addButton(select, `Use ${here.replaceAll("_", " ")} (this browser)`, (each) => { select.value = here; each.remove(); });
}

// A picture straight from a camera is made small enough before it is sent.
document.addEventListener("change", async (event) => {
  const input = event.target, side = Number(input.dataset.shrink), file = side && input.files[0];
  if (!file) return;
  const picture = await createImageBitmap(file).catch(() => null);
  if (!picture) return;
  const scale = Math.min(1, side / Math.min(picture.width, picture.height));
  const canvas = document.createElement("canvas");
  canvas.width = picture.width * scale;
  canvas.height = picture.height * scale;
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.toBlob((blob) => {
    if (!blob || blob.size >= file.size) return;
    const files = new DataTransfer();
    files.items.add(new File([blob], "picture.jpg", { type: blob.type }));
    input.files = files.files;
  }, "image/jpeg", .85);
});
