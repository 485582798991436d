/* The release checklist by keyboard: a tick hands the focus to the next cell, or row, that waits. The page works without it. */
{
  const table = document.querySelector(".matrix");
  let cell = null;
  let name = "";
  document.addEventListener("htmx:beforeRequest", () => {
    const button = document.activeElement;
    if (!table?.contains(button) || button.tagName !== "BUTTON") return;
    cell = button.closest("td");
    name = button.name;
  });
  document.addEventListener("htmx:afterRequest", () => {
    if (cell === null) return;
    const row = cell.parentElement;
    const whole = row.querySelector("button[name=row]");
    if (whole) whole.hidden = row.querySelector("button[name=done]") === null;
    if (!cell.querySelector("button:not([hidden])")) {
      const waiting = [...table.querySelectorAll(`button[name=${name}]:not([hidden])`)];
      const next = waiting.find((one) => cell.compareDocumentPosition(one) & Node.DOCUMENT_POSITION_FOLLOWING);
      (next ?? cell.querySelector("a") ?? row.querySelector("a"))?.focus();
    }
    cell = null;
  });
}
