// Turns what is shown into what the server drew, and leaves alone whatever is the same: so focus,
// scroll position, open menus and what is being typed stay.

/** Make the content of `box` that of `html`. */
export function morph(box, html) {
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  children(box, fresh.content);
}

const keyOf = (node) => node.dataset?.key || node.id || "";

function children(old, fresh) {
  const wanted = new Set([...fresh.childNodes].map(keyOf).filter(Boolean));
  const known = new Map([...old.children].map((one) => [keyOf(one), one]).filter(([key]) => key));
  let at = old.firstChild;
  for (const next of [...fresh.childNodes]) {
    while (at && keyOf(at) && !wanted.has(keyOf(at))) at = drop(at);
    const key = keyOf(next);
    const match = key ? known.get(key) : at && !keyOf(at) && at.nodeName === next.nodeName ? at : null;
    if (!match || match.nodeName !== next.nodeName) old.insertBefore(next, at);
    else {
      if (match === at) at = at.nextSibling;
      else old.insertBefore(match, at);
      become(match, next);
    }
  }
  while (at) at = drop(at);
}

function drop(node) {
  const after = node.nextSibling;
  node.remove();
  return after;
}

function become(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  if (old.dataset.hash && old.dataset.hash === fresh.dataset.hash) return;
  if (old.dataset.keep !== undefined && old.dataset.keep === fresh.dataset.keep) return;
  if (old.dataset.keep !== fresh.dataset.keep) {
    old.replaceWith(fresh);
    return;
  }
  attributes(old, fresh);
  children(old, fresh);
}

function attributes(old, fresh) {
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && name !== "open") old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}
