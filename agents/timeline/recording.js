// Reads the recording that stands in the page: columns of numbers become rows in order of time.

/** Undo the differences between rows: where each row begins, in microseconds since the run began. */
function sums(steps) {
  const out = new Float64Array(steps.length);
  let at = 0;
  for (let i = 0; i < steps.length; i++) out[i] = at += steps[i];
  return out;
}

/** Read the page's data block. Rows of one kind are sorted by the time at which they begin. */
function readRecording(text) {
  const data = JSON.parse(text);
  const { names, messages, calls, points } = data;
  const laneOf = new Map(data.lanes.map((name, lane) => [name, lane]));
  const sent = sums(messages.sent), start = sums(calls.start), at = sums(points.at);
  const recording = {
    lanes: shortNames(data.lanes.map((name) => names[name])),
    sections: data.sections,
    origin: data.origin,
    dropped: data.dropped,
    messages: messages.type.map((type, i) => ({
      what: "message", index: i, section: messages.section[i], type: names[type], kind: names[messages.kind[i]],
      from: laneOf.get(messages.from[i]), to: laneOf.get(messages.to[i]),
      outcome: names[messages.outcome[i]],
      at: sent[i], start: sent[i] + messages.wait[i], end: sent[i] + messages.wait[i] + messages.took[i],
    })),
    calls: calls.name.map((name, i) => ({
      what: "call", index: i, section: calls.section[i], name: names[name], kind: names[calls.kind[i]], lane: laneOf.get(calls.lane[i]),
      error: names[calls.error[i]], input: calls.input[i], output: calls.output[i],
      attempt: calls.attempt[i], at: start[i], start: start[i], end: start[i] + calls.took[i],
    })),
    points: points.value.map((value, i) => ({
      what: "point", index: i, section: points.section[i], series: names[points.series[i]], look: names[points.look[i]],
      note: names[points.note[i]], value, at: at[i], end: at[i],
    })),
  };
  const { sections } = recording;
  const ends = (rows) => rows.reduce((latest, row) => Math.max(latest, row.end), 0);
  recording.end = Math.max(1, ends(sections), ends(recording.messages), ends(recording.calls), ends(recording.points));
  recording.rows = withEvents(recording);
  return recording;
}

/** The rows of one section: what happened on its behalf, and at its time what is nobody's. */
function rowsOfSection({ messages, calls, points, sections }, index) {
  const { start, end } = sections[index];
  const inside = sections.map((_, number) => {
    let outer = number;
    while (outer >= 0 && outer !== index) outer = sections[outer].outer;
    return outer === index;
  });
  const belongs = (row) => (row.section < 0 ? row.at <= end && row.end >= start : inside[row.section]);
  return withEvents({ messages: messages.filter(belongs), calls: calls.filter(belongs), points: points.filter(belongs) });
}

/** Columns of rows, and all of them together in order of time. */
function withEvents({ messages, calls, points }) {
  const events = [...messages, ...calls, ...points].sort((a, b) => a.at - b.at || a.index - b.index);
  for (const column of [messages, calls, points, events]) column.longest = longest(column);
  return { messages, calls, points, events };
}

/** Addresses by their last part, where that is clear. */
function shortNames(addresses) {
  const last = addresses.map((address) => address.split("/").at(-1) || "outside");
  return last.map((name, i) => (last.indexOf(name) === last.lastIndexOf(name) ? name : addresses[i]));
}

/** The longest stretch of any row: how far before a window one has to look for what reaches into it.
    A few very long rows (the handler that runs a whole period) are kept apart, in `long`. */
function longest(rows) {
  const limit = percentile(rows.map((row) => row.end - row.at), 0.995) * 4;
  rows.long = rows.filter((row) => row.end - row.at > limit);
  return limit;
}

function percentile(values, part) {
  if (!values.length) return 0;
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(part * sorted.length))];
}

/** Index of the first row that begins at or after a time. */
function firstAt(rows, time) {
  let low = 0, high = rows.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle].at < time) low = middle + 1; else high = middle;
  }
  return low;
}

/** Rows that begin within a window; both ends included. */
function rowsWithin(rows, from, to) {
  return rows.slice(firstAt(rows, from), firstAt(rows, to + 1e-9));
}

/** Rows of which any part lies within a window, the long ones first. */
function rowsTouching(rows, from, to) {
  const limit = rows.longest;
  const near = rowsWithin(rows, from - limit, to).filter((row) => row.end >= from && row.end - row.at <= limit);
  return [...rows.long.filter((row) => row.at <= to && row.end >= from), ...near];
}

function failed(row) {
  if (row.what === "call") return row.error !== "";
  return row.what === "message" && row.outcome !== "handled";
}
