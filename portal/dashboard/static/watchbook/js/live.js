/* Parts that refresh themselves through htmx: not in a hidden tab, and never under the reader's hands. */
"use strict";
{
  /* A part is in use while something in it has the focus, a menu of it is open, or text of it is selected. */
  const inUse = (part) => {
    const selection = document.getSelection();
    return part.contains(document.activeElement)
      || part.querySelector("details.menu[open]") !== null
      || (selection !== null && !selection.isCollapsed && selection.anchorNode !== null && part.contains(selection.anchorNode));
  };
  const foldsOf = (part) => [...part.querySelectorAll("details:not(.menu)")];
  /* A fold without an id is known by the words that stand before it, such as the name of its clock. */
  const nameOf = (fold) => fold.id || `${fold.parentElement.firstElementChild?.firstChild?.textContent}/${fold.querySelector("summary")?.textContent}`;

  document.addEventListener("htmx:beforeRequest", (event) => {
    const polls = (event.target.getAttribute("hx-trigger") || "").includes("every");
    if (polls && document.hidden) event.preventDefault();
  });

  const opened = new Map();
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const part = event.detail.target;
    if (inUse(part)) { event.detail.shouldSwap = false; return; }
    opened.set(part.id, foldsOf(part).filter((fold) => fold.open).map(nameOf));
  });
  document.addEventListener("htmx:oobAfterSwap", (event) => {
    const part = document.getElementById(event.detail.target.id) || event.detail.target;
    const names = opened.get(part.id) || [];
    for (const fold of foldsOf(part)) if (names.includes(nameOf(fold))) fold.open = true;
  });

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) for (const part of document.querySelectorAll("[data-live]")) window.htmx?.trigger(part, "live");
  });
}
