/** How a version is loaded in Python, as code to copy. */

/** Formats that are programs: `load_model` reads them only from whom one trusts. */
const PROGRAMS: readonly string[] = ["pickle", "joblib", "torch"];

export function needsTrust(format: string | null): boolean {
  return format !== null && PROGRAMS.includes(format);
}

export function loadingCode(reference: string, format: string | null): string {
  return `import lineal\n\nmodel = lineal.load_model(${JSON.stringify(reference)}${needsTrust(format) ? ", trust=True" : ""})`;
}
