// For hands in gloves: a keypad that types into a PIN field, and timers that count down from the server's clock.
document.addEventListener("click", (event) => {
  const key = event.target.closest("[data-keys-for] button");
  if (!key) return;
  const field = document.getElementById(key.closest("[data-keys-for]").dataset.keysFor);
  if (!field) return;
  field.focus();
  if (key.dataset.enter !== undefined) {
    const after = [...field.form.elements].filter((each) => each.tabIndex >= 0 && !each.disabled && each.getClientRects().length);
    after[after.indexOf(field) + 1]?.focus();
  } else if (key.dataset.digit === "") field.value = "";
  else if (field.value.length < field.maxLength) field.value += key.dataset.digit;
});

const TICK_MS = 250;
const FLASH_TITLE_MS = 1000;
const titleAtRest = document.title;
let aheadMs = 0; // how far the server's clock is ahead of this machine's
let known = null;

function setClocks() {
  const list = document.querySelector(".clocks[data-now]");
  if (list && list !== known) {
    known = list;
    aheadMs = Number(list.dataset.now) - Date.now();
  }
}

function inWords(leftMs) {
  const seconds = Math.ceil(leftMs / 1000);
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  if (parts[0] === 0) parts.shift();
  return parts.map((each, place) => (place ? String(each).padStart(2, "0") : String(each))).join(":");
}

function tick() {
  setClocks();
  let alarms = 0;
  for (const clock of document.querySelectorAll(".clock[data-due]")) {
    const left = Number(clock.dataset.due) - (Date.now() + aheadMs);
    const said = clock.querySelector(".left");
    if (left > 0) {
      const words = inWords(left);
      if (said.textContent !== words) said.textContent = words;
      continue;
    }
    alarms += 1;
    if (!clock.classList.contains("alarm")) clock.classList.add("alarm");
    const over = clock.querySelector(".over");
    if (!over.textContent.trim()) over.textContent = clock.dataset.over; // said aloud once, when it comes
    const since = `+${inWords(-left)}`;
    if (said.textContent !== since) said.textContent = since;
  }
  document.body.classList.toggle("alarming", alarms > 0);
  const flash = alarms && Math.floor(Date.now() / FLASH_TITLE_MS) % 2;
  const title = flash ? `(${alarms}) ! ${titleAtRest}` : titleAtRest;
  if (document.title !== title) document.title = title;
}

tick();
setInterval(tick, TICK_MS);
