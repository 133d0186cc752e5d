/** The lists around a dataset, a page at a time. */

import { get, type QueryValue } from "../../api/client.ts";
import type { DatasetModel, DatasetModelsPage, DatasetUser, DatasetUsersPage, DatasetVersion, DatasetVersionsPage } from "../../api/shapes.ts";

export interface Rows<T> {
  rows: readonly T[];
  /** Token of the page behind; null where none follows. */
  next: string | null;
}

export const NO_ROWS: Rows<never> = { rows: [], next: null };

type Query = Record<string, QueryValue>;

export async function askVersions(query: Query, signal?: AbortSignal): Promise<Rows<DatasetVersion>> {
  const page = await get<DatasetVersionsPage>("/dataset-versions", query, { signal });
  return { rows: page.versions, next: page.next_page_token ?? null };
}

export async function askUses(query: Query, signal?: AbortSignal): Promise<Rows<DatasetUser>> {
  const page = await get<DatasetUsersPage>("/dataset-uses", query, { signal });
  return { rows: page.uses, next: page.next_page_token ?? null };
}

export async function askModels(query: Query, signal?: AbortSignal): Promise<Rows<DatasetModel>> {
  const page = await get<DatasetModelsPage>("/dataset-models", query, { signal });
  return { rows: page.models, next: page.next_page_token ?? null };
}

export function joined<T>(before: Rows<T>, more: Rows<T>): Rows<T> {
  return { rows: [...before.rows, ...more.rows], next: more.next };
}
