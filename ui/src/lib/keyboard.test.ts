import { afterEach, expect, it, vi } from "vitest";
import { addShortcuts, handleKey } from "./keyboard.ts";

afterEach(() => (document.body.innerHTML = ""));

function press(key: string, target: EventTarget = document.body): KeyboardEvent {
  const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true });
  Object.defineProperty(event, "target", { value: target });
  handleKey(event);
  return event;
}

it("serves the newest layer first, and the older ones when it is gone", () => {
  const old = vi.fn();
  const young = vi.fn();
  const removeOld = addShortcuts([{ key: "j", label: "down", run: old }]);
  const removeYoung = addShortcuts([{ key: "j", label: "down", run: young }]);
  press("j");
  removeYoung();
  press("j");
  removeOld();
  press("j");
  expect([old.mock.calls.length, young.mock.calls.length]).toEqual([1, 1]);
});

it("leaves keys to whoever types, except those meant for it", () => {
  const run = vi.fn();
  const remove = addShortcuts([
    { key: "j", label: "down", run },
    { key: "Escape", label: "clear", run, whileTyping: true },
  ]);
  const input = document.createElement("input");
  document.body.append(input);
  expect(press("j", input).defaultPrevented).toBe(false);
  expect(press("Escape", input).defaultPrevented).toBe(true);
  expect(run).toHaveBeenCalledTimes(1);
  remove();
});

it("leaves Enter and space to a focused button", () => {
  const run = vi.fn();
  const remove = addShortcuts([{ key: "Enter", label: "open", run }]);
  const button = document.createElement("button");
  document.body.append(button);
  press("Enter", button);
  expect(run).not.toHaveBeenCalled();
  remove();
});
