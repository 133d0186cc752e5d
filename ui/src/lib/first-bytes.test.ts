import { expect, test } from "vitest";
import { firstBytes } from "./first-bytes.ts";

function streamOf(...chunks: number[][]): { stream: ReadableStream<Uint8Array>; seen: { pulled: number; isCancelled: boolean } } {
  const seen = { pulled: 0, isCancelled: false };
  const stream = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        const chunk = chunks[seen.pulled++];
        if (chunk === undefined) controller.close();
        else controller.enqueue(Uint8Array.from(chunk));
      },
      cancel() {
        seen.isCancelled = true;
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, seen };
}

test("the beginning is what was asked for, and the rest is left where it is", async () => {
  const { stream, seen } = streamOf([1, 2, 3], [4, 5, 6], [7]);
  expect([...(await firstBytes(stream.getReader(), 5))]).toEqual([1, 2, 3, 4, 5]);
  expect(seen).toEqual({ pulled: 2, isCancelled: true });
});

test("less than was asked for is all there is", async () => {
  const { stream } = streamOf([1, 2], []);
  expect([...(await firstBytes(stream.getReader(), 5))]).toEqual([1, 2]);
});
