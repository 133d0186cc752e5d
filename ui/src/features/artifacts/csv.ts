// The beginning of a CSV or TSV file as a table.

export interface CsvTable {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** True for the columns that hold only numbers: aligned right. */
  readonly isNumeric: readonly boolean[];
  /** Rows seen, header left out; a lower bound when the text was cut. */
  readonly rowCount: number;
  readonly columnCount: number;
}

export const CSV_MAX_ROWS = 500;
export const CSV_MAX_COLUMNS = 100;

/** By what occurs most in the first line, outside of quotes. */
export function guessDelimiter(text: string): string {
  const line = (text.slice(0, 10_000).split(/\r?\n/, 1)[0] ?? "").replace(/"[^"]*"/g, "");
  const counts = [",", "\t", ";", "|"].map((mark) => [mark, line.split(mark).length] as const);
  return counts.reduce((best, one) => (one[1] > best[1] ? one : best))[0];
}

/** RFC 4180: quoted fields may hold the delimiter, line breaks and doubled quotes. `isWhole` false: the last, cut row is left out. */
export function parseCsv(text: string, isWhole = true, delimiter = guessDelimiter(text)): CsvTable {
  const all: string[][] = [];
  let rowCount = 0;
  let columnCount = 0;
  let row: string[] = [];
  let at = text.startsWith("\ufeff") ? 1 : 0;

  const endRow = () => {
    if (row.length > 1 || row[0] !== "") {
      rowCount += 1;
      columnCount = Math.max(columnCount, row.length);
      if (all.length <= CSV_MAX_ROWS) all.push(row.slice(0, CSV_MAX_COLUMNS));
    }
    row = [];
  };

  let isEnded = at >= text.length;
  while (at < text.length) {
    const field = readField(text, at, delimiter);
    row.push(field.text);
    at = field.next;
    isEnded = false;
    if (at >= text.length) break;
    if (text.startsWith(delimiter, at)) {
      at += delimiter.length;
      if (at === text.length) row.push("");
    } else {
      at += text.startsWith("\r\n", at) ? 2 : 1;
      endRow();
      isEnded = true;
    }
  }
  if (!isEnded && isWhole) endRow();

  const [header = [], ...rows] = all;
  const width = Math.min(columnCount, CSV_MAX_COLUMNS);
  const isNumeric = Array.from({ length: width }, (_, i) => rows.length > 0 && rows.every((cells) => isNumberText(cells[i] ?? "")));
  return { header: Array.from({ length: width }, (_, i) => header[i] ?? ""), rows, isNumeric, rowCount: Math.max(0, rowCount - 1), columnCount };
}

function readField(text: string, start: number, delimiter: string): { text: string; next: number } {
  if (text[start] !== '"') {
    const next = endOfField(text, start, delimiter);
    return { text: text.slice(start, next), next };
  }
  let content = "";
  let at = start + 1;
  for (;;) {
    const quote = text.indexOf('"', at);
    if (quote === -1) return { text: content + text.slice(at), next: text.length };
    content += text.slice(at, quote);
    if (text[quote + 1] !== '"') {
      // What follows a closing quote up to the delimiter is kept: lenient, nothing is lost.
      const next = endOfField(text, quote + 1, delimiter);
      return { text: content + text.slice(quote + 1, next), next };
    }
    content += '"';
    at = quote + 2;
  }
}

function endOfField(text: string, start: number, delimiter: string): number {
  let at = start;
  while (at < text.length && text[at] !== "\n" && text[at] !== "\r" && !text.startsWith(delimiter, at)) at += 1;
  return at;
}

function isNumberText(text: string): boolean {
  const plain = text.trim();
  return plain === "" || /^[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?$/.test(plain) || /^[-+]?(nan|inf|infinity)$/i.test(plain);
}
