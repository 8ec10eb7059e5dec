// Dialogs that open when they arrive, rows that lead somewhere, and a way back out.
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
