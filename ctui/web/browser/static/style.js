// What a cell looks like: SGR (ECMA-48, 8.3.117, and the colours of ISO 8613-6).

export const PLAIN = Object.freeze({
  fg: "", bg: "", bold: false, dim: false, italic: false, underline: false,
  inverse: false, hidden: false, strike: false, overline: false,
});

const SIXTEEN = (
  "#1d1f28 #e06c75 #8cc265 #d9a85a #5b9bd6 #c678dd #4bb5c1 #c8ccd4 " +
  "#6b7180 #ff7b86 #a5e075 #f0c674 #7fb8f0 #de9bf0 #6fd3de #ffffff"
).split(" ");
const LEVELS = [0, 95, 135, 175, 215, 255];

const ON = {
  1: { bold: true }, 2: { dim: true }, 3: { italic: true }, 4: { underline: true },
  7: { inverse: true }, 8: { hidden: true }, 9: { strike: true }, 21: { underline: true },
  22: { bold: false, dim: false }, 23: { italic: false }, 24: { underline: false },
  27: { inverse: false }, 28: { hidden: false }, 29: { strike: false },
  39: { fg: "" }, 49: { bg: "" }, 53: { overline: true }, 55: { overline: false },
};

// The style after a sequence of parameters, each a number or, with colons, numbers.
export function styled(style, parameters) {
  let made = { ...style };
  for (let at = 0; at < parameters.length; at++) {
    const [code, ...sub] = parameters[at].split(":").map(Number);
    if (code === 0) made = { ...PLAIN };
    else if (code === 4 && sub.length) made.underline = sub[0] > 0;
    else if (code === 38 || code === 48 || code === 58) {
      const rest = sub.length ? sub.filter((_, index) => sub.length < 5 || index !== 1)
        : parameters.slice(at + 1, at + 5).map(Number);
      const [colour, used] = extended(rest);
      if (!sub.length) at += used;
      if (code !== 58) made[code === 38 ? "fg" : "bg"] = colour;
    } else if (code in ON) Object.assign(made, ON[code]);
    else if (code >= 30 && code < 38) made.fg = SIXTEEN[code - 30];
    else if (code >= 40 && code < 48) made.bg = SIXTEEN[code - 40];
    else if (code >= 90 && code < 98) made.fg = SIXTEEN[code - 82];
    else if (code >= 100 && code < 108) made.bg = SIXTEEN[code - 92];
  }
  return made;
}

// A colour, and how many numbers said it.
function extended([kind, first, second, third]) {
  if (kind === 2) return [`rgb(${byte(first)},${byte(second)},${byte(third)})`, 4];
  if (kind === 5) return [indexed(byte(first)), 2];
  return ["", 1];
}

function byte(number) {
  return Math.min(255, Math.max(0, number | 0));
}

function indexed(index) {
  if (index < 16) return SIXTEEN[index];
  if (index >= 232) return `rgb(${Array(3).fill(8 + 10 * (index - 232)).join(",")})`;
  const cube = index - 16;
  const parts = [Math.floor(cube / 36), Math.floor(cube / 6) % 6, cube % 6];
  return `rgb(${parts.map((part) => LEVELS[part]).join(",")})`;
}
