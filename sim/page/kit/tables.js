// Tables sort by the column whose heading is pressed: in the other direction at the next press, and
// in the original order at the third.

function sortKey(row, column) {
  const cell = row.cells[column];
  const text = cell.dataset.value ?? cell.textContent;
  const number = Number(text.replaceAll(",", ""));
  return text === "" ? null : Number.isNaN(number) ? text : number;
}

function compare(one, other) {
  if (one === null || other === null) return (one === null) - (other === null);
  if (typeof one === "number" && typeof other === "number") return one - other;
  return String(one).localeCompare(String(other), "en", {numeric: true});
}

function sortTable(table, column) {
  const heads = [...table.tHead.rows[0].cells], body = table.tBodies[0];
  const head = heads[column], before = head.getAttribute("aria-sort");
  const firstDown = head.classList.contains("number");
  const order = firstDown ? ["none", "descending", "ascending"] : ["none", "ascending", "descending"];
  const now = order[(order.indexOf(before) + 1) % 3];
  heads.forEach(one => one.setAttribute("aria-sort", one === head ? now : "none"));
  table.firstOrder ||= [...body.rows];
  const rows = [...table.firstOrder];
  if (now !== "none") {
    const keyed = rows.map(row => [sortKey(row, column), row]);
    const sign = now === "ascending" ? 1 : -1;
    // Cells without a value stay last.
    keyed.sort(([a], [b]) => a === null || b === null ? compare(a, b) : sign * compare(a, b));
    body.append(...keyed.map(([, row]) => row));
  } else {
    body.append(...rows);
  }
}

function makeSortable(table) {
  [...table.tHead.rows[0].cells].forEach((head, column) => {
    head.querySelector("button")?.addEventListener("click", () => sortTable(table, column));
  });
}

document.querySelectorAll("table.sortable").forEach(makeSortable);
