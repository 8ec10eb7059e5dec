// Dialogs that open when they arrive, rows that lead somewhere, and a screen that locks itself.
function openDialogs(scope) {
  for (const dialog of scope.querySelectorAll("dialog[data-opens]")) {
    if (dialog.matches(":modal")) continue;
    dialog.close(); // sent open, for browsers without scripts
    dialog.showModal();
    dialog.querySelector("[aria-invalid] input, [aria-invalid]")?.focus();
  }
}

document.addEventListener("DOMContentLoaded", () => openDialogs(document));
document.addEventListener("htmx:after:swap", () => openDialogs(document));

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens-dialog]");
  if (opener) document.getElementById(opener.dataset.opensDialog)?.showModal();
  const closer = event.target.closest("[data-closes-dialog]");
  if (closer) closer.closest("dialog")?.close();
  const row = event.target.closest("tr[data-leads-to]");
  if (row && !event.target.closest("a, button") && !getSelection().toString()) location.href = row.dataset.leadsTo;
});

// A scanner types a code and Enter: in a field that takes a scan, Enter goes on to the next field.
document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("input[data-scan-field]");
  if (!field || event.key !== "Enter" || event.isComposing || !field.form) return;
  event.preventDefault();
  const after = [...field.form.elements].filter((each) => each.tabIndex >= 0 && !each.disabled && each.getClientRects().length);
  after[after.indexOf(field) + 1]?.focus();
});

// What has happened cannot lie ahead: the last moment that such a field takes goes along with the laboratory's clock.
const CLOCKS_DIFFER_BY_MS = 120000;

function moveAlong(field) {
  field.dataset.since ??= Date.now();
  const clock = new Date(`${field.dataset.clock}Z`).getTime() + Date.now() - Number(field.dataset.since);
  const latest = new Date(clock + CLOCKS_DIFFER_BY_MS).toISOString();
  field.max = field.type === "date" ? latest.slice(0, 10) : latest.slice(0, 16);
}

function moveAllAlong() {
  for (const field of document.querySelectorAll("input[data-clock]")) moveAlong(field);
}

document.addEventListener("DOMContentLoaded", moveAllAlong);
document.addEventListener("htmx:after:swap", moveAllAlong);
document.addEventListener("focusin", moveAllAlong);
document.addEventListener("click", moveAllAlong, true); // before the form looks at its fields

// One menu of the bar at a time, and none when the eye has gone elsewhere.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Without requests the session falls idle on the server; then the screen shows it, unless an account is half written.
const LATER_MS = 45000;
let lock;

function stayOpen() {
  const minutes = Number(document.body.dataset.idleMinutes);
  clearTimeout(lock);
  if (minutes) lock = setTimeout(lockScreen, minutes * 60000 + LATER_MS);
}

function lockScreen() {
  const written = [...document.querySelectorAll("textarea")].some((each) => each.value !== each.defaultValue);
  if (written) return stayOpen();
  location.href = `/unlock?next=${encodeURIComponent(location.pathname)}`;
}

document.addEventListener("DOMContentLoaded", stayOpen);
document.addEventListener("htmx:after:request", stayOpen);
document.addEventListener("bench:changed", stayOpen);

// "/" goes to the search of the page, as long as nobody is typing.
document.addEventListener("keydown", (event) => {
  if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey || event.target.closest?.("input, textarea, select, dialog")) return;
  const search = document.querySelector('form[role="search"] input:not([type="hidden"])');
  if (!search) return;
  event.preventDefault();
  search.focus();
  search.select();
});
