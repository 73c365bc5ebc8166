// The message field: Enter sends, `/iora` and `@` are completed.

import { post } from "./here.js";

/** What of the text could be completed: where it begins, and what it is so far. */
function started(field) {
  const before = field.value.slice(0, field.selectionStart);
  if (/^\/[a-z]*$/.test(before) || /^\/iora [a-z]*$/.test(before)) return { from: 0, word: before };
  const person = /(^|\s)(@\w*)$/.exec(before);
  return person ? { from: before.length - person[2].length, word: person[2] } : null;
}

class Composer {
  constructor(form, refresh) {
    this.form = form;
    this.refresh = refresh;
    this.field = form.querySelector("textarea");
    this.list = form.querySelector("[role=listbox]");
    this.status = form.querySelector("[role=status]");
    this.offers = [...this.list.children];
    this.shown = [];
    this.at = -1;
  }

  offer() {
    const begun = started(this.field);
    const word = begun?.word.trimEnd().toLowerCase() ?? "";
    this.shown = begun ? this.offers.filter((one) => one.dataset.offer.startsWith(word)) : [];
    for (const one of this.offers) one.hidden = !this.shown.includes(one);
    // `/iora` alone is a command too, so Enter must be able to send it.
    const whole = this.shown.findIndex((one) => one.dataset.offer === word);
    this.mark(this.shown.length && word !== "/iora" ? Math.max(0, whole) : -1);
    this.list.hidden = !this.shown.length;
    this.list.scrollTop = 0;
    this.field.setAttribute("aria-expanded", String(this.shown.length > 0));
    this.hint();
  }

  hint() {
    const typed = this.offers.find((one) => this.field.value.startsWith(`${one.dataset.offer} `));
    const [words, meaning] = typed ? [".offer-word", "small"].map((name) => typed.querySelector(name).textContent) : [];
    const hint = typed && !this.shown.length && typed.dataset.offer.startsWith("/");
    this.status.classList.remove("wrong");
    this.status.textContent = hint ? `${words}: ${meaning}` : "";
  }

  hide() {
    this.shown = [];
    this.list.hidden = true;
    this.mark(-1);
    this.field.setAttribute("aria-expanded", "false");
  }

  mark(at) {
    this.at = at;
    for (const one of this.offers) one.setAttribute("aria-selected", String(one === this.shown[at]));
    const active = this.shown[at];
    if (active) {
      this.field.setAttribute("aria-activedescendant", active.id);
      active.scrollIntoView({ block: "nearest" });
    } else this.field.removeAttribute("aria-activedescendant");
  }

  take(option) {
    const { from } = started(this.field);
    const rest = this.field.value.slice(this.field.selectionStart);
    const words = `${this.field.value.slice(0, from)}${option.dataset.offer} `;
    this.field.value = words + rest.trimStart();
    this.field.setSelectionRange(words.length, words.length);
    this.hide();
    this.hint();
  }

  fill(text) {
    this.field.value = text;
    this.field.focus();
    this.hide();
    this.hint();
  }

  async send() {
    const text = this.field.value;
    if (!text.trim() || this.form.getAttribute("aria-busy") === "true") return;
    this.form.setAttribute("aria-busy", "true");
    this.field.value = "";
    this.hide();
    this.hint();
    const answer = await post("say", { text, thread: this.form.dataset.thread || null });
    this.form.removeAttribute("aria-busy");
    if (!answer.ok) {
      this.field.value = this.field.value || text;
      this.status.textContent = answer.why;
      this.status.classList.add("wrong");
    }
    const box = document.getElementById("scroll");
    if (answer.ok && !this.form.dataset.thread) box.scrollTop = box.scrollHeight;
    await this.refresh();
  }

  key(event) {
    if (event.isComposing) return;
    const open = !this.list.hidden;
    const taken = this.shown[this.at];
    const whole = taken?.dataset.offer === started(this.field)?.word.trimEnd();
    const act = {
      ArrowDown: open && (() => this.mark((this.at + 1) % this.shown.length)),
      ArrowUp: open && (() => this.mark((this.at <= 0 ? this.shown.length : this.at) - 1)),
      Tab: open && !event.shiftKey && (() => this.take(taken ?? this.shown[0])),
      Escape: open && (() => this.hide()),
      Enter: !event.shiftKey && (() => (open && taken && !whole ? this.take(taken) : this.send())),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

const made = new WeakMap();

export function composers(refresh) {
  const of = (event) => {
    const form = event.target.closest?.("[data-composer]");
    if (form && !made.has(form)) made.set(form, new Composer(form, refresh));
    return form ? made.get(form) : null;
  };
  document.addEventListener("input", (event) => of(event)?.offer());
  document.addEventListener("keydown", (event) => {
    if (event.target.matches?.("[data-composer] textarea")) of(event).key(event);
  });
  document.addEventListener("submit", (event) => {
    const composer = of(event);
    if (!composer) return;
    event.preventDefault();
    composer.send();
    composer.field.focus();
  });
  document.addEventListener("focusout", (event) => of(event)?.hide());
  document.addEventListener("mousedown", (event) => {
    const option = event.target.closest("[data-offer]");
    if (!option) return;
    event.preventDefault();
    of(event).take(option);
  });
  document.addEventListener("click", (event) => {
    const text = event.target.closest("[data-fill]")?.dataset.fill;
    const form = document.querySelector("#main [data-composer]");
    if (text && form) of({ target: form }).fill(text);
  });
}
