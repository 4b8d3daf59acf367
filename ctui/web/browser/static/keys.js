// What a terminal sends for a key, a click or a paste.

// The number or letter of a key's sequence, as xterm has it.
const LETTERED = {
  ArrowUp: "A", ArrowDown: "B", ArrowRight: "C", ArrowLeft: "D", Home: "H", End: "F",
  F1: "P", F2: "Q", F3: "R", F4: "S",
};
const NUMBERED = {
  Insert: 2, Delete: 3, PageUp: 5, PageDown: 6, F5: 15, F6: 17, F7: 18, F8: 19, F9: 20, F10: 21,
};
const PLAIN_KEYS = { Enter: ["\r", 13], Tab: ["\t", 9], Backspace: ["\x7f", 127], Escape: ["\x1b", 27] };

// Keys that stay the browser's: reload, full screen, tools, size of the text.
const KEPT = new Set(["F5", "F11", "F12"]);
const KEPT_WITH_CTRL = new Set(["+", "-", "=", "0", "v", "V"]);
const KEPT_WITH_CTRL_SHIFT = new Set(["C", "I", "J", "K", "N", "R", "T", "W"]);

// The sequence, or null where the browser is to do what it does: text comes by `input`.
// `kitty` is whether the program knows the kitty keyboard protocol's sequences.
export function keySequence(event, kitty) {
  if (event.isComposing || event.keyCode === 229 || event.metaKey) return null;
  const { key } = event;
  const layout = event.getModifierState("AltGraph");
  const ctrl = event.ctrlKey && !layout;
  const alt = event.altKey && !layout;
  const shift = event.shiftKey;
  if (KEPT.has(key) || (ctrl && KEPT_WITH_CTRL.has(key) && !alt)) return null;
  if (ctrl && shift && KEPT_WITH_CTRL_SHIFT.has(key.toUpperCase())) return null;
  if (key === "Insert" && shift) return null;
  const modifiers = 1 + (shift ? 1 : 0) + (alt ? 2 : 0) + (ctrl ? 4 : 0);

  if (key in LETTERED) {
    // xterm's sequence for this one is also how a terminal reports where the cursor is.
    if (modifiers > 1 && key === "F3") return `\x1b[13;${modifiers}~`;
    if (modifiers > 1) return `\x1b[1;${modifiers}${LETTERED[key]}`;
    return key.startsWith("F") ? `\x1bO${LETTERED[key]}` : `\x1b[${LETTERED[key]}`;
  }
  if (key in NUMBERED) return `\x1b[${NUMBERED[key]}${modifiers > 1 ? `;${modifiers}` : ""}~`;
  if (key in PLAIN_KEYS) return plainKey(key, modifiers, kitty);
  if ([...key].length !== 1 || !(ctrl || alt)) return null;
  // Option makes other characters on a Mac: those are text.
  if (alt && !ctrl && key.codePointAt(0) > 0x7f) return null;
  return character(key.toLowerCase(), modifiers, kitty);
}

function plainKey(key, modifiers, kitty) {
  const [text, code] = PLAIN_KEYS[key];
  if (key === "Tab" && modifiers === 2) return "\x1b[Z";
  if (kitty && (modifiers > 1 || key === "Escape")) {
    return `\x1b[${code}${modifiers > 1 ? `;${modifiers}` : ""}u`;
  }
  return (modifiers - 1) & 2 ? `\x1b${text}` : text;
}

function character(key, modifiers, kitty) {
  const code = key.codePointAt(0);
  const [shift, alt, ctrl] = [1, 2, 4].map((bit) => ((modifiers - 1) & bit) !== 0);
  const control = ctrl && !shift && controlCode(key);
  // With the protocol, ctrl+i is not a tab, and escape then `a` is not alt+a.
  if (kitty && (!control || alt || "im[".includes(key))) return `\x1b[${code};${modifiers}u`;
  if (ctrl && !control) return null;
  return (alt ? "\x1b" : "") + (control || key);
}

function controlCode(key) {
  if (/^[a-z[\\\]^_@]$/.test(key)) return String.fromCharCode(key.toUpperCase().charCodeAt(0) & 31);
  return key === " " ? "\0" : "";
}

// A mouse report (xterm's SGR form); the cell counts from 0.
export function mouseSequence(button, column, row, event, pressed = true) {
  const code = button + (event.altKey ? 8 : 0) + (event.ctrlKey ? 16 : 0);
  return `\x1b[<${code};${column + 1};${row + 1}${pressed ? "M" : "m"}`;
}

// What is pasted cannot end the paste: no escape is let through.
export function pasteSequence(text, bracketed) {
  const plain = text.replace(/\r\n?|\n/g, "\r").replace(/\x1b/g, "");
  return bracketed ? `\x1b[200~${plain}\x1b[201~` : plain;
}
