// The lower chart: one lane for each actor, messages as arrows between them, calls as bars on them.

const ARROWS = 1600; // more messages than this in view are drawn as activity, not one by one

class SequenceChart {
  constructor({ canvas, axis, scroller, spacer }, view) {
    Object.assign(this, { canvas, axis, scroller, spacer, view });
    this.drag = null;
    canvas.addEventListener("pointerdown", (event) => this.press(event));
    canvas.addEventListener("pointermove", (event) => this.move(event));
    canvas.addEventListener("pointerup", (event) => this.release(event));
    canvas.addEventListener("pointerleave", () => view.hover(null));
    canvas.addEventListener("dblclick", () => view.fit());
    canvas.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    scroller.addEventListener("scroll", () => view.changed());
  }

  draw() {
    const width = this.scroller.clientWidth, height = this.scroller.clientHeight;
    const { recording, from, to } = this.view;
    const many = Math.max(1, recording.lanes.length);
    this.tall = Math.min(44, Math.max(20, height / many));
    this.spacer.style.height = `${Math.max(height, many * this.tall)}px`;
    this.canvas.style.height = `${height}px`;
    const context = prepare(this.canvas, width, height);
    this.x = scale(from, to, GUTTER, width - EDGE);
    const top = this.scroller.scrollTop; // read once: asking the page for it is slow
    this.y = (lane) => (lane + 0.5) * this.tall - top;
    if (width && height) context.drawImage(this.background(width, height), 0, 0, width, height);
    if (recording.lanes[this.lane] !== undefined) this.drawLaneName(context, this.lane, colours.focus);
    clipped(context, width, height, () => this.drawChosen(context));
    return { messages: this.crowded ? 0 : this.messages.length, calls: this.calls.length };
  }

  /** Everything but what is chosen or pointed at, painted once for a window and a size. */
  background(width, height) {
    const { from, to, rows, index } = this.view;
    const key = [index, from, to, width, height, this.scroller.scrollTop, devicePixelRatio, colours.ink].join();
    if (this.painted?.key === key) return this.painted.canvas;
    const canvas = document.createElement("canvas");
    const context = prepare(canvas, width, height);
    this.messages = rowsTouching(rows.messages, from, to);
    this.calls = rowsTouching(rows.calls, from, to);
    this.crowded = this.messages.length > ARROWS;
    this.drawLanes(context, width, height);
    clipped(context, width, height, () => {
      this.drawHandlers(context);
      this.drawCalls(context);
      if (this.crowded) this.drawNote(context, width, height);
      else this.drawArrows(context);
    });
    this.drawAxis();
    this.painted = { key, canvas };
    return canvas;
  }

  drawLanes(context, width, height) {
    this.view.recording.lanes.forEach((name, lane) => {
      const y = this.y(lane);
      if (y < -this.tall || y > height + this.tall) return;
      context.strokeStyle = colours.grid;
      context.beginPath();
      context.moveTo(GUTTER, Math.round(y) + 0.5);
      context.lineTo(width - EDGE, Math.round(y) + 0.5);
      context.stroke();
      this.drawLaneName(context, lane, colours.ink);
    });
  }

  drawLaneName(context, lane, colour) {
    context.font = FONT.replace("11px", `${Math.min(11, this.tall * 0.55)}px`);
    context.textAlign = "right";
    context.fillStyle = colour;
    context.fillText(shortened(context, this.view.recording.lanes[lane], GUTTER - 18), GUTTER - 8, this.y(lane));
    context.font = FONT;
  }

  /** The stretches in which an actor handles a message. */
  drawHandlers(context) {
    const half = Math.min(8, this.tall * 0.3);
    context.fillStyle = colours.handler;
    this.bars(this.messages, (row) => row.to, (row, left, right, y) => {
      context.fillRect(left, y - half, right - left, 2 * half);
    });
  }

  drawCalls(context) {
    const half = Math.min(5, this.tall * 0.19);
    this.bars(this.calls, (row) => row.lane, (row, left, right, y) => {
      const tool = row.kind === "execute_tool";
      context.fillStyle = failed(row) ? colours.error : tool ? colours.tool : colours.call;
      context.fillRect(left, y - half, right - left, 2 * half);
      if (right - left > 60) this.drawCallName(context, row, left, right, y, tool);
    });
  }

  drawCallName(context, row, left, right, y, tool) {
    if (this.tall < 22) return;
    context.font = FONT.replace("11px", "9px");
    context.fillStyle = tool ? "#1b2129" : "#ffffff";
    context.textAlign = "left";
    context.fillText(shortened(context, `${row.name} ${duration(row.end - row.at)}`, right - left - 8), left + 4, y + 0.5);
    context.font = FONT;
  }

