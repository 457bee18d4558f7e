// What is being looked at: a section of the run, a window of time in it, and one chosen event.

const SHORTEST = 5; // microseconds that a window shows at least

class View {
  constructor(recording) {
    this.recording = recording;
    this.watchers = [];
    this.hovered = null;
    this.selected = null;
    this.choose(recording.sections.length ? 0 : -1);
  }

  /** Call the function after every change. */
  watch(watcher) { this.watchers.push(watcher); }

  changed() { for (const watcher of this.watchers) watcher(); }

  /** Look at one section, or at the whole run (-1). */
  choose(index) {
    const { sections, end } = this.recording;
    this.index = index;
    this.section = sections[index] ?? { name: "Whole run", group: "", axis: sections[0]?.axis ?? "", figures: [],
      reference: null, start: 0, end };
    this.rows = index < 0 ? this.recording.rows : rowsOfSection(this.recording, index);
    this.from = this.section.start;
    this.to = Math.max(this.section.end, this.from + SHORTEST);
    this.selected = null;
    const near = rowsWithin(this.rows.messages, this.from, this.to);
    const enough = near[Math.min(near.length - 1, 72)];
    if (near.length > 120) this.to = Math.min(this.to, enough.at);
    this.changed();
  }

  get span() { return this.to - this.from; }

  /** Show a window, kept inside the section and not shorter than can be told apart. */
  show(from, to) {
    const { start, end } = this.section;
    const whole = Math.max(end - start, SHORTEST);
    const span = Math.min(whole, Math.max(SHORTEST, to - from));
    this.from = Math.min(Math.max(from, start), start + whole - span);
    this.to = this.from + span;
    this.changed();
  }

  fit() { this.show(this.section.start, this.section.end); }

  /** Zoom by a factor (below 1: closer) around a time. */
  zoom(factor, around = (this.from + this.to) / 2) {
    this.show(around - (around - this.from) * factor, around + (this.to - around) * factor);
  }

  pan(by) { this.show(this.from + by, this.to + by); }

  hover(event) {
    if (this.hovered === event) return;
    this.hovered = event;
    this.changed();
  }

  /** Choose an event, and bring it into view. */
  select(event) {
    this.selected = event;
    if (event && (event.at > this.to || event.end < this.from)) {
      this.show(event.at - this.span / 2, event.at + this.span / 2);
    } else this.changed();
  }

  /** Choose the next event of the section, or the one before. */
  step(by) {
    const { events } = this.rows;
    const here = this.selected ? events.indexOf(this.selected) : firstAt(events, this.from) - (by > 0 ? 1 : 0);
    const next = events[here + by];
    if (next && next.at >= this.section.start && next.at <= this.section.end) this.select(next);
  }
}
