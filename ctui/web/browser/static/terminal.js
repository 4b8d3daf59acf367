// A terminal without a window: bytes' text goes in, cells and answers come out. It understands
// what Textual and simple full-screen programs write (xterm's control sequences); no more.

import { Clusters } from "./cells.js";
import { Screen } from "./screen.js";
import { PLAIN, styled } from "./style.js";

const PIECE = new RegExp(
  [
    "[^\\x00-\\x1f\\x7f]+", // text
    "\\x1b\\[(?<mark>[<-?]?)(?<numbers>[\\d;:]*)(?<middle>[ -/]*)(?<final>[@-~])",
    "\\x1b\\](?<command>[^\\x07\\x1b]*)(?:\\x07|\\x1b\\\\)",
    "\\x1b[P_^X][^\\x1b]*\\x1b\\\\", // strings that nobody wants
    "\\x1b(?<escape>[ -/]*[0-OQ-WYZ`-~\\\\])",
    "[\\x00-\\x1a\\x1c-\\x1f\\x7f]",
  ].join("|"),
  "y",
);
const BEGUN = /\x1b(?:\[[<-?]?[\d;:]*[ -/]*|[\]P_^X][^\x07\x1b]*\x1b?|[ -/]*)$/y;
const LONGEST = 1 << 21; // characters of an unfinished sequence; a copied text is the longest

const REPORTED = [7, 25, 1000, 1002, 1003, 1004, 1006, 1049, 2004, 2026];

export class Terminal {
  // `say` takes what the terminal answers; `heard` has `bell()` and `copy(text)`.
  constructor(columns, rows, say, heard) {
    this.say = say;
    this.heard = heard;
    this.columns = columns;
    this.clusters = new Clusters();
    this.decoder = new TextDecoder();
    this.rest = "";
    this.main = new Screen(columns, rows);
    this.reset();
  }

  reset() {
    this.alternate = null;
    this.modes = new Set([7, 25]);
    this.keyboard = [];
    this.style = PLAIN;
    this.x = this.y = 0;
    this.saved = { x: 0, y: 0, style: PLAIN };
    this.region();
    this.main.clear(PLAIN);
  }

  get screen() {
    return this.alternate ?? this.main;
  }

  get height() {
    return this.main.height;
  }

  // Erased cells keep the colour behind them.
  get blank() {
    return this.style.bg ? { ...PLAIN, bg: this.style.bg } : PLAIN;
  }

  // What the program asked for with the kitty keyboard protocol; 0 is nothing.
  get keyboardFlags() {
    return this.keyboard.at(-1) ?? 0;
  }

  resize(columns, rows) {
    const gone = this.main.resize(columns, rows, this.alternate ? 0 : this.y);
    this.alternate?.resize(columns, rows, 0);
    this.columns = columns;
    this.region();
    this.move(this.x, this.alternate ? this.y : this.y - gone);
  }

  feed(bytes) {
    const text = this.rest + this.decoder.decode(bytes, { stream: true });
    this.rest = "";
    let at = 0;
    while (at < text.length) {
      PIECE.lastIndex = BEGUN.lastIndex = at;
      const found = PIECE.exec(text);
      if (found) {
        at = PIECE.lastIndex;
        this.take(found[0], found.groups);
      } else if (BEGUN.test(text) && text.length - at < LONGEST) {
        this.rest = text.slice(at);
        return;
      } else at++;
    }
  }

  take(piece, { mark, numbers, middle, final, command, escape }) {
    if (final !== undefined) this.control(mark, numbers, middle, final);
    else if (command !== undefined) this.command(command);
    else if (escape !== undefined) this.escape(escape);
    else if (piece >= " " && piece[0] !== "\x7f") this.print(piece);
    else if (piece[0] !== "\x1b") this.act(piece);
  }

  print(text) {
    for (const character of text) {
      const code = character.codePointAt(0);
      if (code >= 0x80 && code < 0xa0) continue;
      const width = this.clusters.add(code);
      if (width > 0) this.put(character, width);
      else this.join(character, width < 0);
    }
  }

  put(character, width) {
    if (this.x + width > this.columns) {
      if (this.modes.has(7)) {
        this.x = 0;
        this.lineFeed();
      } else this.x = this.columns - width;
    }
    this.screen.rows[this.y].put(this.x, character, width, this.style);
    this.before = { x: this.x, y: this.y, character };
    this.x += width;
  }

  // Adds to the character before, which may become a wide one by it.
  join(character, grows) {
    const { x, y } = this.before ?? {};
    const row = this.screen.rows[y];
    if (!row || row.texts[x].length > 64) return;
    const text = row.texts[x] + character;
    const wide = grows || row.texts[x + 1] === "";
    if (wide && x + 2 > this.columns) return;
    row.put(x, text, wide ? 2 : 1, row.styles[x]);
    if (grows) this.x++;
  }

  move(x, y) {
    this.x = Math.min(Math.max(x, 0), this.columns - 1);
    this.y = Math.min(Math.max(y, 0), this.height - 1);
    this.before = null;
    this.clusters.reset();
  }

  region(top = 0, bottom = this.height - 1) {
    this.top = top;
    this.bottom = bottom;
  }

  scroll(by, top = this.top) {
    this.screen.scroll(top, this.bottom, by, this.blank);
  }

  lineFeed() {
    if (this.y === this.bottom) this.scroll(1);
    else if (this.y < this.height - 1) this.y++;
    this.before = null;
    this.clusters.reset();
  }

  act(character) {
    const { x, y } = this;
    if (character === "\n" || character === "\v" || character === "\f") this.lineFeed();
    else if (character === "\r") this.move(0, y);
    else if (character === "\b") this.move(Math.min(x, this.columns - 1) - 1, y);
    else if (character === "\t") this.move((Math.floor(x / 8) + 1) * 8, y);
    else if (character === "\x07") this.heard.bell();
  }

