// Mouse and touch as a terminal reports them.

import { mouseSequence } from "./keys.js";

const LEFT = 0;
const MIDDLE = 1;
const MOVED = 32;
const NO_BUTTON = 3;
const WHEEL = { up: 64, down: 65, left: 66, right: 67 };
const ROWS_PER_STEP = 2;

// Shift is the person's: with it the browser selects text, as in any terminal.
export function listen(view, terminal, say, focus) {
  const { element } = view;
  let pressed = null;
  let last = "";
  let turned = { x: 0, y: 0 };
  let touch = null;

  const reports = () => terminal().modes.has(1000) || terminal().modes.has(1003);

  function report(button, event, down = true) {
    const { column, row } = view.at(event, terminal());
    say(mouseSequence(button, column, row, event, down));
  }

  // A step of the wheel for every few rows that were turned.
  function turn(event, x, y) {
    const step = ROWS_PER_STEP * view.row;
    turned = { x: turned.x + x, y: turned.y + y };
    for (const [axis, back, on] of [["y", WHEEL.up, WHEEL.down], ["x", WHEEL.left, WHEEL.right]]) {
      const steps = Math.trunc(turned[axis] / step);
      turned[axis] -= steps * step;
      for (let at = 0; at < Math.min(Math.abs(steps), 20); at++) report(steps < 0 ? back : on, event);
    }
  }

  element.addEventListener("pointerdown", (event) => {
    if (event.button === 2) return;
    focus();
    if (!reports() || event.shiftKey) return;
    event.preventDefault();
    if (event.pointerType === "touch") {
      touch = { y: event.clientY, moved: false };
      return;
    }
    element.setPointerCapture(event.pointerId);
    pressed = event.button === 1 ? MIDDLE : LEFT;
    report(pressed, event);
  });

  element.addEventListener("pointermove", (event) => {
    if (!reports()) return;
    if (touch) {
      const by = touch.y - event.clientY;
      touch = { y: event.clientY, moved: touch.moved || Math.abs(by) > 3 };
      if (touch.moved) turn(event, 0, by);
      return;
    }
    if (event.shiftKey && pressed === null) return;
    const { column, row } = view.at(event, terminal());
    if (last === `${column},${row}`) return;
    last = `${column},${row}`;
    if (pressed !== null || terminal().modes.has(1003)) report((pressed ?? NO_BUTTON) + MOVED, event);
  });

  const released = (event) => {
    if (touch && !touch.moved) {
      report(LEFT, event);
      report(LEFT, event, false);
    }
    if (pressed !== null) report(pressed, event, false);
    touch = pressed = null;
  };
  element.addEventListener("pointerup", released);
  element.addEventListener("pointercancel", () => (touch = pressed = null));

  element.addEventListener("mousedown", (event) => {
    if (reports() && !event.shiftKey && event.button !== 2) event.preventDefault();
  });

  element.addEventListener("wheel", (event) => {
    if (event.ctrlKey || !reports()) return; // with ctrl the browser zooms
    event.preventDefault();
    const unit = [1, view.row, view.row * terminal().height][event.deltaMode];
    turn(event, event.deltaX * unit, event.deltaY * unit);
  }, { passive: false });
}
