// The dashboard follows by itself. It says that it is live only while the server says so, and since when it is not.
const dash = document.getElementById("dash");
const now = document.getElementById("now");
const chip = document.getElementById("live");
const stale = document.getElementById("stale");
const STALE_MS = 15000;
const SETTLE_MS = 800;
const AGAIN_MS = 5000;
const ANYWAY_MS = 60000; // Time alone makes things expire.
const GIVE_UP_MS = 10000;
const clock = new Intl.DateTimeFormat("en-GB", { timeZone: dash.dataset.zone, hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
const isWall = "wall" in dash.dataset;
let goodAt = new Date(shownAt());
let heardAt = null; // When the server last said that all is told, on this machine's own clock.
let changedAt = null; // Since when something happened that is not shown yet.
let loadedAt = performance.now();
let ended = false;
let loading = false;
let source;

function shownAt() {
  return now.querySelector("[data-at]").dataset.at;
}

function isLive() {
  const time = performance.now();
  const heard = heardAt !== null && time - heardAt < STALE_MS;
  return heard && !ended && (changedAt === null || time - changedAt < STALE_MS);
}

function tell() {
  const live = isLive();
  const waits = !live && heardAt === null && performance.now() < STALE_MS && !ended;
  const since = clock.format(goodAt);
  chip.classList.toggle("waits", waits);
  chip.classList.toggle("away", !live && !waits);
  if (!waits) say(chip, live ? `${chip.dataset.live} · ${since}` : `${chip.dataset.stale} · ${since}`);
  dash.classList.toggle("is-stale", !live && !waits);
  stale.hidden = live || waits;
  if (!stale.hidden) say(stale, (ended ? stale.dataset.ended : stale.dataset.since).replace("{time}", since));
  stale.querySelector(".again").hidden = !ended;
  stale.querySelector(".ask").hidden = ended;
}

function say(where, words) {
  // Written only when it changes: what reads the page aloud would otherwise repeat it each second.
  const place = where.querySelector(".says");
  if (place.textContent !== words) place.textContent = words;
}

function listen() {
  source = new EventSource(dash.dataset.events);
  source.addEventListener("open", changed);
  source.addEventListener("happened", changed);
  source.addEventListener("beat", (event) => {
    heardAt = performance.now();
    if (changedAt === null) goodAt = new Date(JSON.parse(event.data).at);
    tell();
  });
  source.addEventListener("end", (event) => {
    source.close();
    ended = JSON.parse(event.data).why !== "closing";
    tell();
    if (ended && !isWall) location.href = `/unlock?next=${encodeURIComponent(location.pathname)}`;
    else setTimeout(listen, AGAIN_MS);
  });
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, AGAIN_MS);
  });
}

function changed() {
  if (changedAt === null) changedAt = performance.now();
  setTimeout(load, SETTLE_MS);
}

async function load() {
  if (loading) return;
  loading = true;
  const asked = changedAt;
  changedAt = null;
  try {
    const answer = await fetch(dash.dataset.now, { headers: { "HX-Request": "true" }, signal: AbortSignal.timeout(GIVE_UP_MS) });
    if (answer.status === 401) {
      ended = true;
      const there = (answer.headers.get("HX-Redirect") ?? "/sign-in").split("?")[0];
      if (!isWall) location.href = `${there}?next=${encodeURIComponent(location.pathname)}`;
      throw new TypeError("signed out");
    }
    if (!answer.ok) throw new TypeError("no answer");
    const said = document.createElement("template");
    said.innerHTML = await answer.text();
    // Only our own page is an answer, not what something between here and the server says.
    if (!said.content.querySelector("[data-at]")) throw new TypeError("this is no dashboard");
    now.replaceChildren(...said.content.children);
    ended = false;
    loadedAt = performance.now();
    goodAt = new Date(shownAt());
    if (changedAt !== null) setTimeout(load, SETTLE_MS);
  } catch {
    changedAt = asked ?? changedAt ?? performance.now();
    setTimeout(load, AGAIN_MS);
  } finally {
    loading = false;
    tell();
  }
}

setInterval(() => {
  if (performance.now() - loadedAt > ANYWAY_MS && changedAt === null) load();
  tell();
}, 1000);
addEventListener("pageshow", (event) => {
  // The browser may bring a page back as it was left, with the numbers of another time.
  if (event.persisted) location.reload();
});
listen();
tell();
