// Sort a table by the column whose header is clicked: numbers by value, text as people do; missing values come last.
"use strict";
for (const table of document.querySelectorAll("table.sortable")) {
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => head.firstElementChild.addEventListener("click", () => {
    const ascending = head.getAttribute("aria-sort") !== "ascending";
    const missing = (row) => row.cells[column].textContent === "-";
    const value = (row) => row.cells[column].dataset.value;
    const number = (row) => Number((value(row) ?? "").replace("inf", "Infinity"));
    const compare = (a, b) => value(a) === undefined
      ? a.cells[column].textContent.localeCompare(b.cells[column].textContent, undefined, { numeric: true })
      : (number(a) > number(b)) - (number(a) < number(b));
    const rows = [...table.tBodies[0].rows];
    rows.sort((a, b) => missing(a) - missing(b) || (ascending ? compare(a, b) : compare(b, a)));
    table.tBodies[0].append(...rows);
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", ascending ? "ascending" : "descending");
  }));
}
