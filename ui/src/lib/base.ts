/** The path below which the page is served ("/lineal"), or "": what stands before the server may give it only a part of its addresses. */
export const base: string = (typeof document === "undefined" ? null : document.querySelector<HTMLMetaElement>('meta[name="lineal-base"]'))?.content ?? "";

/** A path of the page or of the API without it. */
export function withoutBase(pathname: string, below: string = base): string {
  if (below === "" || !(pathname === below || pathname.startsWith(`${below}/`))) return pathname;
  return pathname.slice(below.length) || "/";
}