  /** Draw bars of at least a pixel; of those that fall on the same pixels of a lane only the first. */
  bars(rows, laneOf, draw) {
    const ends = new Float64Array(this.view.recording.lanes.length).fill(-1);
    for (const row of rows) {
      const lane = laneOf(row);
      if (lane === undefined) continue;
      const left = Math.max(this.x(row.start), GUTTER - 2), right = Math.max(this.x(row.end), left + 1.5);
      if (right <= ends[lane] + 0.5 && !failed(row)) continue;
      if (right - left < 4) ends[lane] = right;
      draw(row, left, Math.min(right, this.canvas.clientWidth), this.y(lane));
    }
  }

  drawArrows(context) {
    context.globalAlpha = this.messages.length > 400 ? 0.45 : 0.85;
    for (const message of this.messages) {
      this.drawArrow(context, message, colours[failed(message) ? "error" : message.kind === "ask" ? "ask" : "tell"]);
    }
    context.globalAlpha = 1;
    if (this.messages.length < 90) this.drawNames(context);
  }

  drawArrow(context, message, colour) {
    const { from, to } = message;
    if (from === undefined || to === undefined) return;
    context.strokeStyle = context.fillStyle = colour;
    if (message.kind !== "ask") context.setLineDash([4, 3]);
    this.line(context, this.x(message.at), from, this.x(message.start), to, 5);
    context.setLineDash([]);
    if (message.kind !== "ask") return;
    context.save();
    context.globalAlpha *= 0.55;
    this.line(context, this.x(message.end), to, this.x(message.end), from, 3.5);
    context.restore();
  }

  line(context, left, from, right, to, head) {
    if (Math.max(left, right) < GUTTER - 40 || Math.min(left, right) > this.canvas.clientWidth + 40) return;
    const top = this.y(from), bottom = this.y(to), gap = to > from ? -4 : to < from ? 4 : 0;
    context.beginPath();
    context.moveTo(left, top);
    context.lineTo(right, bottom + gap);
    context.stroke();
    drawArrowHead(context, right, bottom + gap, Math.atan2(bottom + gap - top, right - left), head);
  }

  /** Name the messages where there is room beside their arrows; of a fan-out only the first. */
  drawNames(context) {
    const taken = new Map();
    context.textAlign = "left";
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.strokeStyle = colours.panel;
    context.fillStyle = colours.muted;
    let last = null;
    for (const message of [...this.messages].sort((a, b) => a.at - b.at)) {
      if (message.to === undefined || message.from === undefined) continue;
      const repeated = last?.type === message.type && last.from === message.from && this.x(message.at) - this.x(last.at) < 20;
      last = message;
      const x = this.x(message.start) + 6, row = Math.round(this.y(message.to) - this.tall * 0.42);
      if (repeated || x < (taken.get(row) ?? GUTTER)) continue;
      taken.set(row, x + context.measureText(message.type).width + 6);
      context.strokeText(message.type, x, row);
      context.fillText(message.type, x, row);
    }
    context.lineWidth = 1;
  }

  drawNote(context, width, height) {
    const text = `${count(this.messages.length)} messages in view: zoom in to see each`;
    const wide = context.measureText(text).width + 24, x = (GUTTER + width) / 2;
    context.fillStyle = colours.ink;
    context.globalAlpha = 0.85;
    context.fillRect(x - wide / 2, height - 32, wide, 22);
    context.globalAlpha = 1;
    context.fillStyle = colours.panel;
    context.textAlign = "center";
    context.fillText(text, x, height - 20.5);
  }

  drawChosen(context) {
    for (const row of [this.view.selected, this.view.hovered]) {
      if (!row || row.end < this.view.from || row.at > this.view.to) continue;
      context.lineWidth = 2;
      if (row.what === "message") this.drawArrow(context, row, colours.focus);
      else if (row.what === "call") this.drawOutline(context, row);
      else this.drawMoment(context, row);
      context.lineWidth = 1;
    }
  }

  drawOutline(context, row) {
    const left = this.x(row.start), half = Math.min(8, this.tall * 0.3);
    context.strokeStyle = colours.focus;
    context.strokeRect(left - 1, this.y(row.lane) - half, Math.max(3, this.x(row.end) - left + 2), 2 * half);
  }

  drawMoment(context, row) {
    context.strokeStyle = colours.focus;
    context.setLineDash([2, 3]);
    context.beginPath();
    context.moveTo(this.x(row.at), 0);
    context.lineTo(this.x(row.at), this.canvas.clientHeight);
    context.stroke();
    context.setLineDash([]);
  }

