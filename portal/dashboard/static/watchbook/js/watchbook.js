/* The small script of the shell. Everything works without it; it only saves steps. */
"use strict";

const root = document.documentElement;
const memory = {
  get(key) { try { return localStorage.getItem(key); } catch { return null; } },
  set(key, value) { try { localStorage.setItem(key, value); } catch { /* storage is switched off */ } },
};

/* 1. Theme: auto, light, dark in turn ------------------------------------------------------------------- */
const THEMES = { auto: "follows the system", light: "light", dark: "dark" };

function showTheme(theme) {
  root.dataset.theme = theme;
  for (const button of document.querySelectorAll("[data-theme-switch]")) {
    button.hidden = false;
    const words = `Theme: ${THEMES[theme]}`;
    button.setAttribute("aria-label", words);
    button.title = words;
    const label = button.querySelector("[data-theme-words]");
    if (label) label.textContent = words;
  }
}

function nextTheme() {
  const names = Object.keys(THEMES);
  const theme = names[(names.indexOf(root.dataset.theme || "auto") + 1) % names.length];
  memory.set("theme", theme);
  showTheme(theme);
}

/* 2. Clocks: counted on the server's time, whatever this computer's clock says ---------------------------- */
const offset = root.dataset.now ? Date.parse(root.dataset.now) - Date.now() : 0;
const two = (number) => String(number).padStart(2, "0");

function figures(seconds) {
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor((seconds % 3600) / 60);
  if (seconds >= 86400) return `${Math.floor(seconds / 86400)} d ${Math.floor((seconds % 86400) / 3600)} h`;
  return hours ? `${hours} h ${two(minutes)} min` : `${minutes}:${two(seconds % 60)}`;
}

function words(seconds) {
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
}

function tick(element, now) {
  const left = Math.round((Date.parse(element.dataset.ticksTo) - now) / 1000);
  if (Number.isNaN(left)) return;
  const unit = element.querySelector("small");
  const late = left < 0;
  const value = late && -left < 3600 ? words(-left) : figures(Math.abs(left));
  if (unit) {
    element.firstChild.textContent = `${value} `;
    unit.textContent = late ? "late" : "left";
  } else {
    element.textContent = late ? `${value} late` : value;
  }
  element.closest(".clock, .due")?.classList.toggle("is-past", late);
}

function refreshRelative(element, now) {
  const shown = /^(in )?\d+ (s|min)( ago)?$/.exec(element.textContent.trim());
  if (!shown) return;
  const seconds = Math.round((Date.parse(element.dateTime) - now) / 1000);
  const distance = Math.abs(seconds);
  if (distance < 3600) element.textContent = seconds > 0 ? `in ${words(distance)}` : `${words(distance)} ago`;
}

function tickAll() {
  if (document.hidden) return;
  const now = Date.now() + offset;
  for (const element of document.querySelectorAll("[data-ticks-to]")) tick(element, now);
  for (const element of document.querySelectorAll("time.rel")) refreshRelative(element, now);
}

/* 3. Toasts leave after 8 s, not while they are read; what went wrong stays until it is closed ------------- */
function watchToast(toast) {
  let timer;
  const close = toast.querySelector("[data-close]");
  const start = () => { if (!toast.hasAttribute("data-stays")) timer = setTimeout(() => toast.remove(), 8000); };
  const stop = () => clearTimeout(timer);
  toast.addEventListener("pointerenter", stop);
  toast.addEventListener("pointerleave", start);
  toast.addEventListener("focusin", stop);
  toast.addEventListener("focusout", start);
  if (close) { close.hidden = false; close.addEventListener("click", () => toast.remove()); }
  start();
}

/* 4. Menus close with Escape or a click elsewhere ---------------------------------------------------------- */
function closeMenus(except) {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (menu !== except) menu.open = false;
}

/* 5. Keys. Single keys can be switched off in the list of keys (WCAG 2.1.4) --------------------------------- */
let pending = "";

function keysAreOff() { return memory.get("keys") === "off"; }

function typing(target) {
  return target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName);
}

function moveRow(step) {
  const links = [...document.querySelectorAll("main .table tbody th a, main .list .title")];
  if (!links.length) return;
  const here = links.indexOf(document.activeElement);
  links[Math.min(Math.max(here + step, 0), links.length - 1)].focus();
}

/* From the box through what it found, and back. */
function moveFound(event) {
  const box = event.target.closest?.(".top .search");
  const stops = box ? [box.querySelector("input"), ...box.querySelectorAll(".found a")] : [];
  const next = stops[stops.indexOf(event.target) + (event.key === "ArrowDown" ? 1 : -1)];
  next?.focus();
  return Boolean(next);
}

function pressed(key) {
  if (key === "/") { document.getElementById("q")?.focus(); return true; }
  if (key === "?") { document.getElementById("keys")?.togglePopover?.(); return true; }
  if (key === "j" || key === "k") { moveRow(key === "j" ? 1 : -1); return true; }
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return false;
  if (/^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) target.focus(); else target.click();
  return true;
}

function onKey(event) {
  if (event.key === "Escape") {
    const menu = document.querySelector("details.menu[open]");
    if (menu) { menu.open = false; menu.querySelector("summary").focus(); }
    if (event.target.closest?.(".search")) event.target.blur();
    return;
  }
  if ((event.key === "ArrowDown" || event.key === "ArrowUp") && moveFound(event)) { event.preventDefault(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || keysAreOff()) return;
  const key = pending === "g" ? `g ${event.key}` : event.key;
  pending = key === "g" ? "g" : "";
  if (key !== "g" && pressed(key)) event.preventDefault();
}

/* 6. htmx refreshes parts of a page: what the reader has opened stays open ----------------------------------- */
let opened = [];

document.addEventListener("htmx:beforeSwap", (event) => {
  opened = [...event.target.querySelectorAll("details[open][id]")].map((details) => details.id);
});
document.addEventListener("htmx:afterSwap", () => {
  for (const id of opened) { const details = document.getElementById(id); if (details) details.open = true; }
  tickAll();
});

/* 7. Begin ---------------------------------------------------------------------------------------------------- */
showTheme(root.dataset.theme || "auto");
for (const button of document.querySelectorAll("[data-theme-switch]")) button.addEventListener("click", nextTheme);
for (const toast of document.querySelectorAll(".toast")) watchToast(toast);
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
for (const box of document.querySelectorAll("[data-keys-off]")) {
  box.closest("[hidden]")?.removeAttribute("hidden");
  box.checked = keysAreOff();
  box.addEventListener("change", () => memory.set("keys", box.checked ? "off" : "on"));
}
document.addEventListener("keydown", onKey);
document.addEventListener("click", (event) => closeMenus(event.target.closest("details.menu")));
document.addEventListener("visibilitychange", tickAll);
tickAll();
setInterval(tickAll, 1000);
