/** Keys: a page says what its keys do, the help dialog lists them, one listener on the window serves them. */

export interface Shortcut {
  /** As KeyboardEvent.key has it: "/", "j", "Enter", "Escape", "?", " ". */
  key: string;
  /** What it does, for the help dialog. Two with the same label share a line there. */
  label: string;
  run: (event: KeyboardEvent) => void;
  /** Also while a field has the focus (Escape). */
  whileTyping?: boolean;
}

const layers: Shortcut[][] = [];

/** Newest first: a dialog's keys hide the page's. The answer takes them away again: fit for $effect. */
export function addShortcuts(shortcuts: Shortcut[]): () => void {
  layers.push(shortcuts);
  return () => {
    const index = layers.indexOf(shortcuts);
    if (index >= 0) layers.splice(index, 1);
  };
}

export function listShortcuts(): Shortcut[] {
  return layers.flat();
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement) return true;
  return target instanceof HTMLInputElement && !["checkbox", "radio", "button", "range"].includes(target.type);
}

/** A focused control answers to Enter and space itself. */
function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest("button, a[href], input, select, textarea, summary, [role=menuitem]") !== null;
}

export function handleKey(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (document.querySelector("dialog[open]") !== null) return;
  const typing = isTyping(event.target);
  if ((event.key === "Enter" || event.key === " ") && isControl(event.target)) return;
  for (const layer of layers.toReversed()) {
    const found = layer.find((one) => one.key === event.key && (!typing || one.whileTyping === true));
    if (found) {
      event.preventDefault();
      found.run(event);
      return;
    }
  }
}
