import { describe, expect, it } from "vitest";
import type { Artifact } from "../../api/shapes.ts";
import { artifactFiles, artifactRows, artifactTree, firstFile } from "./artifact-tree.ts";
import { decodeText, previewOf } from "./preview-kind.ts";

const artifact = (path: string, version = 1, more: Partial<Artifact> = {}): Artifact => ({
  path, version, size_bytes: 10, digest: "d", uri: null, media_type: null, logged_at: null, ...more,
});

describe("the tree of artifacts", () => {
  const files = artifactFiles([artifact("model.pt"), artifact("plots/b.png"), artifact("plots/a10.png"), artifact("plots/a2.png", 1), artifact("plots/a2.png", 2, { size_bytes: 30 }), artifact("plots/deep/x.txt")]);

  it("gathers versions, newest first", () => {
    expect(files.find((file) => file.path === "plots/a2.png")?.versions.map((one) => one.version)).toEqual([2, 1]);
  });

  it("shows folders before files, counts and sums what they hold", () => {
    const root = artifactTree(files);
    expect(root).toMatchObject({ fileCount: 5, sizeBytes: 70 });
    const names = artifactRows(root, new Set()).map((row) => `${" ".repeat(row.depth)}${row.kind === "folder" ? `${row.folder.name}/` : row.file.name}`);
    expect(names).toEqual(["plots/", " deep/", "  x.txt", " a2.png", " a10.png", " b.png", "model.pt"]);
    expect(artifactRows(root, new Set(["plots"]))).toHaveLength(2);
  });

  it("opens with a picture if there is one", () => {
    expect(firstFile(files)?.path).toBe("plots/b.png");
    expect(firstFile(artifactFiles([artifact("a.bin"), artifact("notes.md")]))?.path).toBe("notes.md");
    expect(firstFile([])).toBeNull();
  });
});

describe("a preview", () => {
  it.each([
    ["a.png", "image"], ["a.SVG", "image"], ["a.json", "json"], ["a.csv", "csv"], ["a.tsv", "csv"], ["README.md", "markdown"],
    ["train.py", "text"], ["Makefile", "text"], ["page.html", "text"], ["model.pt", "none"], ["x.pkl", "none"],
  ])("of %s is %s", (path, kind) => {
    expect(previewOf(artifact(path)).kind).toBe(kind);
  });

  it("goes by the media type where the name says nothing", () => {
    expect(previewOf(artifact("picture", 1, { media_type: "image/png" })).kind).toBe("image");
    expect(previewOf(artifact("notes", 1, { media_type: "text/plain; charset=utf-8" })).kind).toBe("text");
  });

  it("is bounded, and says why there is none", () => {
    expect(previewOf(artifact("a.png", 1, { size_bytes: 1e9 })).reason).toContain("too large");
    expect(previewOf(artifact("a.json", 1, { size_bytes: 1e9 })).kind).toBe("text");
    expect(previewOf(artifact("a.txt", 1, { size_bytes: 0 })).reason).toContain("empty");
    expect(previewOf(artifact("a.txt", 1, { uri: "s3://b/a.txt" })).reason).toContain("reference");
  });

  it("cuts no character in two", () => {
    const bytes = new TextEncoder().encode("aé").subarray(0, 2);
    expect(decodeText(bytes, 3)).toEqual({ text: "a", isWhole: false, isBinary: false });
    expect(decodeText(new Uint8Array([65, 0]), 2).isBinary).toBe(true);
  });
});
