// A note being written survives a refusal, a closed tab and a stopped server: it lies in this browser until it is saved.

export interface Draft {
  readonly text: string;
  /** The note as it was when the writing began, to see whether another changed it meanwhile. */
  readonly base: string;
}

type Shelf = Pick<Storage, "getItem" | "setItem" | "removeItem">;

function keyOf(runId: string): string {
  return `lineal.note.${runId}`;
}

export function findDraft(runId: string, shelf: Shelf = localStorage): Draft | null {
  try {
    const value: unknown = JSON.parse(shelf.getItem(keyOf(runId)) ?? "null");
    if (typeof value !== "object" || value === null) return null;
    const { text, base } = value as Partial<Draft>;
    return typeof text === "string" && typeof base === "string" ? { text, base } : null;
  } catch {
    return null; // no storage here, or somebody else's value
  }
}

/** A draft that says what the note says is none. */
export function keepDraft(runId: string, draft: Draft, shelf: Shelf = localStorage): void {
  try {
    if (draft.text === draft.base) shelf.removeItem(keyOf(runId));
    else shelf.setItem(keyOf(runId), JSON.stringify(draft));
  } catch {
    // Full, or forbidden: the text is still in the field.
  }
}

export function dropDraft(runId: string, shelf: Shelf = localStorage): void {
  try {
    shelf.removeItem(keyOf(runId));
  } catch {
    // as above
  }
}

/** UTF-8 bytes: what the server's bound counts. */
export function noteBytes(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

export const NOTE_MAX_BYTES = 1024 * 1024;
