// Draws a terminal's cells as text: it can be selected, found, zoomed and read aloud.

const CAPITALS = "M".repeat(64);

// What every font has in the width of a cell. All else gets a box of exactly that width.
const ORDINARY = /^[\x20-\x7e\u00a0-\u024f\u0370-\u03ff\u0400-\u045f]$/;

// Drawn instead of written, as fonts leave gaps between them. Blocks are rectangles, as [left, top,
// width, height] in eighths of a cell.
const LOWER = [..."▁▂▃▄▅▆▇█"].map((block, at) => [block, [[0, 7 - at, 8, at + 1]]]);
const LEFT = [..."▏▎▍▌▋▊▉"].map((block, at) => [block, [[0, 0, at + 1, 8]]]);
const [TL, TR, BL, BR] = [[0, 0, 4, 4], [4, 0, 4, 4], [0, 4, 4, 4], [4, 4, 4, 4]];
const BLOCKS = new Map([
  ...LOWER, ...LEFT,
  ["▀", [[0, 0, 8, 4]]], ["▐", [[4, 0, 4, 8]]], ["▔", [[0, 0, 8, 1]]], ["▕", [[7, 0, 1, 8]]],
  ["▖", [BL]], ["▗", [BR]], ["▘", [TL]], ["▝", [TR]], ["▙", [TL, BL, BR]], ["▚", [TL, BR]],
  ["▛", [TL, TR, BL]], ["▜", [TL, TR, BR]], ["▞", [TR, BL]], ["▟", [TR, BL, BR]],
]);

// Lines go from the middle up, right, down and left: 1 is a light one, 2 a heavy one.
const LINES = new Map(
  ("─0101 ━0202 │1010 ┃2020 ┌0110 ┐0011 └1100 ┘1001 ├1110 ┤1011 ┬0111 ┴1101 ┼1111 ┏0220 ┓0022 " +
    "┗2200 ┛2002 ┣2220 ┫2022 ┳0222 ┻2202 ╋2222 ╭0110 ╮0011 ╰1100 ╯1001 ╴0001 ╵1000 ╶0100 ╷0010 " +
    "╸0002 ╹2000 ╺0200 ╻0020").split(" ").map(([line, ...arms]) => [line, arms.map(Number)]),
);

const AGAIN = new Set("─━▀▔" + LOWER.map(([block]) => block).join(""));

export class View {
  constructor(screen, rows, cursor) {
    this.element = screen;
    this.rows = rows;
    this.cursor = cursor;
    this.wanted = false;
    this.measure();
  }

  // The size of a cell, in whole pixels of the display: colours of neighbours must touch.
  // Tells whether it is another one than before, and all has to be drawn anew.
  measure() {
    const before = `${this.cell} ${this.row}`;
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
    this.inks = new Map();
    return before !== `${this.cell} ${this.row}`;
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
        if (texts[at] === "") at++;
        // The same again (a border, a bar) is one box, if it is drawn from edge to edge.
        const across = AGAIN.has(text);
        while (across && texts[at] === text && styles[at] === style) at++;
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
    const ink = this.ink(text);
    const span = this.run(ink ? text.repeat(cells) : text, cells, style);
    span.className = "fixed";
    if (!ink) return span;
    const colour = span.style.color;
    span.style.color = "transparent";
    span.style.backgroundImage = ink.map(() => `linear-gradient(${colour},${colour})`).join(",");
    span.style.backgroundPosition = ink.map(([x, y]) => `${x}px ${y}px`).join(",");
    span.style.backgroundSize = ink.map(([, , width, height]) => `${width}px ${height}px`).join(",");
    span.style.backgroundRepeat = cells > 1 ? "repeat-x" : "no-repeat";
    return span;
  }

  // The rectangles that a character is drawn by, in pixels; null where the font writes it.
  ink(text) {
    if (!this.inks.has(text)) {
      const [blocks, arms] = [BLOCKS.get(text), LINES.get(text)];
      const ink = blocks ? blocks.map((block) => this.block(block)) : arms ? this.line(arms) : null;
      this.inks.set(text, ink);
    }
    return this.inks.get(text);
  }

  block([left, top, width, height]) {
    const [w, h] = [this.x(width), this.y(height)];
    // What ends at the edge of the cell begins where it must for that.
    const x = left + width === 8 ? this.cell - w : this.x(left);
    return [x, top + height === 8 ? this.row - h : this.y(top), w, h];
  }

  line([up, right, down, left]) {
    const light = this.x(1);
    const thick = (arm) => arm * light;
    const middle = (length, arm) => this.pixels((length - thick(arm)) / 2);
    const [across, along] = [Math.max(left, right), Math.max(up, down)];
    const [x, y] = [middle(this.cell, along), middle(this.row, across)];
    return [
      up && [x, 0, thick(up), y + thick(across)],
      down && [x, y, thick(down), this.row - y],
      left && [0, y, x + thick(along), thick(left)],
      right && [x, y, this.cell - x, thick(right)],
    ].filter(Boolean);
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
