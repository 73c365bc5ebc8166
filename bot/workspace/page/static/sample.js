// The panel that breaks the sample service.

import { address, post, toast } from "./here.js";
import { morph } from "./morph.js";

const box = document.getElementById("sample");
const EVERY = 5000;

async function look() {
  if (document.visibilityState !== "visible") return;
  const answer = await fetch(address("/page/sample")).catch(() => null);
  if (answer?.ok) morph(box, await answer.text());
}

async function turn(button) {
  button.setAttribute("aria-busy", "true");
  const answer = await post("mode", { mode: button.dataset.mode });
  button.removeAttribute("aria-busy");
  toast(answer.ok ? "" : answer.why);
  await look();
}

export function sample() {
  box.addEventListener("click", (event) => {
    const button = event.target.closest("[data-mode]");
    if (button) turn(button);
  });
  box.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const all = [...box.querySelectorAll("[data-mode]")];
    all[(all.indexOf(document.activeElement) + step + all.length) % all.length].focus();
  });
  setInterval(look, EVERY);
}