  drawAxis() {
    const { width, height } = this.axis.getBoundingClientRect();
    const context = prepare(this.axis, width, height);
    const start = this.view.section.start;
    const { values, step } = ticks(this.view.from - start, this.view.to - start, (width - GUTTER) / 110);
    context.strokeStyle = colours.line;
    context.fillStyle = colours.muted;
    context.textAlign = "center";
    for (const value of values) {
      const x = Math.round(this.x(start + value)) + 0.5;
      context.fillText(moment(value, step), x, 9);
      context.beginPath();
      context.moveTo(x, 17);
      context.lineTo(x, height);
      context.stroke();
    }
  }

  press(event) {
    this.drag = { x: event.offsetX, from: this.view.from, to: this.view.to, moved: false };
    this.canvas.setPointerCapture(event.pointerId);
  }

  move(event) {
    if (!this.drag) {
      this.lane = Math.floor((event.offsetY + this.scroller.scrollTop) / this.tall);
      this.view.hover(this.nearest(event));
      return;
    }
    const by = event.offsetX - this.drag.x;
    if (!this.drag.moved && Math.abs(by) < 4) return;
    this.drag.moved = true;
    this.canvas.classList.add("dragging");
    const width = this.canvas.clientWidth - GUTTER - EDGE;
    const shift = -(by / width) * (this.drag.to - this.drag.from);
    this.view.show(this.drag.from + shift, this.drag.to + shift);
  }

  release(event) {
    if (this.drag && !this.drag.moved) this.view.select(this.nearest(event));
    this.drag = null;
    this.canvas.classList.remove("dragging");
  }

  wheel(event) {
    if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.view.pan(((event.deltaX || event.deltaY) / this.canvas.clientWidth) * this.view.span);
    } else if (event.ctrlKey || this.spacer.clientHeight <= this.scroller.clientHeight) {
      event.preventDefault();
      this.view.zoom(Math.exp(Math.sign(event.deltaY) * 0.2), this.x.back(event.offsetX));
    }
  }

  /** The call under the pointer, or the arrow that passes closest by. */
  nearest({ offsetX, offsetY }) {
    if (offsetX < GUTTER) return null;
    const call = this.calls.filter((row) => this.within(row, row.lane, offsetX, offsetY, 0.24)).at(-1);
    if (call) return call;
    let best = null, least = 6;
    for (const message of this.crowded ? [] : this.messages) {
      const distance = Math.min(...this.strokes(message).map((stroke) => fromLine(offsetX, offsetY, stroke)));
      if (distance < least) [best, least] = [message, distance];
    }
    return best ?? this.messages.filter((row) => this.within(row, row.to, offsetX, offsetY, 0.34)).at(-1) ?? null;
  }

  within(row, lane, x, y, part) {
    return Math.abs(this.y(lane) - y) < this.tall * part && x >= this.x(row.start) - 2 && x <= this.x(row.end) + 2;
  }

  strokes({ at, start, end, from, to, kind }) {
    if (from === undefined || to === undefined) return [];
    const go = [this.x(at), this.y(from), this.x(start), this.y(to)];
    return kind === "ask" ? [go, [this.x(end), this.y(to), this.x(end), this.y(from)]] : [go];
  }
}

/** Draw right of the names only. */
function clipped(context, width, height, draw) {
  context.save();
  context.beginPath();
  context.rect(GUTTER, 0, width - GUTTER, height);
  context.clip();
  draw();
  context.restore();
}

function fromLine(x, y, [left, top, right, bottom]) {
  const dx = right - left, dy = bottom - top;
  const along = Math.max(0, Math.min(1, ((x - left) * dx + (y - top) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(left + along * dx - x, top + along * dy - y);
}

function shortened(context, text, width) {
  if (context.measureText(text).width <= width) return text;
  let short = text;
  while (short && context.measureText(`${short}…`).width > width) short = short.slice(0, -1);
  return short ? `${short}…` : "";
}

const SEQUENCE_KEYS = [
  { name: "ask", draw: (context) => drawArrowKey(context, "ask", []) },
  { name: "tell", draw: (context) => drawArrowKey(context, "tell", [4, 3]) },
  { name: "handling", draw: (context) => drawBarKey(context, "handler", 10) },
  { name: "model call", draw: (context) => drawBarKey(context, "call", 7) },
  { name: "tool call", draw: (context) => drawBarKey(context, "tool", 7) },
  { name: "failed", draw: (context) => drawBarKey(context, "error", 7) },
];

function drawArrowKey(context, colour, dash) {
  context.strokeStyle = context.fillStyle = colours[colour];
  context.setLineDash(dash);
  context.beginPath();
  context.moveTo(0, 6);
  context.lineTo(13, 6);
  context.stroke();
  drawArrowHead(context, 18, 6, 0);
}

function drawBarKey(context, colour, tall) {
  context.fillStyle = colours[colour];
  context.fillRect(0, 6 - tall / 2, 18, tall);
}
