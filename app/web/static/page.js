// Dialogs that open when they arrive, rows that lead somewhere, and a screen that locks itself.
function openDialogs(scope) {
  for (const dialog of scope.querySelectorAll("dialog[data-opens]:not([open])")) dialog.showModal();
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
