/* Checklists by keyboard: x chooses the step under the focus, t ticks it. The page works without it. */
"use strict";
{
  const rowOf = (element) => element?.closest("tr, li.step");
  const keysAreOff = () => { try { return localStorage.getItem("keys") === "off"; } catch { return false; } };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || keysAreOff()) return;
    if (/^(TEXTAREA|SELECT)$/.test(event.target.tagName) || (event.target.tagName === "INPUT" && event.target.type !== "checkbox")) return;
    const row = rowOf(document.activeElement);
    if (!row) return;
    if (event.key === "x") {
      const box = row.querySelector("input[type=checkbox]");
      if (box) { box.checked = !box.checked; event.preventDefault(); }
    } else if (event.key === "t") {
      const button = row.querySelector("[data-tick]");
      if (button) { event.preventDefault(); button.click(); }
    }
  });

  /* A step that was just ticked hands the focus to the next one that waits. */
  let from = null;
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.target.matches?.("li.step")) from = event.target.id;
  });
  document.addEventListener("htmx:afterSettle", () => {
    if (from === null) return;
    const row = document.getElementById(from);
    from = null;
    let next = row;
    while (next && !next.querySelector("[data-tick]")) next = next.nextElementSibling;
    (next ?? row)?.querySelector(".title")?.focus();
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    if (!event.detail.target.matches?.(".toasts")) return;
    for (const toast of event.detail.target.querySelectorAll(".toast")) {
      const close = toast.querySelector("[data-close]");
      if (close?.hidden) { close.hidden = false; close.addEventListener("click", () => toast.remove()); }
    }
  });
}
