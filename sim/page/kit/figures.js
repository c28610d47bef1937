"use strict";
// Draws the figures that Python described, in the colours of the theme and as wide as there is room.

const page = JSON.parse(document.getElementById("data").textContent);
const NARROW = 560, NARROW_MARK = 8, LETTER = 7;
// Pixels of a plot on paper, landscape: the sheet does not say how large it is before it is printed.
const PRINT_WIDTHS = [[".panels", 300], [".detail", 890], ["body", 940]];
const PRINT_HEIGHT = 460, PRINT_FONT = 7 * 96 / 72;
const dark = matchMedia("screen and (prefers-color-scheme: dark)");
const paper = matchMedia("print");
const coarse = matchMedia("(pointer: coarse)");
const CONFIG = {
  displaylogo: false, showSendToCloud: false, plotlyServerURL: "",
  modeBarButtonsToRemove: ["select2d", "lasso2d", "autoScale2d", "sendChartToCloud"],
  doubleClick: "reset",
};
const hidden = {};  // by figure: names of the series that are switched off
let printing = false;

function variable(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// A copy with the colours for a dark ground, if the ground is dark.
function recolor(value) {
  if (typeof value === "string") return (dark.matches && page.dark[value]) || value;
  if (Array.isArray(value)) {
    const plain = value.length && typeof value[0] === "number";
    return plain ? value : value.map(recolor);
  }
  if (value === null || typeof value !== "object") return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, recolor(one)]));
}

function template() {
  const ink = variable("ink"), grid = variable("grid"), muted = variable("muted");
  const axis = {
    gridcolor: grid, zerolinecolor: grid, linecolor: muted, tickcolor: muted, automargin: true,
    title: {font: {size: 13, color: ink}, standoff: 8},
  };
  return {
    layout: {
      paper_bgcolor: variable("ground"), plot_bgcolor: variable("ground"),
      font: {family: "system-ui, sans-serif", size: 12, color: ink},
      hoverlabel: {bgcolor: variable("surface"), bordercolor: muted, font: {color: ink, size: 12}},
      xaxis: axis, yaxis: axis, colorway: [variable("accent")],
      modebar: {bgcolor: "rgba(0,0,0,0)", color: muted, activecolor: ink},
    },
  };
}

// Words in lines that fit.
function wrap(text, width) {
  const lines = [""];
  for (const word of text.split(" ")) {
    const line = lines.at(-1);
    if (line && (line.length + word.length + 1) * LETTER > width) lines.push(word);
    else lines[lines.length - 1] = line ? `${line} ${word}` : word;
  }
  return lines.join("<br>");
}

// Labels over spans of the first axis, where there is room.
function spanLabels(labels, range, width) {
  const scale = width / (range[1] - range[0]);
  return labels.filter(({text, begin, end}) => {
    const letters = Math.max(...text.split("<br>").map(line => line.length));
    return begin < range[1] && end > range[0] && (end - begin) * scale > letters * LETTER;
  }).map(({text, begin, end}) => ({
    text, x: (begin + end) / 2, xref: "x", y: 1, yref: "paper", yanchor: "bottom",
    showarrow: false, font: {size: 11},
  }));
}

// Changes a plot for a narrow screen: no text inside, lines of titles that fit, short names.
function makeNarrow(figure, layout, data, width) {
  layout.height = figure.narrow_height || layout.height;
  layout.margin = {...layout.margin, l: 46, r: 10};
  layout.hoverlabel = {font: {size: 10}};
  for (const [key, changes] of Object.entries(figure.narrow || {})) {
    layout[key] = {...layout[key], ...changes};
  }
  for (const [key, axis] of Object.entries(layout)) {
    if (!/^xaxis\d*$/.test(key)) continue;
    if (axis.title?.text) axis.title.text = wrap(axis.title.text, width - 70);
    if (axis.type === "category") {
      axis.tickvals = [...new Set(data.flatMap(trace => trace.x))];
      axis.ticktext = axis.tickvals.map(name => name.split("<br>")[0]);
      Object.assign(axis, {tickmode: "array", tickangle: -90, tickfont: {size: 10}});
      axis.unifiedhovertitle = {text: "%{x}"};
    }
  }
  for (const trace of data) {
    if (trace.mode === "text") Object.assign(trace, {mode: "none", hoverinfo: "skip"});
    if (trace.mode === "markers+text") trace.mode = "markers";
    if (trace.marker?.symbol === "line-ew") trace.marker.size = NARROW_MARK;
    if (trace.marker?.colorbar || trace.colorbar) trace.showscale = false;
  }
}

