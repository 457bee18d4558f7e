// Canvas and number craft that the charts share.

/** The page's colours, by the names that they have in the style sheet. */
function readColours() {
  const style = getComputedStyle(document.documentElement);
  return new Proxy({}, { get: (_, name) => style.getPropertyValue(`--${String(name)}`).trim() });
}

let colours = readColours();
const FONT = '11px system-ui, -apple-system, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif';

/** Fit a canvas to a size on the screen, clear it, and return its context in screen pixels. */
function prepare(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const pixelWidth = Math.round(width * ratio), pixelHeight = Math.round(height * ratio);
  if (canvas.width !== pixelWidth || canvas.height !== pixelHeight) {
    canvas.width = pixelWidth;
    canvas.height = pixelHeight;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = FONT;
  context.textBaseline = "middle";
  return context;
}

function scale(from, to, low, high) {
  const factor = (high - low) / (to - from || 1);
  const forth = (value) => low + (value - from) * factor;
  forth.back = (pixel) => from + (pixel - low) / factor;
  return forth;
}

/** Round values that divide a range into about so many parts. */
function ticks(from, to, count) {
  const raw = (to - from) / Math.max(1, count) || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].find((nice) => nice * power >= raw) * power;
  const out = [];
  for (let i = Math.ceil(from / step - 1e-9); i * step <= to + step * 1e-9; i++) out.push(i * step);
  return { values: out, step };
}

/** A duration in words, from microseconds. */
function duration(micro) {
  if (micro < 1000) return `${Math.round(micro)} µs`;
  if (micro < 1e6) return `${digits(micro / 1000)} ms`;
  return `${digits(micro / 1e6)} s`;
}

/** A moment as an axis writes it: in one unit, with as many decimals as the step needs. */
function moment(micro, step) {
  const [unit, name] = step >= 1e6 || micro >= 1e7 ? [1e6, "s"] : step >= 1 ? [1e3, "ms"] : [1, "µs"];
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step / unit) + 1e-9)));
  return `${(micro / unit).toFixed(decimals)} ${name}`;
}

function digits(value) {
  return value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2);
}

function count(value) { return Number(value).toLocaleString("en-US"); }

const LOOKS = {
  up: { colour: "up", size: 4 }, down: { colour: "down", size: 4 }, line: { colour: "mark", size: 3.6 },
  dot: { colour: "dot", size: 3.2 }, faint: { colour: "faint", size: 1.4 },
};

/** One point of a series. */
function drawPoint(context, look, x, y, size = (LOOKS[look] ?? LOOKS.dot).size) {
  context.beginPath();
  if (look === "up" || look === "down") {
    const tip = look === "up" ? -size : size;
    context.moveTo(x, y + tip);
    context.lineTo(x + size, y - tip * 0.75);
    context.lineTo(x - size, y - tip * 0.75);
    context.closePath();
  } else context.arc(x, y, size, 0, 2 * Math.PI);
  context.fill();
}

function drawArrowHead(context, x, y, angle, size = 5) {
  context.beginPath();
  context.moveTo(x, y);
  context.lineTo(x - size * Math.cos(angle - 0.45), y - size * Math.sin(angle - 0.45));
  context.lineTo(x - size * Math.cos(angle + 0.45), y - size * Math.sin(angle + 0.45));
  context.closePath();
  context.fill();
}

/** Draw the keys of a legend: what each is called, and how to draw it on a canvas of 18 by 12. */
function drawLegend(list, keys) {
  list.replaceChildren(...keys.map(({ name, draw }) => {
    const item = document.createElement("li");
    const canvas = document.createElement("canvas");
    const context = prepare(canvas, 18, 12);
    draw(context);
    item.append(canvas, name);
    return item;
  }));
}
