// Artifacts as folders and files; a file's versions are gathered, newest first.

import type { Artifact } from "../../api/shapes.ts";
import { byName } from "../run/params-tree.ts";

export interface ArtifactFile {
  readonly path: string;
  readonly name: string;
  /** Newest first; never empty. */
  readonly versions: readonly Artifact[];
}

export interface ArtifactFolder {
  readonly path: string;
  readonly name: string;
  readonly folders: ArtifactFolder[];
  readonly files: ArtifactFile[];
  fileCount: number;
  sizeBytes: number;
}

export type ArtifactRow =
  | { readonly kind: "folder"; readonly depth: number; readonly folder: ArtifactFolder; readonly isOpen: boolean }
  | { readonly kind: "file"; readonly depth: number; readonly file: ArtifactFile };

function emptyFolder(path: string, name: string): ArtifactFolder {
  return { path, name, folders: [], files: [], fileCount: 0, sizeBytes: 0 };
}

export function artifactFiles(artifacts: readonly Artifact[]): ArtifactFile[] {
  const byPath = new Map<string, Artifact[]>();
  for (const artifact of artifacts) {
    const known = byPath.get(artifact.path);
    if (known === undefined) byPath.set(artifact.path, [artifact]);
    else known.push(artifact);
  }
  return [...byPath].map(([path, versions]) => ({
    path,
    name: path.slice(path.lastIndexOf("/") + 1) || path,
    versions: versions.toSorted((a, b) => b.version - a.version),
  }));
}

export function artifactTree(files: readonly ArtifactFile[]): ArtifactFolder {
  const root = emptyFolder("", "");
  const known = new Map<string, ArtifactFolder>([["", root]]);
  for (const file of files) {
    const size = file.versions[0]?.size_bytes ?? 0;
    let folder = root;
    add(folder, size);
    const parts = file.path.split("/").slice(0, -1);
    for (let i = 0; i < parts.length; i++) {
      const path = parts.slice(0, i + 1).join("/");
      let next = known.get(path);
      if (next === undefined) {
        next = emptyFolder(path, parts[i] ?? "");
        known.set(path, next);
        folder.folders.push(next);
      }
      add(next, size);
      folder = next;
    }
    folder.files.push(file);
  }
  for (const folder of known.values()) {
    folder.folders.sort((a, b) => byName(a.name, b.name));
    folder.files.sort((a, b) => byName(a.name, b.name));
  }
  return root;
}

function add(folder: ArtifactFolder, sizeBytes: number): void {
  folder.fileCount += 1;
  folder.sizeBytes += sizeBytes;
}

export function artifactRows(root: ArtifactFolder, closed: ReadonlySet<string>): ArtifactRow[] {
  const rows: ArtifactRow[] = [];
  collect(root, 0, closed, rows);
  return rows;
}

function collect(folder: ArtifactFolder, depth: number, closed: ReadonlySet<string>, rows: ArtifactRow[]): void {
  for (const inner of folder.folders) {
    const isOpen = !closed.has(inner.path);
    rows.push({ kind: "folder", depth, folder: inner, isOpen });
    if (isOpen) collect(inner, depth + 1, closed, rows);
  }
  for (const file of folder.files) rows.push({ kind: "file", depth, file });
}

/** What a reader most likely wants to see first: a picture, then a text, then whatever is there. */
export function firstFile(files: readonly ArtifactFile[]): ArtifactFile | null {
  const byKind = (pattern: RegExp) => files.find((file) => pattern.test(file.name));
  return byKind(/\.(png|jpe?g|webp|svg|gif)$/i) ?? byKind(/\.(md|txt|json|csv|ya?ml)$/i) ?? files[0] ?? null;
}