function draw(node) {
  const name = node.dataset.figure, figure = page.figures[name];
  const width = printing ? printWidth(node) : node.clientWidth;
  // A plot that is not visible is drawn when it becomes so.
  if (!node.clientWidth) return null;
  const off = hidden[name] ||= new Set();
  const data = recolor(figure.data).map(trace => ({
    ...trace, visible: off.has(trace.legendgroup || trace.name) ? false : trace.visible ?? true,
  }));
  const layout = {
    ...recolor(figure.layout), template: template(), width, showlegend: false,
    uirevision: figure.layout.uirevision || "kept",
    dragmode: coarse.matches ? false : "zoom",
  };
  if (printing && layout.height > PRINT_HEIGHT) {
    layout.height = PRINT_HEIGHT;
    if (layout.yaxis.ticktext) layout.yaxis = {...layout.yaxis, tickfont: {size: 6.5}};
  } else if (!printing && width < NARROW) {
    makeNarrow(figure, layout, data, width);
  }
  if (figure.labels) {
    const zoomed = node.layout && node.layout.xaxis.range;
    const range = zoomed && !printing ? zoomed : layout.xaxis.range;
    const margin = layout.margin || {};
    const room = width - (margin.l ?? 60) - (margin.r ?? 20);
    layout.annotations = [...(layout.annotations || []), ...spanLabels(figure.labels, range, room)];
  }
  node.drawnWidth = width;
  const drawn = Plotly.react(node, data, layout, CONFIG);
  drawLegend(node, name, data);
  return drawn;
}

// The legend: buttons that hide series; they wrap on a phone and take the keyboard.
function drawLegend(node, name, data) {
  const list = node.parentElement.querySelector(".legend");
  if (!list) return;
  const focused = list.contains(document.activeElement) && document.activeElement.dataset.series;
  list.replaceChildren();
  const seen = new Set();
  for (const trace of data) {
    const series = trace.legendgroup || trace.name;
    if (!trace.name || trace.showlegend === false || seen.has(series)) continue;
    seen.add(series);
    const button = document.createElement("button"), mark = document.createElement("i");
    const color = (trace.marker && !Array.isArray(trace.marker.color) && trace.marker.color)
      || (trace.line && trace.line.color) || trace.fillcolor || variable("ink");
    button.type = "button";
    button.dataset.series = series;
    button.setAttribute("aria-pressed", String(!hidden[name].has(series)));
    mark.style.background = mark.style.borderTopColor = color;
    button.append(mark, decode(trace.name));
    if (trace.mode === "lines" && !trace.fill && !trace.stackgroup) button.classList.add("line");
    button.addEventListener("click", () => {
      hidden[name].has(series) ? hidden[name].delete(series) : hidden[name].add(series);
      draw(node);
    });
    const item = document.createElement("li");
    item.append(button);
    list.append(item);
    if (focused === series) button.focus();
  }
}

// A name as text: plotly's labels are escaped.
function decode(text) {
  return text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function drawAll() {
  document.querySelectorAll(".plot").forEach(draw);
}

function printWidth(node) {
  return PRINT_WIDTHS.find(([around]) => node.closest(around))[1];
}

// Smaller letters where a table would be wider than the sheet.
function fitTable(table) {
  table.style.fontSize = "";
  if (!printing) return;
  const font = parseFloat(getComputedStyle(table).fontSize);
  const width = table.scrollWidth / font * PRINT_FONT, room = printWidth(table);
  if (width > room) table.style.fontSize = `${(PRINT_FONT * room / width).toFixed(2)}px`;
}

function print(on) {
  if (printing === on) return;
  printing = on;
  document.querySelectorAll("table").forEach(fitTable);
  document.querySelectorAll("details").forEach(one => {
    if (on) one.dataset.wasOpen = one.open, one.open = true;
    else one.open = one.dataset.wasOpen === "true";
  });
  drawAll();
}

const watch = new ResizeObserver(entries => requestAnimationFrame(() => {
  for (const {target} of entries) {
    if (!printing && target.isConnected && target.clientWidth !== target.drawnWidth) draw(target);
  }
}));

function startPlot(node) {
  draw(node);
  if (page.figures[node.dataset.figure].labels) {
    node.on("plotly_relayout", change => {
      if (Object.keys(change).some(key => key.startsWith("xaxis."))) draw(node);
    });
  }
  watch.observe(node);
}

document.querySelectorAll(".plot").forEach(startPlot);
dark.addEventListener("change", drawAll);
paper.addEventListener("change", event => print(event.matches));
addEventListener("beforeprint", () => print(true));
addEventListener("afterprint", () => print(false));
