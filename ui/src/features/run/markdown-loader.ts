/** What draws notes comes with the first of them. Once it is in, a note is drawn in its first frame: an `import()` that is
 *  asked again, even of what is there, may answer a frame later. */

export type Markdown = typeof import("./markdown.ts");

let loaded: Markdown | null = null;

/** Null until `loadMarkdown` has brought it. */
export function markdown(): Markdown | null {
  return loaded;
}

/** Null if it cannot be had: then a note is shown as it was written. */
export async function loadMarkdown(): Promise<Markdown | null> {
  try {
    loaded ??= await import("./markdown.ts");
  } catch {
    // asked again with the next note
  }
  return loaded;
}
