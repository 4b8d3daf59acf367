// The page: a socket to a program, its terminal, and what the person does.

import { keySequence, pasteSequence } from "./keys.js";
import { KEY } from "./names.js";
import { listen } from "./pointer.js";
import { Terminal } from "./terminal.js";
import { View } from "./view.js";

const LONGEST = 16000; // characters of one message
const SEEN_EVERY = 1 << 14;
const AGAIN = "Press enter, or click, to open it again.";
const ENDINGS = {
  1000: ["The dashboard was closed.", AGAIN],
  4400: ["This page is of another version of ctui.", "Press enter, or click, to load it again."],
  4408: ["The dashboard did not read what was typed, and was ended.", AGAIN],
  4429: ["Too many dashboards are open: close one.", "Press enter, or click, to try again."],
};
const LOST = ["The connection is lost. Your tasks go on.", "Press enter, or click, to connect again."];

const element = (id) => document.getElementById(id);
const keys = element("keys");
const notice = element("notice");
const view = new View(element("screen"), element("rows"), element("cursor"));
const title = document.title;

let socket = null;
let terminal = null;
let unseen = 0;
let failed = 0;

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

function type(text) {
  for (let at = 0; at < text.length; ) {
    let end = Math.min(at + LONGEST, text.length);
    if (end < text.length && text.codePointAt(end - 1) > 0xffff) end--; // a pair stays one
    send({ type: "typed", text: text.slice(at, end) });
    at = end;
  }
}

function connect() {
  notice.hidden = true;
  unseen = failed = 0;
  const size = view.size();
  const own = new WebSocket(`${location.origin.replace(/^http/, "ws")}/browser/socket`);
  own.binaryType = "arraybuffer";
  socket = own;
  terminal = new Terminal(size.columns, size.rows, type, {
    bell: () => document.hidden && (document.title = `● ${title}`),
    copy: (text) => copy(text),
  });
  view.want(terminal);
  own.onopen = () => {
    send({ type: "hello", key: localStorage.getItem(KEY) ?? "", ...size });
    if (document.hasFocus()) keys.focus();
  };
  own.onmessage = ({ data }) => {
    if (own !== socket) return;
    if (typeof data === "string") {
      failed = JSON.parse(data).code; // the only thing that is said in text: that it has ended
      return;
    }
    terminal.feed(data);
    view.want(terminal);
    unseen += data.byteLength;
    if (unseen >= SEEN_EVERY) {
      send({ type: "seen", bytes: unseen });
      unseen = 0;
    }
  };
  own.onclose = ({ code }) => own === socket && closed(code);
}

function closed(code) {
  socket = null;
  terminal.modes.clear(); // nobody is there who wants to know of the mouse
  view.want(terminal);
  if (code === 4401) leave();
  else if (failed) say(`The dashboard failed (exit code ${failed}).`, AGAIN);
  else say(...(ENDINGS[code] ?? LOST));
}

function say(...lines) {
  lines.forEach((line, at) => (notice.children[at].textContent = line));
  notice.hidden = false;
}

// A server that is there may have forgotten this session: then its page is the login.
async function again() {
  if (socket) return;
  notice.hidden = true;
  try {
    const found = await fetch("/", { redirect: "manual", cache: "no-store" });
    if (found.type === "opaqueredirect") leave();
    else connect();
  } catch {
    say(...LOST);
  }
}

function leave() {
  localStorage.removeItem(KEY);
  location.replace("/login");
}

element("logout").addEventListener("click", async () => {
  try {
    await fetch("/logout", { method: "POST" });
    leave();
  } catch {
    say(...LOST);
  }
});

async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS, browsers give no clipboard but to what was selected in the page.
    keys.value = text;
    keys.select();
    document.execCommand("copy");
    keys.value = "";
  }
}

function flush() {
  if (keys.value) type(keys.value);
  keys.value = "";
}

keys.addEventListener("keydown", (event) => {
  if (!socket) return;
  if (event.ctrlKey && event.key === "c" && String(getSelection())) return; // the browser copies
  const sequence = keySequence(event, terminal.keyboardFlags > 0);
  if (sequence === null) return;
  event.preventDefault();
  flush();
  type(sequence);
});
keys.addEventListener("beforeinput", (event) => {
  // Keyboards of touch screens name no keys.
  const sequence = { deleteContentBackward: "\x7f", insertLineBreak: "\r" }[event.inputType];
  if (sequence && !keys.value && !event.isComposing) {
    event.preventDefault();
    type(sequence);
  }
});
keys.addEventListener("input", (event) => event.isComposing || flush());
keys.addEventListener("compositionstart", () => {
  // The input method's window belongs where the text will be.
  keys.style.transform = element("cursor").style.transform;
});
keys.addEventListener("compositionend", flush);
document.addEventListener("paste", (event) => {
  event.preventDefault();
  const text = event.clipboardData.getData("text/plain");
  if (terminal && text) type(pasteSequence(text, terminal.modes.has(2004)));
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !notice.hidden) {
    event.preventDefault();
    again();
  } else if (!event.ctrlKey && !event.metaKey && !event.altKey && event.target === document.body) {
    keys.focus();
  }
});
notice.addEventListener("click", again);

window.addEventListener("focus", () => {
  document.title = title;
  keys.focus();
  if (terminal?.modes.has(1004)) type("\x1b[I");
});
window.addEventListener("blur", () => terminal?.modes.has(1004) && type("\x1b[O"));

new ResizeObserver(() => {
  const other = view.measure();
  if (!terminal) return;
  const { columns, rows } = view.size();
  const same = columns === terminal.columns && rows === terminal.height;
  if (same && !other) return;
  terminal.resize(columns, rows);
  view.want(terminal);
  if (same) return;
  send({ type: "resized", columns, rows });
}).observe(element("screen"));

listen(view, () => terminal, type, () => keys.focus());
connect();
