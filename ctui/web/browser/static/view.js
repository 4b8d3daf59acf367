// Draws a terminal's cells as text: it can be selected, found, zoomed and read aloud.

const CAPITALS = "M".repeat(64);

// What every font has in the width of a cell. All else gets a box of exactly that width.
const ORDINARY = /^[\x20-\x7e\u00a0-\u024f\u0370-\u03ff\u0400-\u045f]$/;

// Block elements, drawn instead of written: fonts leave gaps between them. Each is a list of
// [left, top, width, height] in eighths of a cell, or how much of the cell is inked.
const LOWER = [..."▁▂▃▄▅▆▇█"].map((block, at) => [block, [[0, 7 - at, 8, at + 1]]]);
const LEFT = [..."▏▎▍▌▋▊▉"].map((block, at) => [block, [[0, 0, at + 1, 8]]]);
const [TL, TR, BL, BR] = [[0, 0, 4, 4], [4, 0, 4, 4], [0, 4, 4, 4], [4, 4, 4, 4]];
const BLOCKS = new Map([
  ...LOWER, ...LEFT,
  ["▀", [[0, 0, 8, 4]]], ["▐", [[4, 0, 4, 8]]], ["▔", [[0, 0, 8, 1]]], ["▕", [[7, 0, 1, 8]]],
  ["▖", [BL]], ["▗", [BR]], ["▘", [TL]], ["▝", [TR]], ["▙", [TL, BL, BR]], ["▚", [TL, BR]],
  ["▛", [TL, TR, BL]], ["▜", [TL, TR, BR]], ["▞", [TR, BL]], ["▟", [TR, BL, BR]],
]);

export class View {
  constructor(screen, rows, cursor) {
    this.element = screen;
    this.rows = rows;
    this.cursor = cursor;
    this.wanted = false;
    this.measure();
  }

  // The size of a cell, in whole pixels of the display: colours of neighbours must touch.
  measure() {
    const probe = document.createElement("span");
    probe.textContent = CAPITALS;
    probe.style.whiteSpace = "pre";
    probe.style.position = "absolute";
    this.element.append(probe);
    const { width, height } = probe.getBoundingClientRect();
    probe.remove();
    const ratio = window.devicePixelRatio || 1;
    const natural = width / CAPITALS.length;
    this.cell = Math.max(1, Math.round(natural * ratio)) / ratio;
    // Not more than the font's own height, which is what the lines of boxes fill.
    this.row = Math.max(1, Math.floor(height * ratio)) / ratio;
    this.element.style.setProperty("--cell", `${this.cell}px`);
    this.element.style.setProperty("--row", `${this.row}px`);
    this.element.style.setProperty("--spacing", `${this.cell - natural}px`);
  }

  size() {
    const columns = Math.floor(this.element.clientWidth / this.cell);
    const rows = Math.floor(this.element.clientHeight / this.row);
    return { columns: clamp(columns, 2, 1000), rows: clamp(rows, 1, 500) };
  }

  // The cell below a pointer.
  at(event, terminal) {
    const box = this.element.getBoundingClientRect();
    const column = Math.floor((event.clientX - box.left) / this.cell);
    const row = Math.floor((event.clientY - box.top) / this.row);
    return { column: clamp(column, 0, terminal.columns - 1), row: clamp(row, 0, terminal.height - 1) };
  }

  // Draws at the next frame what has changed by then; nothing while the program is in the midst.
  want(terminal) {
    if (this.wanted) return;
    this.wanted = true;
    const since = performance.now();
    const draw = () => {
      if (terminal.modes.has(2026) && performance.now() - since < 150) {
        requestAnimationFrame(draw);
      } else {
        this.wanted = false;
        this.draw(terminal);
      }
    };
    requestAnimationFrame(draw);
  }

  draw(terminal) {
    const { rows } = terminal.screen;
    while (this.rows.children.length > rows.length) this.rows.lastChild.remove();
    while (this.rows.children.length < rows.length) {
      const row = document.createElement("div");
      row.className = "row";
      this.rows.append(row);
    }
    rows.forEach((row, at) => {
      if (!row.dirty) return;
      row.dirty = false;
      this.rows.children[at].replaceChildren(...this.runs(row));
    });
    // What is left beside the last cell looks like it.
    this.element.style.backgroundColor = rows.at(-1).styles.at(-1).bg;
    const x = Math.min(terminal.x, terminal.columns - 1);
    this.cursor.hidden = !terminal.modes.has(25);
    this.cursor.style.transform = `translate(${x * this.cell}px, ${terminal.y * this.row}px)`;
  }

  *runs({ texts, styles }) {
    let at = 0;
    while (at < texts.length) {
      const style = styles[at];
      const from = at;
      if (!ORDINARY.test(texts[at])) {
        const text = texts[at++];
        // The same again (a border, a bar) is one box, if it is drawn and not written.
        const width = texts[at] === "" ? 2 : 1;
        if (BLOCKS.has(text)) while (texts[at] === text && styles[at] === style) at++;
        else at = from + width;
        yield this.special(text, at - from, style);
      } else {
        while (at < texts.length && styles[at] === style && ORDINARY.test(texts[at])) at++;
        yield this.run(texts.slice(from, at).join(""), at - from, style);
      }
    }
  }

  run(text, cells, style) {
    const span = document.createElement("span");
    span.textContent = text;
    span.style.width = `${cells * this.cell}px`;
    paint(span.style, style);
    return span;
  }

  special(text, cells, style) {
    const boxes = BLOCKS.get(text);
    const span = this.run(boxes ? text.repeat(cells) : text, cells, style);
    span.className = "fixed";
    if (!boxes) return span;
    const ink = span.style.color || "currentColor";
    span.style.backgroundImage = boxes.map(() => `linear-gradient(${ink},${ink})`).join(",");
    span.style.backgroundSize = boxes.map(([, , w, h]) => `${this.x(w)}px ${this.y(h)}px`).join(",");
    span.style.backgroundPosition = boxes.map(([l, t, w, h]) =>
      `${l + w === 8 && l ? this.cell - this.x(w) : this.x(l)}px ` +
      `${t + h === 8 && t ? this.row - this.y(h) : this.y(t)}px`).join(",");
    const across = cells > 1 && boxes[0][2] === 8;
    span.style.backgroundRepeat = across ? "repeat-x" : "no-repeat";
    if (cells > 1 && !across) return this.each(text, cells, style);
    span.style.color = "transparent";
    return span;
  }

  // Boxes that do not fill a cell's width are drawn one by one.
  each(text, cells, style) {
    const group = document.createElement("span");
    group.append(...Array.from({ length: cells }, () => this.special(text, 1, style)));
    return group;
  }

  x(eighths) {
    return this.pixels((eighths * this.cell) / 8);
  }

  y(eighths) {
    return this.pixels((eighths * this.row) / 8);
  }

  pixels(length) {
    const ratio = window.devicePixelRatio || 1;
    return length && Math.max(1, Math.round(length * ratio)) / ratio;
  }
}

function paint(css, style) {
  const [fg, bg] = [style.fg || "var(--text)", style.bg];
  css.color = style.inverse ? bg || "#000" : fg;
  if (bg || style.inverse) css.backgroundColor = style.inverse ? fg : bg;
  if (style.hidden) css.color = "transparent";
  if (style.dim) css.opacity = "0.6";
  if (style.bold) css.fontWeight = "bold";
  if (style.italic) css.fontStyle = "italic";
  const lines = ["underline", "overline"].filter((line) => style[line]);
  if (style.strike) lines.push("line-through");
  if (lines.length) css.textDecoration = lines.join(" ");
}

function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}
