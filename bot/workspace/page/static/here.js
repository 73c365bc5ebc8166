// Who looks, and where; how the server is asked.

export const here = { ...document.body.dataset };

/** An address of the server, for this person, channel and thread. */
export function address(path, more = {}) {
  const query = new URLSearchParams({ as: here.as, in: here.in });
  if (here.thread) query.set("thread", here.thread);
  for (const [name, value] of Object.entries(more)) query.set(name, value);
  return `${path}?${query}`;
}

/** Do something as this person. Answers {ok, why, ...}, also when the server can't be reached. */
export async function post(name, body) {
  const told = { as: here.as, in: here.in, ...body };
  const how = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(told) };
  try {
    const answer = await fetch(`/page/${name}`, how);
    return await answer.json();
  } catch {
    return { ok: false, why: "The workspace does not answer. Is it still running?" };
  }
}

let hiding = 0;

/** Say for a while what went wrong. */
export function toast(words) {
  const box = document.getElementById("toast");
  box.textContent = words;
  box.hidden = !words;
  clearTimeout(hiding);
  hiding = setTimeout(() => (box.hidden = true), 10000);
}
