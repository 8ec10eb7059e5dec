// Before anything is drawn: the theme that was chosen, else the one that the system prefers. Later: the switch.
const root = document.documentElement;

function show(theme) {
  root.dataset.bsTheme = theme;
}

const system = matchMedia("(prefers-color-scheme: dark)");
if (!root.dataset.bsTheme) {
  show(system.matches ? "dark" : "light");
  system.addEventListener("change", () => show(system.matches ? "dark" : "light"));
}

addEventListener("click", (event) => {
  if (!event.target.closest("[data-theme-switch]")) return;
  const theme = root.dataset.bsTheme === "dark" ? "light" : "dark";
  show(theme);
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `stemma_theme=${theme}; Path=/; Max-Age=31536000; SameSite=Strict${secure}`;
});
