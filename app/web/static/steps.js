// The form of a step: a scanner fills it, the server says what each scan is, and half-written work is not lost.
// The draft stays in this tab alone (sessionStorage): codes, scan numbers and counts, nobody's name, no password.
const form = document.getElementById("step");
const DRAFT = "draft:";
const DRAFT_KEPT_MS = 12 * 3600 * 1000;
const GIVE_UP_MS = 15000;
const AGAIN_MS = 1500;
const NEVER_KEPT = new Set(["csrf", "raw"]);
const SCANNED_BEHIND = /(?:=[0-9A-Z]{13,20}|[A-Z][0-9A-Z]{10})$/; // a donation number, or a code of our own

const ended = document.querySelector("[data-ends-draft]");
if (ended) sessionStorage.removeItem(DRAFT + ended.dataset.endsDraft);

if (form) {
  const box = document.getElementById("raw");
  const taken = document.getElementById("taken");
  const waiting = document.getElementById("waiting");
  const name = DRAFT + location.pathname;
  const queue = [];
  let working = false;

  const newKey = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(15));
    return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
  };
  const written = () => [...new FormData(form)].filter(([field]) => !NEVER_KEPT.has(field));
  const keep = () => sessionStorage.setItem(name, JSON.stringify({ at: Date.now(), fields: written() }));
  const count = () => htmx.trigger("#growth", "counts:changed");

  function fill(fields) {
    for (const [field, value] of fields) {
      for (const each of form.querySelectorAll(`[name="${CSS.escape(field)}"]`)) {
        if (field === "scan" || field === "csrf") continue;
        if (each.type === "radio" || each.type === "checkbox") each.checked = each.value === value;
        else each.value = value;
        if (each.type === "radio" && each.checked) break;
      }
    }
  }

  async function ask(raw, key, extra = []) {
    const body = new URLSearchParams([...new FormData(form)].filter(([field]) => field !== "raw"));
    for (const [field, value] of extra) body.append(field, value);
    body.set("raw", raw);
    body.set("scan_key", key);
    const answer = await fetch(form.dataset.scanTo, {
      method: "POST",
      body,
      headers: { "HX-Request": "true" },
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
    const elsewhere = answer.headers.get("HX-Redirect");
    if (elsewhere) {
      keep();
      location.href = `${elsewhere}?next=${encodeURIComponent(location.pathname)}`;
      return false;
    }
    if (answer.status >= 500) throw new TypeError("the server could not take it");
    const typed = [...taken.querySelectorAll("input:not([type=hidden]), select")].map((each) => [each.name, each.value]);
    const here = taken.contains(document.activeElement) ? document.activeElement.id : "";
    const said = await answer.text();
    if (answer.ok) taken.innerHTML = said;
    else taken.insertAdjacentHTML("afterbegin", said);
    fill(typed); // what was typed while the answer was on its way
    if (here) document.getElementById(here)?.focus();
    return true;
  }

  async function work() {
    if (working) return;
    working = true;
    while (queue.length) {
      waiting.textContent = queue.length > 1 ? waiting.dataset.words.replace("{count}", String(queue.length)) : "";
      try {
        if (!(await ask(queue[0].raw, queue[0].key))) return;
        queue.shift();
      } catch {
        waiting.textContent = waiting.dataset.away;
        await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
      }
    }
    waiting.textContent = "";
    working = false;
    keep();
    count();
  }

  function scanned(raw) {
    if (!raw.trim()) return;
    queue.push({ raw, key: newKey() });
    work();
  }

  form.addEventListener("keydown", (event) => {
    const field = event.target;
    if (event.key !== "Enter" || event.isComposing || field.tagName !== "INPUT") return;
    event.preventDefault();
    if (field === box) {
      scanned(box.value);
      box.value = "";
    } else if (field.type === "text" && SCANNED_BEHIND.test(field.value)) {
      // A scanner typed into a field that asks for something else: the field keeps what stood in it.
      const [raw] = field.value.match(SCANNED_BEHIND);
      field.value = field.value.slice(0, -raw.length);
      scanned(raw);
    } else {
      const after = [...form.elements].filter((each) => each.tabIndex >= 0 && !each.disabled && each.getClientRects().length);
      after[after.indexOf(field) + 1]?.focus();
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.key.length !== 1 || event.key === " ") return;
    if (event.target.closest("input:not([type=radio]), textarea, select, dialog")) return;
    box.focus({ preventScroll: true });
  });
  form.addEventListener("click", async (event) => {
    const out = event.target.closest("[data-takes-out]");
    if (!out) return;
    form.querySelector(`input[name=scan][value="${CSS.escape(out.dataset.takesOut)}"]`)?.remove();
    await ask("", newKey()).catch(() => {});
    keep();
    count();
    box.focus();
  });
  form.addEventListener("input", (event) => {
    if (event.target === box) return;
    keep();
    count();
  });
  form.addEventListener("submit", (event) => {
    // A scan that is not answered yet belongs to the step: it is waited for.
    if (queue.length || form.dataset.sending) event.preventDefault();
    else form.dataset.sending = "yes";
  });
  addEventListener("pageshow", () => delete form.dataset.sending);

  async function restore() {
    const kept = JSON.parse(sessionStorage.getItem(name) ?? "null");
    if (!kept || Date.now() - kept.at > DRAFT_KEPT_MS) return;
    fill(kept.fields);
    await ask("", newKey(), kept.fields.filter(([field]) => field === "scan")).catch(() => {});
    fill(kept.fields);
    count();
  }
  if (form.dataset.refused === undefined) restore();
  else keep();
}
