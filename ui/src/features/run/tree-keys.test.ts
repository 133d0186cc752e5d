import { beforeEach, describe, expect, it, vi } from "vitest";
import { treeKey } from "./tree-keys.ts";

const toggle = vi.fn();
const choose = vi.fn();

function press(key: string): void {
  const item = document.activeElement as HTMLElement;
  item.onkeydown = (event) => treeKey(event, { toggle, choose });
  item.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
}
const focused = () => document.activeElement?.id;

beforeEach(() => {
  vi.clearAllMocks();
  document.body.innerHTML = `<ul role="tree">
    <li role="treeitem" tabindex="0" aria-level="1" aria-expanded="true" id="group"></li>
    <li role="treeitem" tabindex="-1" aria-level="2" id="leaf"></li>
    <li role="treeitem" tabindex="-1" aria-level="1" aria-expanded="false" id="closed"></li>
  </ul>`;
  document.getElementById("group")?.focus();
});

describe("the keys of a tree", () => {
  it("move from row to row, and stop at the ends", () => {
    press("ArrowUp");
    expect(focused()).toBe("group");
    press("ArrowDown");
    expect(focused()).toBe("leaf");
    press("End");
    expect(focused()).toBe("closed");
    press("Home");
    expect(focused()).toBe("group");
  });

  it("go into a group and out of it", () => {
    press("ArrowRight");
    expect(focused()).toBe("leaf");
    press("ArrowLeft");
    expect(focused()).toBe("group");
    press("ArrowLeft");
    expect(toggle).toHaveBeenCalledOnce();
  });

  it("open what is closed, and choose what has no inside", () => {
    press("End");
    press("ArrowRight");
    expect(toggle).toHaveBeenCalledOnce();
    press("Enter");
    expect(toggle).toHaveBeenCalledTimes(2);
    document.getElementById("leaf")?.focus();
    press(" ");
    expect(choose).toHaveBeenCalledOnce();
  });
});
