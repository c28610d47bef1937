// Two things of a list, chosen in the page, side by side in one table with their differences.

function startPins(pins) {
  const body = document.querySelector("#pinned tbody"), heads = document.querySelectorAll("#pinned thead th");
  const selects = {a: document.getElementById("pin-a"), b: document.getElementById("pin-b")};

  function cell(row, text, name) {
    const td = row.insertCell();
    td.textContent = text;
    td.className = name;
    return td;
  }

  // The change from A to B, coloured unless it is rounded to nothing.
  function change(row, entry, a, b) {
    const before = entry.numbers?.[a], after = entry.numbers?.[b];
    if (typeof before !== "number" || typeof after !== "number" || !before) return cell(row, "", "number");
    const share = (after / before - 1) * 100, text = share.toFixed(1);
    if (Number(text) === 0) return cell(row, after === before ? "0" : `${text} %`, "number");
    const better = entry.better && (share < 0) === (entry.better === "less");
    const judged = entry.better ? (better ? " good" : " bad") : "";
    return cell(row, `${share > 0 ? "+" : ""}${text} %`, `number${judged}`);
  }

  function show() {
    const a = selects.a.selectedIndex, b = selects.b.selectedIndex;
    heads[1].textContent = pins.names[a];
    heads[2].textContent = pins.names[b];
    body.replaceChildren();
    for (const group of pins.groups) {
      const entries = group.entries.filter(entry => !entry.differing || entry.texts[a] !== entry.texts[b]);
      if (!entries.length) continue;
      const title = body.insertRow().appendChild(document.createElement("th"));
      title.colSpan = 4;
      title.className = "group";
      title.textContent = group.title;
      for (const entry of entries) {
        const row = body.insertRow();
        const label = row.appendChild(document.createElement("th"));
        label.scope = "row";
        label.textContent = entry.label;
        cell(row, entry.texts[a], "number");
        cell(row, entry.texts[b], "number");
        change(row, entry, a, b);
      }
    }
  }

  for (const select of Object.values(selects)) select.addEventListener("change", show);
  document.addEventListener("click", event => {
    const button = event.target.closest("button[data-pin]");
    if (!button) return;
    selects[button.dataset.pin].selectedIndex = Number(button.dataset.number);
    show();
    document.getElementById("pinned-section").scrollIntoView({block: "start"});
  });
  show();
}

if (page.pins) startPins(page.pins);
