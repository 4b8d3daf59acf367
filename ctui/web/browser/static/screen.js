// The cells of a screen, and what can be done to them. Rows and columns count from 0.

import { PLAIN } from "./style.js";

// Texts of the cells of a row; "" is the second half of a wide character before it.
class Row {
  constructor(columns, style) {
    this.texts = Array(columns).fill(" ");
    this.styles = Array(columns).fill(style);
    this.dirty = true;
  }

  put(x, text, width, style) {
    this.release(x);
    if (width === 2) {
      this.release(x + 1);
      this.texts[x + 1] = "";
      this.styles[x + 1] = style;
    }
    this.texts[x] = text;
    this.styles[x] = style;
    this.dirty = true;
  }

  // Half a wide character is none: what is left of it becomes a space.
  release(x) {
    if (this.texts[x] === "" && x > 0) this.texts[x - 1] = " ";
    if (this.texts[x + 1] === "") this.texts[x + 1] = " ";
  }

  fill(from, to, style) {
    if (from >= to) return;
    this.release(from);
    this.release(to - 1);
    this.texts.fill(" ", from, to);
    this.styles.fill(style, from, to);
    this.dirty = true;
  }

  // Moves what is at `x` and behind it by `by` cells; what falls off the end is gone.
  shift(x, by, style) {
    const columns = this.texts.length;
    const count = Math.min(Math.abs(by), columns - x);
    this.release(x);
    for (const [cells, blank] of [[this.texts, " "], [this.styles, style]]) {
      const blanks = Array(count).fill(blank);
      if (by > 0) {
        cells.splice(x, 0, ...blanks);
        cells.length = columns;
      } else {
        cells.splice(x, count);
        cells.push(...blanks);
      }
    }
    if (this.texts[x] === "") this.texts[x] = " ";
    this.dirty = true;
  }

  resize(columns) {
    while (this.texts.length < columns) {
      this.texts.push(" ");
      this.styles.push(PLAIN);
    }
    if (this.texts[columns] === "") this.texts[columns - 1] = " ";
    this.texts.length = this.styles.length = columns;
    this.dirty = true;
  }
}

export class Screen {
  constructor(columns, rows) {
    this.columns = columns;
    this.rows = Array.from({ length: rows }, () => new Row(columns, PLAIN));
  }

  get height() {
    return this.rows.length;
  }

  clear(style) {
    for (const row of this.rows) row.fill(0, this.columns, style);
  }

  // Moves rows `top` to `bottom` up by `by` (down if it is negative); blank ones come after them.
  scroll(top, bottom, by, style) {
    const count = Math.min(Math.abs(by), bottom - top + 1);
    const blanks = Array.from({ length: count }, () => new Row(this.columns, style));
    if (by > 0) {
      this.rows.splice(top, count);
      this.rows.splice(bottom - count + 1, 0, ...blanks);
    } else {
      this.rows.splice(bottom - count + 1, count);
      this.rows.splice(top, 0, ...blanks);
    }
    for (let y = top; y <= bottom; y++) this.rows[y].dirty = true;
  }

  // `keep` is a row that stays in sight: what does not fit goes at the top, then at the end.
  resize(columns, rows, keep) {
    const gone = Math.max(0, Math.min(this.height - rows, keep - rows + 1));
    this.rows.splice(0, gone);
    this.rows.length = Math.min(this.height, rows);
    for (const row of this.rows) row.resize(columns);
    while (this.height < rows) this.rows.push(new Row(columns, PLAIN));
    this.columns = columns;
    return gone;
  }

  text() {
    return this.rows.map((row) => row.texts.join("")).join("\n");
  }
}
