// How many cells a text takes: what the program that draws it counts, or its columns would break.

import { EMOJI_WIDE, WIDE, ZERO } from "./widths.js";

const JOINER = 0x200d;
const EMOJI_STYLE = 0xfe0f;

const wide = decoded(WIDE);
const zero = decoded(ZERO);
const emojiWide = decoded(EMOJI_WIDE);

// Pairs of a first and a last code point, one after the other.
function decoded(text) {
  return text.split(",").flatMap((range) => {
    const [first, last] = range.split("-");
    return [parseInt(first, 16), parseInt(last ?? first, 16)];
  });
}

function within(ranges, code) {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < ranges[2 * middle]) high = middle - 1;
    else if (code > ranges[2 * middle + 1]) low = middle + 1;
    else return true;
  }
  return false;
}

export function codeWidth(code) {
  if (code < 0x300) return code < 0x20 || (code >= 0x7f && code < 0xa0) ? 0 : 1;
  if (within(zero, code)) return 0;
  return within(wide, code) ? 2 : 1;
}

// Puts characters together to what stands in one place. The state is carried from text to text:
// `last` is the code point that what follows may change, `joining` that the next one belongs to it.
export class Clusters {
  constructor() {
    this.reset();
  }

  reset() {
    this.last = 0;
    this.joining = false;
  }

  // How many cells the next character adds; 0 means that it belongs to the one before it.
  add(code) {
    if (this.joining) {
      this.joining = false;
      return 0;
    }
    if (code === JOINER) {
      this.joining = this.last !== 0;
      return 0;
    }
    if (code === EMOJI_STYLE) {
      const grows = this.last !== 0 && within(emojiWide, this.last);
      this.last = grows ? 0 : this.last;
      return grows ? -1 : 0;
    }
    const width = codeWidth(code);
    if (width) this.last = code;
    return width;
  }
}
