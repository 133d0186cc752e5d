// Runs in the measured page before anything of its own: says when something is seen, by what is painted, frame by frame.
"use strict";
window.probe = {
  /** Coloured pixels of a canvas; grids, axes and text are grey. */
  ink(canvas) {
    if (!canvas.width || !canvas.height) return 0;
    const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) {
      const red = data[at], green = data[at + 1], blue = data[at + 2];
      if (data[at + 3] > 40 && Math.max(red, green, blue) - Math.min(red, green, blue) > 40) count += 1;
    }
    return count;
  },
  /** Of all pixels, so that any change shows. */
  digest(canvas) {
    const words = new Uint32Array(canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.buffer);
    let hash = 0;
    for (const word of words) hash = (Math.imul(hash, 31) + word) | 0;
    return hash;
  },
  /** The chart's layers, whichever of them it draws its lines on. */
  canvasesOf(metric) {
    const named = [...document.querySelectorAll("[aria-label]")].filter((one) => one.getAttribute("aria-label") === metric);
    return [...(named.find((one) => one.querySelector("canvas"))?.querySelectorAll("canvas") ?? [])];
  },
  inkOf: (metric) => probe.canvasesOf(metric).reduce((sum, one) => sum + probe.ink(one), 0),
  pictureOf: (metric) => probe.canvasesOf(metric).map((one) => (one.width && one.height ? probe.digest(one) : 0)).join(),
  /** Whether curves are to be seen, whoever drew them: on a canvas of any kind, or as long SVG paths. */
  curves() {
    const paper = (probe.paper ??= new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true }));
    for (const canvas of document.querySelectorAll("canvas")) {
      const { width, height } = canvas;
      if (width < 100 || height < 60) continue;
      Object.assign(paper.canvas, { width, height });
      paper.drawImage(canvas, 0, 0);
      const { data } = paper.getImageData(0, 0, width, height);
      let count = 0;
      for (let at = 0; at < data.length; at += 4) {
        const high = Math.max(data[at], data[at + 1], data[at + 2]), low = Math.min(data[at], data[at + 1], data[at + 2]);
        if (data[at + 3] > 40 && high - low > 40 && (count += 1) > 50) return true;
      }
    }
    return [...document.querySelectorAll("svg path")].some((path) => {
      if ((path.getAttribute("d")?.length ?? 0) < 500 || path.getBoundingClientRect().width < 60) return false;
      const color = getComputedStyle(path).stroke.match(/\d+/g)?.map(Number) ?? [0, 0, 0];
      return Math.max(...color.slice(0, 3)) - Math.min(...color.slice(0, 3)) > 40;
    });
  },
  rows() {
    return [...document.querySelectorAll('[role="grid"] [role="row"] a[href*="/runs/"]')].map((link) => link.getAttribute("href"));
  },
  /** Resolves with performance.now() of the frame after the first in which `test` holds: by then it is on the screen. */
  seen(test, timeout = 60000) {
    return new Promise((resolve, reject) => {
      const until = performance.now() + timeout;
      const look = () => {
        let found = false;
        try {
          found = Boolean(test());
        } catch (error) {
          return reject(error);
        }
        if (found) return requestAnimationFrame(() => resolve(performance.now()));
        if (performance.now() > until) return reject(new Error(`not seen within ${timeout} ms: ${test}`));
        requestAnimationFrame(look);
      };
      look();
    });
  },
  /** Lengths of all frames and long tasks until the returned function is called. */
  frames() {
    const lengths = [], tasks = [];
    let before = performance.now(), going = true;
    const observer = new PerformanceObserver((list) => tasks.push(...list.getEntries().map((entry) => entry.duration)));
    observer.observe({ type: "longtask" });
    const tick = (now) => {
      lengths.push(now - before);
      before = now;
      if (going) requestAnimationFrame(tick);
    };
    requestAnimationFrame((now) => { before = now; requestAnimationFrame(tick); });
    return () => {
      going = false;
      observer.disconnect();
      return { lengths, tasks };
    };
  },
  /** A click on a column's name, until the first rows are others and the table is at rest. */
  async sort(label) {
    const first = () => probe.rows().slice(0, 5).join();
    const heads = [...document.querySelectorAll('[role="columnheader"]')];
    const button = heads.map((one) => one.querySelector("button")).find((one) => one?.textContent.trim().split(/\s/)[0] === label);
    if (!button) throw new Error(`no column ${label}`);
    const before = first();
    const began = performance.now();
    button.click();
    const isBusy = () => document.querySelector('[role="grid"]').getAttribute("aria-busy") === "true";
    return (await probe.seen(() => probe.rows().length > 5 && first() !== before && !isBusy())) - began;
  },
  /** Selects every run, then lets one chart appear; until its picture no longer changes. */
  async allOnOneChart() {
    const search = document.querySelector('[aria-label^="Search metrics"]');
    document.querySelector('[role="grid"] input[aria-label="Select all"]').click();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    const began = performance.now();
    search.value = "";
    search.dispatchEvent(new Event("input", { bubbles: true }));
    const first = await probe.seen(() => probe.inkOf("train/loss") > 50);
    let picture = "", since = performance.now(), last = since;
    // Whole when nothing has changed for half a second; the time is that of the last change.
    while (performance.now() - since < 500) {
      await new Promise(requestAnimationFrame);
      const now = probe.pictureOf("train/loss");
      if (now !== picture) {
        picture = now;
        last = since = performance.now();
      }
    }
    const asked = performance.getEntriesByType("resource").filter((one) => one.name.includes("/runs/series") && one.startTime >= began);
    return {
      chart_ms: last - began,
      first_ink_ms: first - began,
      series_ms: asked.reduce((most, one) => Math.max(most, one.responseEnd), began) - began,
      series_bytes: asked.reduce((sum, one) => sum + one.decodedBodySize, 0),
    };
  },
};
