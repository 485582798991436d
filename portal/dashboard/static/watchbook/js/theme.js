/* Sets the reader's theme before the page is painted. Loaded in the head, on purpose without defer. */
"use strict";
{
  let theme = "auto";
  try { theme = localStorage.getItem("theme") || "auto"; } catch { /* storage is switched off: follow the system */ }
  document.documentElement.dataset.theme = theme;
}
