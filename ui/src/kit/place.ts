/** Where a floating panel goes: below its anchor, above if there is no room, never outside the window. */

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export interface Size {
  width: number;
  height: number;
}

export type Align = "start" | "center" | "end";

export function place(anchor: Box, panel: Size, viewport: Size, align: Align = "start", gap = 4, margin = 8): { left: number; top: number } {
  const bottom = anchor.top + anchor.height;
  const below = viewport.height - bottom - gap - margin;
  const above = anchor.top - gap - margin;
  const top = panel.height <= below || below >= above ? bottom + gap : anchor.top - gap - panel.height;
  const wished =
    align === "start"
      ? anchor.left
      : align === "end"
        ? anchor.left + anchor.width - panel.width
        : anchor.left + (anchor.width - panel.width) / 2;
  return {
    left: Math.round(clamp(wished, margin, viewport.width - panel.width - margin)),
    top: Math.round(clamp(top, margin, viewport.height - panel.height - margin)),
  };
}

function clamp(value: number, low: number, high: number): number {
  return Math.max(low, Math.min(value, high));
}

/** Put a fixed element beside its anchor; by properties, because the content security policy forbids style attributes. */
export function putBeside(panel: HTMLElement, anchor: Element, align: Align = "start", gap = 4): void {
  const at = place(
    anchor.getBoundingClientRect(),
    { width: panel.offsetWidth, height: panel.offsetHeight },
    { width: document.documentElement.clientWidth, height: document.documentElement.clientHeight },
    align,
    gap,
  );
  panel.style.left = `${at.left}px`;
  panel.style.top = `${at.top}px`;
}
