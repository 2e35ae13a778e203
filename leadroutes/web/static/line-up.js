// Dragging in the line-up of a team. The buttons of the page do the same without it.
"use strict";

for (const list of document.querySelectorAll("[data-line-up]")) {
  const form = document.getElementById(list.dataset.lineUp);
  list.classList.add("draggable");
  Sortable.create(list, {
    handle: "[data-handle]",
    forceFallback: true,  // a mouse drags as a finger does
    animation: matchMedia("(prefers-reduced-motion: reduce)").matches ? 0 : 150,
    onEnd(event) {
      if (event.oldIndex === event.newIndex) return;
      form.elements.on.value = event.item.dataset.member;
      form.elements.place.value = Number(list.dataset.first) + event.newIndex;
      form.submit();
    },
  });
}