  escape(text) {
    if (text === "7") this.save();
    else if (text === "8") this.restore();
    else if (text === "c") this.reset();
    else if (text === "D") this.lineFeed();
    else if (text === "E") this.act("\r"), this.lineFeed();
    else if (text === "M") {
      if (this.y === this.top) this.scroll(-1);
      else this.move(this.x, this.y - 1);
    }
  }

  save() {
    this.saved = { x: this.x, y: this.y, style: this.style };
  }

  restore() {
    this.style = this.saved.style;
    this.move(this.saved.x, this.saved.y);
  }

  control(mark, numbers, middle, final) {
    const parameters = numbers.split(";");
    const given = parameters.map((each) => parseInt(each, 10) || 0);
    const handler = CONTROLS[mark + middle + final];
    if (handler) handler(this, Math.max(1, given[0]), given, parameters);
  }

  mode(number, on) {
    if (on) this.modes.add(number);
    else this.modes.delete(number);
    if (number === 1049) {
      if (on === Boolean(this.alternate)) return;
      if (on) this.save();
      this.alternate = on ? new Screen(this.columns, this.height) : null;
      for (const row of this.screen.rows) row.dirty = true;
      if (!on) this.restore();
    }
  }

  erase(row, kind) {
    const x = Math.min(this.x, this.columns - 1);
    const [from, to] = [[x, this.columns], [0, x + 1], [0, this.columns]][kind] ?? [0, 0];
    this.screen.rows[row].fill(from, to, this.blank);
  }

  eraseScreen(kind) {
    if (kind > 2) return;
    if (kind < 2) this.erase(this.y, kind);
    const [from, to] = [[this.y + 1, this.height], [0, this.y], [0, this.height]][kind];
    for (let row = from; row < to; row++) this.erase(row, 2);
  }

  command(text) {
    const [code, ...rest] = text.split(";");
    const value = rest.join(";");
    if (code === "52") this.copied(rest[1] ?? "");
    else if ((code === "10" || code === "11") && value === "?") {
      this.say(`\x1b]${code};rgb:${code === "10" ? "d7d7/dada/e3e3" : "0000/0000/0000"}\x1b\\`);
    }
  }

  // What a program may write into the clipboard; it may not read it ("?").
  copied(base64) {
    try {
      const bytes = Uint8Array.from(atob(base64), (each) => each.charCodeAt(0));
      if (base64 !== "?" && bytes.length) this.heard.copy(new TextDecoder().decode(bytes));
    } catch {
      // no base64: nothing was copied
    }
  }
}

// By mark, intermediates and final byte; `n` is the first number, at least 1.
const CONTROLS = {
  "A": (t, n) => t.move(t.x, t.y - n),
  "B": (t, n) => t.move(t.x, t.y + n),
  "C": (t, n) => t.move(t.x + n, t.y),
  "D": (t, n) => t.move(Math.min(t.x, t.columns - 1) - n, t.y),
  "E": (t, n) => t.move(0, t.y + n),
  "F": (t, n) => t.move(0, t.y - n),
  "G": (t, n) => t.move(n - 1, t.y),
  "H": (t, n, [, column = 1]) => t.move(column - 1, n - 1),
  "f": (t, n, [, column = 1]) => t.move(column - 1, n - 1),
  "d": (t, n) => t.move(t.x, n - 1),
  "J": (t, _, [kind]) => t.eraseScreen(kind),
  "K": (t, _, [kind]) => t.erase(t.y, kind),
  "X": (t, n) => t.screen.rows[t.y].fill(t.x, Math.min(t.x + n, t.columns), t.blank),
  "@": (t, n) => t.x < t.columns && t.screen.rows[t.y].shift(t.x, n, t.blank),
  "P": (t, n) => t.x < t.columns && t.screen.rows[t.y].shift(t.x, -n, t.blank),
  "L": (t, n) => t.y >= t.top && t.y <= t.bottom && t.scroll(-n, t.y),
  "M": (t, n) => t.y >= t.top && t.y <= t.bottom && t.scroll(n, t.y),
  "S": (t, n) => t.scroll(n),
  "T": (t, n) => t.scroll(-n),
  "b": (t, n) => t.before && t.print(t.before.character.repeat(Math.min(n, t.columns))),
  "m": (t, _, __, parameters) => (t.style = styled(t.style, parameters)),
  "r": (t, n, [, bottom = 0]) => {
    const last = Math.min(bottom || t.height, t.height) - 1;
    if (n - 1 < last) t.region(n - 1, last);
    t.move(0, 0);
  },
  "s": (t) => t.save(),
  "u": (t) => t.restore(),
  "n": (t, n) => {
    if (n === 5) t.say("\x1b[0n");
    if (n === 6) t.say(`\x1b[${t.y + 1};${Math.min(t.x, t.columns - 1) + 1}R`);
  },
  "c": (t) => t.say("\x1b[?62;22c"),
  "?h": (t, _, modes) => modes.forEach((mode) => t.mode(mode, true)),
  "?l": (t, _, modes) => modes.forEach((mode) => t.mode(mode, false)),
  "?$p": (t, mode) => {
    const state = REPORTED.includes(mode) ? (t.modes.has(mode) ? 1 : 2) : 0;
    t.say(`\x1b[?${mode};${state}$y`);
  },
  "?u": (t) => t.say(`\x1b[?${t.keyboardFlags}u`),
  ">u": (t, _, [flags]) => t.keyboard.length < 16 && t.keyboard.push(flags),
  "<u": (t, n) => t.keyboard.splice(-n),
};
