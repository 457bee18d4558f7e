// Puts the page together and listens to keys and buttons.

const byId = (id) => document.getElementById(id);

/** The figures above the charts: those of the section, and those that can be counted here. */
function figuresOf(view) {
  const { section, rows: { calls, messages } } = view;
  const models = calls.filter((call) => call.kind !== "execute_tool");
  const times = models.map((call) => call.end - call.at);
  const tokens = models.reduce((sum, call) => sum + call.input + call.output, 0);
  const tools = calls.length - models.length;
  return [
    ...section.figures,
    ["Model calls", count(models.length), tools ? `+ ${count(tools)} tool` : ""],
    ["Call time, p50 / p95", models.length ? duration(percentile(times, 0.5)) : "–", models.length ? `/ ${duration(percentile(times, 0.95))}` : ""],
    ["Tokens", count(tokens)],
    ["Messages", count(messages.length)],
    ["Failed", count([...calls, ...messages].filter(failed).length)],
  ];
}

function drawFigures(view) {
  byId("figures").replaceChildren(...figuresOf(view).map(([label, value, more]) => {
    const tile = document.createElement("div"), shown = element("dd", "", value);
    if (more) shown.append(" ", element("small", "", more));
    tile.append(element("dt", "", label), shown);
    tile.title = `${label}: ${value} ${more ?? ""}`.trim();
    return tile;
  }));
}

function fillSections(select, recording) {
  const groups = new Map();
  recording.sections.forEach((section, index) => {
    const label = section.group || "Sections";
    if (!groups.has(label)) {
      groups.set(label, document.createElement("optgroup"));
      groups.get(label).label = label;
    }
    groups.get(label).append(new Option(section.group ? `${section.group} · ${section.name}` : section.name, index));
  });
  select.append(...groups.values(), new Option("Whole run", -1));
}

function listenToKeys(view, step) {
  const keys = {
    "+": () => view.zoom(0.7), "=": () => view.zoom(0.7), "-": () => view.zoom(1 / 0.7), 0: () => view.fit(),
    ArrowLeft: () => view.pan(-view.span / 8), ArrowRight: () => view.pan(view.span / 8),
    Home: () => view.show(view.section.start, view.section.start + view.span),
    End: () => view.show(view.section.end - view.span, view.section.end),
    j: () => view.step(1), k: () => view.step(-1), n: () => step(1), p: () => step(-1),
    Escape: () => view.select(null),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === "SELECT") return;
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  });
}

function start() {
  const view = new View(readRecording(byId("recording").textContent));
  const { recording } = view, shown = document.documentElement.dataset;
  const path = new PathChart(byId("path-canvas"), view);
  const sequence = new SequenceChart({
    canvas: byId("lanes-canvas"), axis: byId("axis-canvas"), scroller: byId("lanes"), spacer: byId("lanes-height"),
  }, view);
  const details = new Details({
    body: byId("details"), list: byId("events"), spacer: byId("events-height"), counter: byId("count"), tip: byId("tip"),
  }, view);
  const select = byId("section");
  let section = null, waiting = false;

  const draw = () => {
    waiting = false;
    const turned = section !== view.section;
    section = view.section;
    byId("path-title").textContent = section.axis ? `${section.axis[0].toUpperCase()}${section.axis.slice(1)} path` : recording.points.length ? "Values" : "Activity";
    shown.drawnPoints = path.draw();
    if (turned) {
      select.value = String(view.index);
      byId("previous").disabled = select.selectedIndex === 0;
      byId("next").disabled = select.selectedIndex === select.options.length - 1;
      drawFigures(view);
      drawLegend(byId("path-legend"), path.legend());
    }
    const { messages, calls } = sequence.draw();
    Object.assign(shown, { drawnMessages: messages, drawnCalls: calls, section: section.name, ready: "true" });
    details.draw();
  };
  const redraw = () => {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  };
  const step = (by) => {
    const option = select.options[select.selectedIndex + by];
    if (option) view.choose(Number(option.value));
  };

  fillSections(select, recording);
  Object.assign(shown, { lanes: recording.lanes.length, messages: recording.messages.length,
    calls: recording.calls.length, points: recording.points.length, sections: recording.sections.length });
  document.querySelector("main").classList.toggle("pathless", recording.points.length === 0);
  select.addEventListener("change", () => view.choose(Number(select.value)));
  byId("previous").addEventListener("click", () => step(-1));
  byId("next").addEventListener("click", () => step(1));
  byId("zoom-in").addEventListener("click", () => view.zoom(0.6));
  byId("zoom-out").addEventListener("click", () => view.zoom(1 / 0.6));
  byId("fit").addEventListener("click", () => view.fit());
  listenToKeys(view, step);
  view.watch(redraw);
  new ResizeObserver(redraw).observe(document.querySelector("main"));
  const theme = matchMedia("(prefers-color-scheme: dark)");
  const paintLegends = () => {
    colours = readColours();
    drawLegend(byId("sequence-legend"), SEQUENCE_KEYS);
    section = null;
    redraw();
  };
  theme.addEventListener("change", paintLegends);
  paintLegends();
  if (recording.dropped) byId("subtitle").append(` · ${count(recording.dropped)} later events were not recorded`);
}

start();
