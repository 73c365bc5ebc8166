// The modal that the app opened: shown, typed in, submitted, closed.

import { values } from "./elements.js";
import { post } from "./here.js";
import { morph } from "./morph.js";

const dialog = document.getElementById("modal");
let refresh = async () => {};

const form = () => dialog.querySelector("form[data-view]");
const fields = "input:not([type=hidden]), textarea, select";

function focusFirst() {
  const wrong = dialog.querySelector(".has-error");
  const first = dialog.querySelector("[autofocus]") ?? dialog.querySelector(fields);
  const aim = wrong?.querySelector(fields) ?? first ?? dialog.querySelector("footer .button:last-child");
  aim?.focus();
}

/** Draw the modal that is open now; `null` shows what the page came with. */
async function show(html) {
  const before = dialog.open ? form()?.dataset.view : "";
  const errors = dialog.querySelectorAll(".has-error").length;
  if (html !== null) morph(dialog, html);
  const now = form()?.dataset.view ?? "";
  if (!now) {
    if (dialog.open) dialog.close();
    if (before && document.activeElement === document.body) document.getElementById("say")?.focus();
    return;
  }
  if (!dialog.open) dialog.showModal();
  if (now !== before || dialog.querySelectorAll(".has-error").length > errors) focusFirst();
}

function say(why) {
  const line = dialog.querySelector("[data-why]");
  if (!line) return;
  line.textContent = why;
  line.hidden = !why;
}

async function submit() {
  const button = document.getElementById("modal-submit");
  if (!button || button.getAttribute("aria-busy") === "true") return;
  button.setAttribute("aria-busy", "true");
  const answer = await post("submit", { view: form().dataset.view, values: values(form()) });
  button.removeAttribute("aria-busy");
  await refresh();
  const told = Object.keys(answer.errors ?? {}).length > 0;
  say(answer.ok || told ? "" : answer.why);
  if (told) focusFirst();
}

async function close() {
  const answer = await post("close", { view: form().dataset.view });
  await refresh();
  if (!answer.ok) say(answer.why);
}

function start(again) {
  refresh = again;
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  dialog.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  dialog.addEventListener("click", (event) => {
    if (event.target.closest("[data-close]")) close();
  });
}

export const modal = { show, start };
