// Buttons, menus and pickers of messages and modals; reactions; the menus behind three dots.

import { post, toast } from "./here.js";

/** What an element holds, as the server expects it. */
export function read(element) {
  switch (element.dataset.take) {
    case "many":
      return [...element.selectedOptions].map((option) => option.value);
    case "checks":
      return [...element.querySelectorAll(":checked")].map((box) => box.value);
    case "radio":
      return element.querySelector(":checked")?.value ?? null;
    case "moment":
      return element.value ? { local: element.value } : null;
    default:
      return element.value || null;
  }
}

/** What a form holds: block id, action id, value. */
export function values(form) {
  const held = {};
  for (const element of form.querySelectorAll("[data-take]")) {
    const { block, action } = element.dataset;
    held[block] = { ...held[block], [action]: read(element) };
  }
  return held;
}

/** Ask before a press that wants it. Resolves to whether to go on. */
function confirmed(element) {
  if (!element.dataset.confirm) return Promise.resolve(true);
  const asked = JSON.parse(element.dataset.confirm);
  const dialog = document.getElementById("confirm");
  document.getElementById("confirm-title").textContent = asked.title;
  document.getElementById("confirm-text").innerHTML = asked.html;
  document.getElementById("confirm-no").textContent = asked.deny;
  const yes = document.getElementById("confirm-yes");
  yes.textContent = asked.confirm;
  yes.className = `button button-${asked.style === "danger" ? "danger" : "primary"}`;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }),
  );
}

async function press(element, refresh) {
  if (element.getAttribute("aria-busy") === "true" || !(await confirmed(element))) return;
  element.setAttribute("aria-busy", "true");
  const { block, action } = element.dataset;
  const form = element.closest("form[data-view]");
  const place = form
    ? { view: form.dataset.view, values: values(form) }
    : { in: element.closest("article").dataset.in, ts: element.closest("article").dataset.ts };
  const answer = await post("press", { ...place, block, action, chosen: read(element) });
  element.removeAttribute("aria-busy");
  toast(answer.ok ? "" : answer.why);
  await refresh();
}

function shut(menu, back) {
  menu.open = false;
  if (back) menu.querySelector("summary").focus();
}

export function elements(refresh) {
  document.addEventListener("click", async (event) => {
    for (const menu of document.querySelectorAll("details.overflow[open]")) {
      if (!menu.contains(event.target)) shut(menu, false);
    }
    const button = event.target.closest("button[data-live], a[data-live]");
    const menu = event.target.closest("details.overflow");
    if (menu && event.target.closest(".overflow-item")) shut(menu, true);
    if (button) await press(button, refresh);
    const reaction = event.target.closest("[data-react]");
    if (reaction) {
      const { in: where, ts } = reaction.closest("article").dataset;
      const answer = await post("react", { in: where, ts, name: reaction.dataset.react });
      toast(answer.ok ? "" : answer.why);
      await refresh();
    }
  });
  document.addEventListener("change", (event) => {
    const element = event.target.closest("[data-take][data-live]");
    if (element) press(element, refresh);
  });
  document.addEventListener("keydown", (event) => {
    const menu = event.target.closest?.("details.overflow[open]");
    if (menu && event.key === "Escape") {
      event.preventDefault();
      shut(menu, true);
    }
    if (menu && ["ArrowDown", "ArrowUp"].includes(event.key)) {
      event.preventDefault();
      const items = [...menu.querySelectorAll(".overflow-item")];
      const step = event.key === "ArrowDown" ? 1 : -1;
      const at = items.indexOf(document.activeElement);
      items[(at + step + items.length) % items.length].focus();
    }
  });
  // A menu near the lower edge opens upwards.
  document.addEventListener(
    "toggle",
    (event) => {
      if (!event.target.matches?.("details.overflow[open]")) return;
      const items = event.target.querySelector(".overflow-items");
      items.classList.remove("upwards");
      const edge = (event.target.closest(".scroll, .modal-body") ?? document.body).getBoundingClientRect();
      items.classList.toggle("upwards", items.getBoundingClientRect().bottom > edge.bottom);
    },
    true,
  );
}
