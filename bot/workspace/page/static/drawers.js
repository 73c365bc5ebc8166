// On a narrow screen the panels at the sides are drawers.

const frame = document.querySelector(".frame");
const veil = document.getElementById("veil");
const names = ["side", "panel"];
let from = null;

const isDrawer = (box) => getComputedStyle(box).position === "fixed";
const opened = () => names.find((name) => frame.classList.contains(`${name}-open`));

function arrange() {
  for (const name of names) {
    const box = document.getElementById(name);
    const open = opened() === name;
    box.inert = isDrawer(box) && !open;
    document.querySelector(`[data-drawer="${name}"]`).setAttribute("aria-expanded", String(open));
  }
  const open = opened() && isDrawer(document.getElementById(opened()));
  document.getElementById("main").inert = Boolean(open);
  veil.hidden = !open;
}

function open(name, button) {
  from = button;
  frame.classList.add(`${name}-open`);
  arrange();
  document.getElementById(name).focus();
}

function close() {
  if (!opened()) return;
  frame.classList.remove(...names.map((name) => `${name}-open`));
  arrange();
  from?.focus();
}

export function drawers() {
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-drawer]");
    if (button) open(button.dataset.drawer, button);
    else if (event.target.closest("[data-drawer-close], [data-fill], #veil")) close();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) close();
  });
  window.addEventListener("resize", arrange);
  arrange();
}
