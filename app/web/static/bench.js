// The bench: whatever a scanner types goes to the scan box, every Enter is one scan, scans are answered in their order.
const box = document.getElementById("scan");
const answer = document.getElementById("answer");
const log = document.getElementById("log");
const waiting = document.getElementById("waiting");
const bench = document.getElementById("bench");
const online = document.getElementById("online");
const dialogs = document.getElementById("dialogs");
const GIVE_UP_MS = 15000;
const AGAIN_MS = 1500;
const ROWS_SHOWN = 8;
const queue = [];
let working = false;

function newKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(15));
  return btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_");
}

function isOpen() {
  return document.querySelector("dialog[open]") !== null;
}

function takeFocus() {
  if (!isOpen() && document.activeElement !== box) box.focus({ preventScroll: true });
}

function showWaiting() {
  const count = queue.length;
  waiting.textContent = count > 1 ? waiting.dataset.words.replace("{count}", String(count)) : "";
}

function showInstead(name) {
  answer.replaceChildren(document.getElementById(name).content.cloneNode(true));
}

function setAway(away) {
  // An answer may be gone by while nobody can ask: no GO stands there then.
  if (away) showInstead(queue.length ? "unanswered" : "resting");
  bench.classList.toggle("is-away", away);
  online?.classList.toggle("away", away);
  if (online) online.lastElementChild.textContent = away ? online.dataset.away : online.dataset.here;
}

async function send(scan) {
  const body = new URLSearchParams({ raw: scan.raw, key: scan.key, intent: scan.intent, csrf: bench.dataset.csrf });
  const response = await fetch("/bench/scan", {
    method: "POST",
    body,
    headers: { "HX-Request": "true" },
    signal: AbortSignal.timeout(GIVE_UP_MS),
  });
  const elsewhere = response.headers.get("HX-Redirect");
  if (elsewhere) {
    location.href = elsewhere;
    return false;
  }
  if (response.status >= 500) throw new TypeError("the server could not take it");
  const said = document.createElement("template");
  said.innerHTML = await response.text();
  // Only the bench's own words are an answer, not what something between here and the server says.
  if (!said.content.querySelector("[data-scan], .said-no")) throw new TypeError("this is no answer to a scan");
  show(said.content);
  offerToVerify(scan.raw);
  // Only work asks what is at the workstation: a clock that asked would keep an empty chair's session awake.
  htmx.trigger("#workplace", "bench:changed");
  return true;
}

function show(parts) {
  const row = parts.querySelector("tr[data-row]");
  if (row) {
    row.closest("table").remove();
    log.querySelector("[data-empty]")?.remove();
    log.prepend(row);
    while (log.rows.length > ROWS_SHOWN) log.rows[log.rows.length - 1].remove();
  }
  answer.replaceChildren(...parts.children);
  htmx.process(answer);
}

// A badge that is scanned while something waits for a second person opens the dialog, with the badge in its field.
let badge = "";

function offerToVerify(raw) {
  const there = answer.querySelector("[data-verify]")?.dataset.verify;
  if (!there) return;
  badge = raw;
  htmx.ajax("GET", there, { target: "#dialogs", swap: "innerHTML" });
}

function fillBadge() {
  const field = document.getElementById("verify-badge");
  if (!badge || !field || field.value) return;
  field.value = badge;
  badge = "";
  document.getElementById("verify-pin").focus();
}

// What was done in a dialog stands where answers stand, and the side is asked anew.
function showDone() {
  const done = dialogs.querySelector("[data-done]");
  if (!done) return;
  answer.replaceChildren(...done.children);
  dialogs.replaceChildren();
  htmx.trigger("#workplace", "bench:changed");
  takeFocus();
}

async function work() {
  if (working) return;
  working = true;
  while (queue.length) {
    showWaiting();
    showInstead("unanswered");
    try {
      // The key stays with the scan: sent again after a lost answer, it is still one scan.
      if (!(await send(queue[0]))) return;
      setAway(false);
      queue.shift();
    } catch {
      setAway(true);
      await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    }
  }
  showWaiting();
  working = false;
}

function take(raw) {
  if (raw === "") return;
  const intent = box.form.elements.intent;
  queue.push({ raw, key: newKey(), intent: intent ? intent.value : "identify" });
  work();
}

box.form.addEventListener("submit", (event) => {
  event.preventDefault();
  const raw = box.value;
  box.value = "";
  take(raw);
});

for (const choice of box.form.querySelectorAll("input[type=radio]")) choice.addEventListener("change", takeFocus);

// A scanner types like a keyboard, wherever the cursor happens to be; its Enter must press no button.
document.addEventListener("keydown", (event) => {
  if (isOpen() || event.ctrlKey || event.metaKey || event.altKey || event.target === box) return;
  if (event.target.closest("input:not([type=radio]), textarea, select")) return;
  if (event.key === "F2") return;
  if (event.key.length === 1 && event.key !== " ") box.focus({ preventScroll: true });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "F2" || isOpen()) return;
  event.preventDefault();
  const choices = [...box.form.querySelectorAll("input[type=radio]")];
  const chosen = choices.findIndex((choice) => choice.checked);
  if (choices.length) choices[(chosen + 1) % choices.length].checked = true;
  takeFocus();
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("a, button, input, select, textarea, summary, label")) takeFocus();
});
document.addEventListener("close", takeFocus, true);
document.addEventListener("htmx:after:swap", () => {
  showDone();
  fillBadge();
  takeFocus();
});
addEventListener("focus", takeFocus);
addEventListener("pageshow", (event) => {
  // The browser may bring a page back as it was left, with an answer of another time.
  if (event.persisted && !queue.length) showInstead("resting");
  takeFocus();
});
addEventListener("online", () => setAway(false));
addEventListener("offline", () => setAway(true));
addEventListener("beforeunload", (event) => {
  if (queue.length) event.preventDefault();
});
takeFocus();

// What was typed while this was still on its way.
const kept = early.handOver();
box.value += early.typed;
kept.forEach(take);
