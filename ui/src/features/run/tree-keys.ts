// The keys of a tree whose rows are siblings: role=treeitem with aria-level, and aria-expanded on those that open.

export function treeKey(event: KeyboardEvent, actions: { toggle: () => void; choose: () => void }): void {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target !== event.currentTarget) return;
  const item = event.currentTarget as HTMLElement;
  const items = [...(item.parentElement?.querySelectorAll<HTMLElement>(":scope > [role=treeitem]") ?? [])];
  const at = items.indexOf(item);
  const expanded = item.getAttribute("aria-expanded");
  const level = (one: HTMLElement): number => Number(one.getAttribute("aria-level"));
  const go = (one: HTMLElement | undefined): void => one?.focus();
  switch (event.key) {
    case "ArrowDown":
      go(items[at + 1]);
      break;
    case "ArrowUp":
      go(items[at - 1]);
      break;
    case "Home":
      go(items[0]);
      break;
    case "End":
      go(items.at(-1));
      break;
    case "ArrowRight":
      if (expanded === "false") actions.toggle();
      else if (expanded === "true") go(items[at + 1]);
      break;
    case "ArrowLeft":
      if (expanded === "true") actions.toggle();
      else go(items.slice(0, at).findLast((one) => level(one) < level(item)));
      break;
    case "Enter":
    case " ":
      if (expanded === null) actions.choose();
      else actions.toggle();
      break;
    default:
      return;
  }
  event.preventDefault();
  event.stopPropagation();
}
