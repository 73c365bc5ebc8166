// Starts the page: what changed is fetched as HTML from the server and swapped in.

import { composers } from "./composer.js";
import { drawers } from "./drawers.js";
import { elements } from "./elements.js";
import { address, here, post, toast } from "./here.js";
import { modal } from "./modal.js";
import { morph } from "./morph.js";
import { sample } from "./sample.js";

const part = (name) => document.querySelector(`[data-part="${name}"]`);
const scroll = document.getElementById("scroll");
const newer = document.getElementById("newer");
let running = null;
let again = false;

/** Fetch the parts and swap what differs; calls that come meanwhile become one more round. */
export function refresh() {
  if (running) {
    again = true;
    return running;
  }
  running = round().finally(() => {
    running = null;
    if (again) {
      again = false;
      refresh();
    }
  });
  return running;
}

async function round() {
  const seen = document.visibilityState === "visible" ? { seen: "1" } : {};
  const answer = await fetch(address("/page/parts", seen)).catch(() => null);
  if (!answer?.ok) return;
  const parts = await answer.json();
  const focused = document.activeElement?.closest("article")?.id;
  const asked = here.thread;
  document.title = parts.title;
  showSide(parts.side);
  morph(part("head"), parts.head);
  showMessages(parts.messages);
  if (asked === here.thread) showThread(parts.thread);
  await modal.show(parts.modal);
  if (focused && document.activeElement === document.body) document.getElementById(focused)?.focus();
}

const menu = document.querySelector('[data-drawer="side"]');

/** The left side; on a phone it is a closed drawer, so its button says how much is unread. */
function showSide(html) {
  const before = new Set(unread());
  if (html !== null) morph(part("side"), html);
  const now = unread();
  if (html !== null) now.filter((one) => !before.has(one)).forEach(announce);
  const count = [...document.querySelectorAll("#side .count")].reduce((sum, one) => sum + parseInt(one.textContent), 0);
  if (count) menu.dataset.unread = count;
  else delete menu.dataset.unread;
  menu.setAttribute("aria-label", count ? `Open the menu, ${count} unread` : "Open the menu");
}

/** What is unread, in words. */
function unread() {
  const places = [...document.querySelectorAll("#side .unread")];
  return places.map((one) => one.textContent.replace(/\s+/g, " ").trim());
}

function atBottom(box) {
  return box.scrollHeight - box.scrollTop - box.clientHeight < 80;
}

function showMessages(html) {
  const box = part("messages");
  const known = new Set([...box.querySelectorAll("article")].map((one) => one.id));
  const follow = atBottom(scroll);
  const top = scroll.scrollTop;
  morph(box, html);
  const fresh = [...box.querySelectorAll("article")].filter((one) => !known.has(one.id));
  fresh.forEach(say);
  if (follow) scroll.scrollTop = scroll.scrollHeight;
  else scroll.scrollTop = top;
  if (fresh.length && !follow) newer.hidden = false;
}

/** Tell a screen reader about a new message. */
function say(article) {
  const words = article.querySelector(".said").textContent.replace(/\s+/g, " ").trim();
  announce(`${article.getAttribute("aria-label")}: ${words.slice(0, 300)}`);
}

function announce(words) {
  const line = document.createElement("p");
  line.textContent = words;
  const log = document.getElementById("said");
  log.append(line);
  while (log.children.length > 5) log.firstChild.remove();
}

function showThread(html) {
  const box = part("thread");
  const follow = box.querySelector(".scroll") ? atBottom(box.querySelector(".scroll")) : true;
  box.hidden = !html;
  document.querySelector(".frame").classList.toggle("with-thread", Boolean(html));
  morph(box, html);
  const inside = box.querySelector(".scroll");
  if (inside && follow) inside.scrollTop = inside.scrollHeight;
}

let opener = null;

async function openThread(ts, from) {
  if (ts) opener = from?.id ?? null;
  here.thread = ts;
  history.pushState({ thread: ts }, "", address("/"));
  await refresh();
  while (running) await running;
  if (ts) document.getElementById("reply")?.focus();
  else (document.getElementById(opener) ?? document.getElementById("say"))?.focus();
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-thread]");
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey) {
    event.preventDefault();
    await openThread(link.dataset.thread, link);
  }
  const dm = event.target.closest("[data-dm]");
  if (dm) {
    const answer = await post("dm", { other: dm.dataset.dm });
    if (answer.ok) location.href = answer.href;
    else toast(answer.why);
  }
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || !here.thread) return;
  if (event.target.closest("#thread") && !document.querySelector("dialog[open]")) openThread("");
});

window.addEventListener("popstate", () => {
  here.thread = new URLSearchParams(location.search).get("thread") ?? "";
  refresh();
});

newer.addEventListener("click", () => {
  scroll.scrollTop = scroll.scrollHeight;
  document.getElementById("say")?.focus();
});
scroll.addEventListener("scroll", () => {
  if (atBottom(scroll)) newer.hidden = true;
});
// What grows after it was drawn (an image, a preview) must not push the newest message out of sight.
let followed = true;
scroll.addEventListener("scroll", () => (followed = atBottom(scroll)));
new ResizeObserver(() => followed && (scroll.scrollTop = scroll.scrollHeight)).observe(part("messages"));

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") refresh();
});

function listen() {
  const changes = new EventSource(`/page/changes?as=${encodeURIComponent(here.as)}`);
  const offline = document.getElementById("offline");
  changes.addEventListener("change", () => refresh());
  changes.addEventListener("hello", () => {
    offline.hidden = true;
    document.documentElement.dataset.live = "yes";
    refresh();
  });
  changes.addEventListener("error", () => {
    offline.hidden = false;
    delete document.documentElement.dataset.live;
  });
  window.addEventListener("pagehide", () => changes.close());
}

composers(refresh);
elements(refresh);
drawers();
sample();
modal.start(refresh);
scroll.scrollTop = scroll.scrollHeight;
const aimed = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
if (aimed) aimed.focus();
modal.show(null);
showSide(null);
listen();
