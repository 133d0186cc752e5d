/**
 * Colours of runs: the same in the table and in the charts, kept while a run stays selected, and independent of its status.
 *
 * The palette was chosen by computer: the first ten start from distinct hues, every further colour is the one farthest (OKLab)
 * from all before it, seen with normal eyes and as protan, deutan and tritan vision show it. All of them stand out from a
 * white and from a near-black ground (contrast of at least 2.7), so that a run keeps its colour when the theme changes.
 */

export const PALETTE = [
  "#445bfe", "#f4741e", "#5c9572", "#c51f5d", "#8c43c8", "#3699b8", "#ed66e5", "#979f54", "#9a5505", "#536a8c",
  "#7f6bba", "#c55d41", "#cf6ba1", "#299ff4", "#d50b93", "#27786b", "#9867e1", "#ca8a97", "#d46b01", "#ac2ce5",
  "#c278c9", "#5978fd", "#675ca9", "#c348cf", "#18ac77", "#71623a", "#bf775b", "#d71908", "#958cde", "#588cff",
  "#c74955", "#a34985", "#6d6fa2", "#b25977", "#fa55b6", "#80a924", "#317dca", "#d45003", "#e17177", "#ba6693",
  "#e67e54", "#b33738", "#b5788a", "#4b8076", "#667f3a", "#b40eae", "#d339e2", "#1d8fa6", "#779b2f", "#6ea1b3",
  "#d147a7", "#1b6ab6", "#d567f5", "#a0475e", "#9f15d8", "#3f704b", "#2b6899", "#a523f8", "#77a48d", "#9862cb",
  "#e4275c", "#c8039b", "#3d7ede", "#349dd0", "#9c3bb8", "#9e86b9", "#7a5d7d", "#d18b67", "#465ec4", "#8b7122",
  "#9a4c95", "#a07564", "#c77f3e", "#376e68", "#ae5cf3", "#9c7287", "#7872ee", "#b43c6b", "#c384c9", "#908ffe",
  "#b74bc2", "#2a5cda", "#e068d8", "#915848", "#5f8938", "#aa836a", "#f74ca1", "#de7d8a", "#df2032", "#c12f89",
  "#696713", "#bf7ee6", "#a547ee", "#8d13f4", "#8972b3", "#7384b7", "#b93c4a", "#995f2c", "#bb8b82", "#057558",
] as const;

/** The colour of a slot. Beyond the palette it starts again: by then the eye needs the highlight anyway. */
export function colorAt(slot: number): string {
  const index = ((Math.trunc(slot) % PALETTE.length) + PALETTE.length) % PALETTE.length;
  return PALETTE[index] ?? PALETTE[0];
}

/** The colour of a run: by its slot within the selection, else one of the first ten by its id. */
export function colorOf(runId: string, slot?: number | null): string {
  if (slot !== undefined && slot !== null && slot >= 0) return colorAt(slot);
  return colorAt(hashOf(runId) % 10);
}

/**
 * Slots of the selected runs. A run that stays selected keeps its slot, a new one takes the lowest that is free,
 * so that a few runs always wear the first, most distinct colours.
 */
export function assignColors(previous: ReadonlyMap<string, number>, runIds: readonly string[]): Map<string, number> {
  const slots = new Map<string, number>();
  const taken = new Set<number>();
  for (const id of runIds) {
    const slot = previous.get(id);
    if (slot === undefined || taken.has(slot)) continue;
    slots.set(id, slot);
    taken.add(slot);
  }
  let free = 0;
  for (const id of runIds) {
    if (slots.has(id)) continue;
    while (taken.has(free)) free += 1;
    slots.set(id, free);
    taken.add(free);
  }
  return slots;
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}
