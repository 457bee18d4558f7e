// The upper chart: the points of the section over time, and the frame that the lower chart shows.

const GUTTER = 96; // left of both charts, so that their time axes begin at the same place
const EDGE = 14;

class PathChart {
  constructor(canvas, view) {
    this.canvas = canvas;
    this.view = view;
    this.drag = null;
    this.points = [];
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", () => { this.drag = null; });
    canvas.addEventListener("pointerleave", () => view.hover(null));
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
  }

  draw() {
    const { width, height } = this.canvas.getBoundingClientRect();
    const { section } = this.view;
    const context = prepare(this.canvas, width, height);
    this.x = scale(section.start, Math.max(section.end, section.start + 1), GUTTER, width - EDGE);
    this.bottom = height - 22;
    if (width && height) context.drawImage(this.background(width, height), 0, 0, width, height);
    this.drawHovered(context);
    this.drawFrame(context);
    return this.points.length;
  }

  /** Everything but the frame, painted once for a section and a size: a frame is dragged often. */
  background(width, height) {
    const { section, rows, index } = this.view;
    const key = [index, width, height, devicePixelRatio, colours.ink].join();
    if (this.painted?.key === key) return this.painted.canvas;
    const canvas = document.createElement("canvas");
    const context = prepare(canvas, width, height);
    this.points = rowsWithin(rows.points, section.start, section.end);
    if (this.points.length) this.drawPoints(context, width);
    else this.drawTraffic(context, width);
    this.drawTime(context, width);
    this.painted = { key, canvas };
    return canvas;
  }

  /** Sections whose reference is visible: the one that is looked at, or all of them. */
  get sections() {
    return this.view.index < 0 ? this.view.recording.sections : [this.view.section];
  }

  drawPoints(context, width) {
    const references = this.sections.flatMap((section) => section.reference ?? []);
    const values = this.points.map((point) => point.value).concat(references);
    const low = values.reduce((a, b) => Math.min(a, b)), high = values.reduce((a, b) => Math.max(a, b));
    const room = (high - low || 1) * 0.05;
    this.y = scale(low - room, high + room, this.bottom - 4, 8);
    this.drawGrid(context, width, low, high);
    for (const section of this.sections) this.drawReference(context, section);
    for (const look of ["faint", "up", "down", "dot", "line"]) this.drawSeries(context, look);
  }

  drawGrid(context, width, low, high) {
    context.textAlign = "right";
    for (const value of ticks(low, high, Math.max(2, this.bottom / 36)).values) {
      const y = Math.round(this.y(value)) + 0.5;
      context.strokeStyle = colours.grid;
      context.beginPath();
      context.moveTo(GUTTER, y);
      context.lineTo(width - EDGE, y);
      context.stroke();
      context.fillStyle = colours.muted;
      context.fillText(Number(value.toPrecision(6)).toLocaleString("en-US"), GUTTER - 8, y);
    }
    context.save();
    context.translate(18, (this.bottom + 4) / 2);
    context.rotate(-Math.PI / 2);
    context.textAlign = "center";
    context.fillStyle = colours.muted;
    context.fillText(this.view.section.axis, 0, 0);
    context.restore();
  }

  drawReference(context, section) {
    if (!section.reference) return;
    const [low, high] = section.reference;
    const left = this.x(section.start), right = this.x(section.end);
    context.fillStyle = context.strokeStyle = colours.reference;
    context.globalAlpha = 0.18;
    context.fillRect(left, this.y(high), right - left, this.y(low) - this.y(high));
    context.globalAlpha = 1;
    context.setLineDash([5, 4]);
    context.beginPath();
    context.moveTo(left, this.y((low + high) / 2));
    context.lineTo(right, this.y((low + high) / 2));
    context.stroke();
    context.setLineDash([]);
  }

  drawSeries(context, look) {
    const points = this.points.filter((point) => point.look === look);
    context.fillStyle = context.strokeStyle = colours[LOOKS[look].colour];
    if (look === "line") this.drawLines(context, points);
    context.globalAlpha = look === "up" || look === "down" ? 0.75 : 1;
    const size = LOOKS[look].size * Math.min(1, Math.max(0.4, Math.sqrt(1200 / this.points.length)));
    for (const point of points) drawPoint(context, look, this.x(point.at), this.y(point.value), size);
    context.globalAlpha = 1;
  }

  /** Join the points of a series, but not across sections. */
  drawLines(context, points) {
    const bySeries = new Map();
    for (const point of points) {
      const key = `${point.section} ${point.series}`;
      if (!bySeries.has(key)) bySeries.set(key, []);
      bySeries.get(key).push(point);
    }
    context.lineWidth = 1.2;
    for (const series of bySeries.values()) {
      context.beginPath();
      for (const point of series) context.lineTo(this.x(point.at), this.y(point.value));
      context.stroke();
    }
    context.lineWidth = 1;
  }

  drawHovered(context) {
    for (const point of [this.view.selected, this.view.hovered]) {
      if (point?.what !== "point" || point.at < this.view.section.start || point.at > this.view.section.end) continue;
      context.strokeStyle = colours.focus;
      context.lineWidth = 2;
      context.beginPath();
      context.arc(this.x(point.at), this.y(point.value), 7, 0, 2 * Math.PI);
      context.stroke();
      context.lineWidth = 1;
    }
  }

