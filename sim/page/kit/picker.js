// A figure with axes that are chosen, and points that open a panel of details.

function startPicker(picker) {
  const node = document.querySelector(`[data-figure="${picker.figure}"]`);
  const figure = page.figures[picker.figure], panel = document.getElementById("detail");
  const selects = {x: document.getElementById("pick-x"), y: document.getElementById("pick-y")};
  const ring = figure.data.at(-1);
  let chosen = picker.chosen;

  function place() {
    figure.layout.shapes = [];
    for (const side of ["x", "y"]) {
      const measure = picker.measures[selects[side].value], axis = figure.layout[`${side}axis`];
      axis.title.text = measure.title;
      axis.tickformat = measure.tickformat;
      for (const trace of figure.data.slice(0, -1)) {
        trace[side] = trace.customdata.map(number => measure.values[number]);
      }
      ring[side] = chosen === null ? [] : [measure.values[chosen]];
      if (measure.limit !== null) {
        const along = side === "x" ? "y" : "x";
        figure.layout.shapes.push({
          type: "line", [`${side}0`]: measure.limit, [`${side}1`]: measure.limit,
          [`${along}0`]: 0, [`${along}1`]: 1, [`${along}ref`]: "paper",
          line: {dash: "dot", width: 1.5, color: picker.limit_color},
        });
      }
    }
    draw(node);
  }

  function show(number, focus) {
    const template = document.getElementById(`detail-${number}`);
    if (!template) return;
    chosen = number;
    panel.replaceChildren(template.content.cloneNode(true));
    panel.querySelectorAll("table.sortable").forEach(makeSortable);
    panel.querySelectorAll(".plot").forEach(startPlot);
    document.querySelectorAll("tr[data-key]").forEach(row => {
      const same = Number(row.dataset.key) === number;
      row.classList.toggle("chosen", same);
      row.querySelector(".pick")?.setAttribute("aria-pressed", String(same));
    });
    place();
    if (focus) {
      panel.focus({preventScroll: true});
      panel.scrollIntoView({block: "start"});
    }
  }

  for (const select of Object.values(selects)) {
    select.addEventListener("change", () => {
      // Another axis has another scale.
      figure.layout.uirevision = `${selects.x.value} ${selects.y.value}`;
      place();
    });
  }
  node.on("plotly_click", event => show(event.points[0].customdata, false));
  document.querySelectorAll("tr[data-key] .pick").forEach(button => {
    button.addEventListener("click", () => show(Number(button.closest("tr").dataset.key), true));
  });
  if (chosen === null) place();
  else show(chosen, false);
}

if (page.picker) startPicker(page.picker);
