"use strict";
// Which of the refused records are shown. Without this script all of them are.
const filter = document.getElementById("filter");
const [search, code, table] = ["search", "code", "table"].map((id) => document.getElementById(id));
const rows = Array.from(document.querySelectorAll("#records tbody tr"));
const texts = rows.map((row) => row.textContent.replace(/\s+/g, " ").toLowerCase());
const grouped = (number) => String(number).replace(/\B(?=(\d{3})+$)/g, ",");

function show() {
  const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  rows.forEach((row, index) => {
    const fits =
      (code.value === "" || row.dataset.code === code.value) &&
      (table.value === "" || row.dataset.table === table.value) &&
      words.every((word) => texts[index].includes(word));
    row.hidden = !fits;
    shown += fits ? 1 : 0;
  });
  const of = shown === rows.length ? "" : ` of ${grouped(rows.length)}`;
  const noun = rows.length === 1 ? "error" : "errors";
  document.getElementById("count").textContent = `${grouped(shown)}${of} ${noun} shown.`;
  document.getElementById("nothing").hidden = shown > 0;
}

filter.addEventListener("submit", (event) => event.preventDefault());
filter.addEventListener("input", show);
filter.addEventListener("change", show);
filter.addEventListener("reset", () => setTimeout(show));
filter.hidden = false;
// A browser may keep what was typed when a page is loaded again.
show();