  /** Without points: how much is said when. */
  drawTraffic(context, width) {
    const { section, rows } = this.view;
    const columns = new Float64Array(Math.max(1, Math.floor((width - GUTTER - EDGE) / 3)));
    for (const row of rowsWithin(rows.events, section.start, section.end)) {
      const column = Math.floor((this.x(row.at) - GUTTER) / 3);
      if (column >= 0 && column < columns.length) columns[column]++;
    }
    const most = Math.max(1, ...columns);
    context.fillStyle = colours.call;
    columns.forEach((many, i) => {
      const tall = (many / most) * (this.bottom - 8);
      context.fillRect(GUTTER + i * 3, this.bottom - tall, 2, tall);
    });
    context.fillStyle = colours.muted;
    context.textAlign = "right";
    context.fillText("events", GUTTER - 8, this.bottom / 2);
  }

  drawTime(context, width) {
    const { section } = this.view;
    context.strokeStyle = colours.line;
    context.beginPath();
    context.moveTo(GUTTER, this.bottom + 0.5);
    context.lineTo(width - EDGE, this.bottom + 0.5);
    context.stroke();
    context.textAlign = "center";
    context.fillStyle = colours.muted;
    const { values, step } = ticks(0, section.end - section.start, (width - GUTTER) / 110);
    for (const time of values) {
      context.fillText(moment(time, step), this.x(section.start + time), this.bottom + 12);
    }
  }

  drawFrame(context) {
    const left = this.x(this.view.from), right = Math.max(this.x(this.view.to), left + 2);
    if (this.view.span < this.view.section.end - this.view.section.start) {
      context.fillStyle = colours.frame;
      context.fillRect(left, 2, right - left, this.bottom - 2);
    }
    context.fillStyle = colours.focus;
    for (const edge of [left, right]) {
      context.fillRect(Math.round(edge) - 0.5, 2, 1, this.bottom - 2);
      context.fillRect(edge - 2, this.bottom / 2 - 9, 4, 18);
    }
  }

  press(event) {
    const at = event.offsetX, left = this.x(this.view.from), right = this.x(this.view.to);
    const part = Math.abs(at - left) < 6 ? "left" : Math.abs(at - right) < 6 ? "right" : "whole";
    const time = this.x.back(at);
    if (part === "whole" && (at < left || at > right)) {
      this.view.show(time - this.view.span / 2, time + this.view.span / 2);
    }
    this.drag = { part, grip: time - this.view.from };
    this.canvas.setPointerCapture(event.pointerId);
    const point = this.nearest(event);
    if (point) this.view.select(point);
  }

  move(event) {
    const time = this.x.back(event.offsetX);
    if (!this.drag) {
      const edges = [this.x(this.view.from), this.x(this.view.to)];
      const onEdge = edges.some((edge) => Math.abs(event.offsetX - edge) < 6);
      this.canvas.style.cursor = onEdge ? "ew-resize" : "pointer";
      this.view.hover(this.nearest(event));
    } else if (this.drag.part === "left") this.view.show(Math.min(time, this.view.to - SHORTEST), this.view.to);
    else if (this.drag.part === "right") this.view.show(this.view.from, Math.max(time, this.view.from + SHORTEST));
    else this.view.show(time - this.drag.grip, time - this.drag.grip + this.view.span);
  }

  wheel(event) {
    event.preventDefault();
    this.view.zoom(Math.exp(Math.sign(event.deltaY) * 0.2));
  }

  nearest({ offsetX, offsetY }) {
    let best = null, least = 9;
    for (const point of rowsWithin(this.points, this.x.back(offsetX - 9), this.x.back(offsetX + 9))) {
      const distance = Math.hypot(this.x(point.at) - offsetX, this.y(point.value) - offsetY);
      if (distance < least) [best, least] = [point, distance];
    }
    return best;
  }

  legend() {
    const keys = [], seen = new Set();
    for (const point of this.points) {
      if (seen.has(point.series)) continue;
      seen.add(point.series);
      keys.push({ name: point.series, look: point.look, draw: (context) => drawPointKey(context, point.look) });
    }
    const order = ["line", "dot", "up", "down", "faint"];
    keys.sort((a, b) => order.indexOf(a.look) - order.indexOf(b.look) || a.name.localeCompare(b.name));
    const named = this.sections.find((section) => section.reference);
    return named ? [...keys, { name: named.referenceName, draw: drawReferenceKey }] : keys;
  }
}

function drawPointKey(context, look) {
  context.fillStyle = context.strokeStyle = colours[LOOKS[look].colour];
  if (look === "line") { context.fillRect(0, 5.5, 18, 1.2); }
  drawPoint(context, look, 9, 6);
}

function drawReferenceKey(context) {
  context.fillStyle = colours.reference;
  context.globalAlpha = 0.25;
  context.fillRect(0, 1, 18, 10);
  context.globalAlpha = 1;
  context.fillRect(0, 5.5, 7, 1.2);
  context.fillRect(11, 5.5, 7, 1.2);
}
