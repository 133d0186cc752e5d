/** The one door to the server: typed answers, refusals as ApiError, one tenant a page (?tenant=). */

import { base } from "../lib/base.ts";
import type { Problem } from "./shapes.ts";

const API = "/api/v1";

export type QueryValue = string | number | boolean | null | undefined;
export interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** The server refused, or could not be reached (status 0, code "unreachable"). */
export class ApiError extends Error {
  override readonly name = "ApiError";
  readonly status: number;
  readonly code: string;
  readonly detail: string;
  readonly field: string | null;
  /** Where in the text of `field` it went wrong, from 0. */
  readonly position: number | null;
  /** What was expected there. */
  readonly expected: string | null;
  /** What had the name that was asked for is called so now. */
  readonly renamedTo: string | null;

  constructor(status: number, problem: Problem) {
    const detail = problem.detail ?? problem.title ?? `the server answered ${status}`;
    super(detail);
    this.status = status;
    this.code = problem.code ?? "unknown";
    this.detail = detail;
    this.field = problem.field ?? null;
    this.position = problem.position ?? null;
    this.expected = problem.expected ?? null;
    this.renamedTo = problem.renamed_to ?? null;
  }
}

/** True for an aborted call, which nobody needs to hear of. */
export function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}

/** What to show for anything that was thrown. */
export function errorText(error: unknown): string {
  if (error instanceof ApiError) return error.detail;
  return error instanceof Error ? error.message : String(error);
}

/** What to do when the server lets nobody in any more; the session sets it. */
export const door = { closed: (): void => undefined };

let usualTenant: string | null = null;

/** The tenant of an address that names none, where somebody has signed in; null: the server's own choice. */
export function setUsualTenant(name: string | null): void {
  usualTenant = name;
}

export function tenant(search: string = location.search): string | null {
  return new URLSearchParams(search).get("tenant") || usualTenant;
}

function queryText(query: Record<string, QueryValue>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== null && value !== undefined && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

/** The address of a route, for fetch: the tenant goes by header. `path` starts with "/". */
export function apiUrl(path: string, query: Record<string, QueryValue> = {}): string {
  return `${base}${API}${path}${queryText(query)}`;
}

/** The address of a route where no header can be set (images, downloads, EventSource): the tenant is in the path. */
export function directUrl(path: string, query: Record<string, QueryValue> = {}): string {
  const name = tenant();
  return `${base}${name === null ? "" : `/t/${encodeURIComponent(name)}`}${API}${path}${queryText(query)}`;
}

async function problemOf(response: Response): Promise<Problem> {
  try {
    const body: unknown = await response.json();
    return typeof body === "object" && body !== null ? (body as Problem) : {};
  } catch {
    return { title: response.statusText || `the server answered ${response.status}` };
  }
}

async function call(method: string, url: string, accept: string, body: unknown, options: CallOptions): Promise<Response> {
  const headers: Record<string, string> = { Accept: accept };
  const name = tenant();
  if (name !== null) headers["X-Tenant-ID"] = name;
  if (body !== undefined) headers["Content-Type"] = "application/json";
  let response: Response;
  try {
    response = await fetch(url, {
      method,
      headers,
      signal: options.signal ?? null,
      body: body === undefined ? null : JSON.stringify(body),
    });
  } catch (error) {
    if (isAbort(error)) throw error;
    throw new ApiError(0, { code: "unreachable", detail: "The server does not answer. Is `lineal ui` still running?" });
  }
  if (!response.ok) {
    const error = new ApiError(response.status, await problemOf(response));
    if (error.status === 401 && error.code === "unauthorized") door.closed();
    throw error;
  }
  return response;
}

const JSON_TYPES = "application/json, application/problem+json";

export async function get<T>(path: string, query: Record<string, QueryValue> = {}, options: CallOptions = {}): Promise<T> {
  return (await (await call("GET", apiUrl(path, query), JSON_TYPES, undefined, options)).json()) as T;
}

export async function post<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
  return (await (await call("POST", apiUrl(path), JSON_TYPES, body, options)).json()) as T;
}

export async function patch<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
  return (await (await call("PATCH", apiUrl(path), JSON_TYPES, body, options)).json()) as T;
}

export async function put<T>(path: string, body: unknown, options: CallOptions = {}): Promise<T> {
  return (await (await call("PUT", apiUrl(path), JSON_TYPES, body, options)).json()) as T;
}

/** DELETE. */
export async function remove<T>(path: string, options: CallOptions = {}): Promise<T> {
  return (await (await call("DELETE", apiUrl(path), JSON_TYPES, undefined, options)).json()) as T;
}

/** POST that answers bytes of media type `accept`, for the series of charts. */
export async function postForBytes(path: string, body: unknown, accept: string, options: CallOptions = {}): Promise<ArrayBuffer> {
  const response = await call("POST", apiUrl(path), `${accept}, application/problem+json`, body, options);
  return response.arrayBuffer();
}

/** GET of a file's text or bytes, for previews. */
export async function getResponse(path: string, query: Record<string, QueryValue> = {}, options: CallOptions = {}): Promise<Response> {
  return call("GET", apiUrl(path, query), "*/*", undefined, options);
}
