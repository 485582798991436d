/* Record pages: small repairs of Django's own controls. Everything works without them. */
"use strict";

/* The searching list (select2) takes its name from the label of the field, also while nothing is chosen. */
function nameSearchingLists() {
  for (const select of document.querySelectorAll("select.select2-hidden-accessible")) {
    const box = select.nextElementSibling?.querySelector(".select2-selection");
    const label = select.labels?.[0];
    if (!box || !label) continue;
    box.removeAttribute("aria-labelledby");
    box.setAttribute("aria-label", label.textContent.trim());
    const shown = box.querySelector("[role=textbox]");
    if (shown) { shown.removeAttribute("role"); shown.removeAttribute("aria-readonly"); }
  }
}

addEventListener("load", nameSearchingLists);
document.addEventListener("formset:added", () => setTimeout(nameSearchingLists));

/* A form with unsaved words asks before it is left. */
for (const form of document.querySelectorAll(".change-form main form[method=post][id]")) {
  let changed = false;
  form.addEventListener("input", () => { changed = true; });
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (event) => { if (changed) event.preventDefault(); });
}
