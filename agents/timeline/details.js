// The right-hand column: the chosen event in words, and a list of the events in view.

const ROW = 24;

const KEYS = [
  ["j  k", "next event, previous event"], ["← →", "earlier, later"], ["+ −", "zoom in, zoom out"],
  ["0", "the whole section"], ["n  p", "next section, previous one"], ["Esc", "choose nothing"],
];

/** What an event is called, in a tip. */
function headline(row, recording) {
  const lane = (index) => recording.lanes[index] ?? "?";
  if (row.what === "message") return `${row.type}: ${lane(row.from)} → ${lane(row.to)}`;
  if (row.what === "call") return `${row.name}, ${row.kind === "execute_tool" ? "called" : "asked"} by ${lane(row.lane)}`;
  return `${row.series} ${count(row.value)}${row.note ? `, ${row.note}` : ""}`;
}

/** The same in a list, where there is less room: a word for its kind, its name, and whom it concerns. */
function entry(row, recording) {
  const lane = (index) => recording.lanes[index] ?? "?";
  if (row.what === "message") return { look: row.kind === "ask" ? "ask" : "tell", name: row.type, whom: `→ ${lane(row.to)}` };
  if (row.what === "call") return { look: row.kind === "execute_tool" ? "tool" : "call", name: row.name, whom: lane(row.lane) };
  return { look: LOOKS[row.look]?.colour ?? "dot", name: `${row.series} ${count(row.value)}`, whom: row.note };
}

/** An event's facts, as pairs of a word and its value. */
function facts(row, recording, start) {
  const lane = (index) => recording.lanes[index] ?? "?";
  const at = ["at", moment(row.at - start, 10)];
  if (row.what === "message") {
    return [["message", row.type], ["kind", row.kind], ["from", lane(row.from)], ["to", lane(row.to)], at,
      ["waited", duration(row.start - row.at)], ["handled in", duration(row.end - row.start)], ["outcome", row.outcome]];
  }
  if (row.what === "call") {
    const tool = row.kind === "execute_tool";
    return [[tool ? "tool call" : "model call", row.name], ["by", lane(row.lane)], at, ["took", duration(row.end - row.at)],
      ...(tool ? [] : [["tokens", `${count(row.input)} in, ${count(row.output)} out`], ["attempt", String(row.attempt)]]),
      ["outcome", row.error || "ok"]];
  }
  return [["point", row.series], ["value", count(row.value)], at, ...(row.note ? [["note", row.note]] : [])];
}

class Details {
  constructor({ body, list, spacer, counter, tip }, view) {
    Object.assign(this, { body, list, spacer, counter, tip, view });
    list.addEventListener("scroll", () => this.drawRows());
    list.addEventListener("keydown", (event) => this.key(event));
    this.pointer = { x: 0, y: 0 };
    document.addEventListener("pointermove", (event) => { this.pointer = { x: event.clientX, y: event.clientY }; });
  }

  draw() {
    const { rows, section, index, from, to, selected, hovered } = this.view;
    const key = [index, from, to].join();
    if (this.key !== key || this.shown !== selected) {
      this.key = key;
      this.rows = rowsWithin(rows.events, Math.max(from, section.start), Math.min(to, section.end));
      this.counter.textContent = count(this.rows.length);
      this.spacer.style.height = `${this.rows.length * ROW}px`;
      if (this.shown !== selected) this.drawFacts(selected);
      this.drawRows();
    }
    this.drawTip(hovered);
  }

  drawFacts(row) {
    this.shown = row;
    if (!row) {
      this.body.replaceChildren(element("p", "empty", "Choose an arrow, a bar or a point, or use the keys:"), factsTable(KEYS));
      return;
    }
    this.body.replaceChildren(factsTable(facts(row, this.view.recording, this.view.section.start)));
    this.reveal(row);
  }

  reveal(row) {
    const index = this.rows.indexOf(row);
    if (index < 0) return;
    const top = index * ROW, { scrollTop, clientHeight } = this.list;
    if (top < scrollTop || top + ROW > scrollTop + clientHeight) this.list.scrollTop = top - clientHeight / 2;
  }

  /** Only the rows that are on the screen exist. */
  drawRows() {
    const first = Math.max(0, Math.floor(this.list.scrollTop / ROW) - 4);
    const last = Math.min(this.rows.length, first + Math.ceil(this.list.clientHeight / ROW) + 8);
    this.spacer.replaceChildren(...this.rows.slice(first, last).map((row, i) => this.drawRow(row, first + i)));
    const chosen = this.spacer.querySelector('[aria-selected="true"]');
    if (chosen) this.list.setAttribute("aria-activedescendant", chosen.id);
    else this.list.removeAttribute("aria-activedescendant");
  }

  drawRow(row, index) {
    const item = element("div", failed(row) ? "event failed" : "event");
    item.id = `event-${index}`;
    item.setAttribute("role", "option");
    item.setAttribute("aria-selected", String(row === this.view.selected));
    item.setAttribute("aria-setsize", String(this.rows.length));
    item.setAttribute("aria-posinset", String(index + 1));
    item.style.top = `${index * ROW}px`;
    const at = row.at - this.view.section.start;
    const { look, name, whom } = entry(row, this.view.recording);
    const text = element("span", "");
    text.append(element("b", `kind ${look}`), element("span", "", name), " ", element("span", "whom", whom));
    item.append(
      element("span", "when", moment(at, at < 1e6 ? 100 : 1000)),
      text,
      element("span", "long", row.what === "point" ? "" : duration(row.end - row.start)),
    );
    item.title = headline(row, this.view.recording);
    item.addEventListener("click", () => this.view.select(row));
    return item;
  }

  key(event) {
    const by = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const here = this.rows.indexOf(this.view.selected);
    const next = this.rows[Math.max(0, Math.min(this.rows.length - 1, here + by))];
    if (next) this.view.select(next);
  }

  drawTip(row) {
    this.tip.hidden = !row;
    if (!row) return;
    const rest = row.what === "message" ? `${row.kind}, handled in ${duration(row.end - row.start)}`
      : row.what === "call" ? `${duration(row.end - row.at)}${row.error ? `, ${row.error}` : ""}` : moment(row.at - this.view.section.start, 100);
    this.tip.replaceChildren(element("strong", "", headline(row, this.view.recording)), element("span", "", rest));
    const { width, height } = this.tip.getBoundingClientRect();
    const x = Math.min(this.pointer.x + 14, innerWidth - width - 8), y = this.pointer.y + 18;
    this.tip.style.left = `${x}px`;
    this.tip.style.top = `${y + height > innerHeight ? this.pointer.y - height - 10 : y}px`;
  }
}

function factsTable(pairs) {
  const table = document.createElement("table");
  for (const [name, value] of pairs) {
    table.insertRow().append(element("th", "", name), element("td", "", value));
  }
  return table;
}

function element(tag, className, text = "") {
  const made = document.createElement(tag);
  if (className) made.className = className;
  made.textContent = text;
  return made;
}
