// A scanner does not wait for a page: what it types before the bench is ready is kept here, and handed over.
const early = {
  typed: "",
  scans: [],
  isOver: false,
  hear(event) {
    if (early.isOver || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") {
      if (early.typed) early.scans.push(early.typed);
      early.typed = "";
    } else if (event.key.length === 1) early.typed += event.key;
    else return;
    event.preventDefault();
  },
  // Ends the keeping. Whole scans, in their order; what is still being typed stays in `typed`.
  handOver() {
    early.isOver = true;
    removeEventListener("keydown", early.hear, true);
    return early.scans.splice(0);
  },
};
addEventListener("keydown", early.hear, true);
