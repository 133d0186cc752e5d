"""What is measured of the page, each as a function of a browser and its folders that yields one dict of figures a try.

Times are taken inside the page, by its own clock, up to the frame after the one in which the thing was painted; the clock
starts at the navigation, or at the input event as the page receives it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from benchmarks import environments, page_peers, page_site

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page, Response

Figures = dict[str, float]
METRIC = "train/loss"
FIRST_INK = "probe.seen(() => [...document.querySelectorAll('canvas')].some((one) => probe.ink(one) > 50))"
FIRST_ROWS = "probe.seen(() => probe.rows().length > 5)"
ROWS_SCROLLED = 20_000
ROW_PX = 32
WHEEL_PX = 1_600


class Made(NamedTuple):
    """Folders by name; versions of what was measured beside."""

    folder: Callable[[str], Path]
    tries: int
    versions: dict[str, str]


def first_chart(chromium: Browser, made: Made) -> Iterator[Figures]:
    """Cold: an empty cache, a new context, a server that has been asked once."""
    with page_site.site(made.folder("S10")) as address:
        for turn in range(made.tries + 1):
            with page_site.fresh_page(chromium) as page:
                scripts: list[Response] = []
                page.on("response", lambda answer, kept=scripts: kept.append(answer) if ".js" in answer.url else None)
                page.goto(address, wait_until="commit")
                chart = page.evaluate(FIRST_INK)
                painted = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? null")
                bodies = [answer.body() for answer in scripts]
                if turn:  # the first asks the server for things that it has yet to load
                    size = sum(len(gzip.compress(body, 9)) for body in bodies)
                    yield {"first_chart_ms": chart, "first_paint_ms": painted, "js_gzip_bytes": size}


def peers(chromium: Browser, made: Made) -> Iterator[Figures]:
    """Cold to the first chart, Lineal and other trackers in turn, told by the same eye."""
    own = made.folder("S10")
    with page_site.site(own) as address, page_peers.all_served(own.parent) as (others, versions):
        made.versions.update(versions)
        places = {"lineal": address, **others}
        for turn in range(made.tries + 1):
            for at in range(len(places)):
                name = list(places)[(at + turn) % len(places)]
                try:
                    figures = _cold(chromium, places[name])
                except Exception as error:  # one that is not seen does not take the others along
                    print(f"{name}: {error}", file=sys.stderr)
                    continue
                if turn:  # the first asks each server for things that it has yet to load
                    yield {f"peers/{name}/{figure}": value for figure, value in figures.items()}


def _cold(chromium: Browser, address: str) -> Figures:
    with page_site.fresh_page(chromium) as page:
        answers: list[Response] = []
        page.on("response", lambda answer: answers.append(answer))
        page.goto(address, wait_until="commit")
        chart = page.evaluate("probe.seen(() => probe.curves())")
        asked = len(answers)
        scripts = [
            answer.body()
            for answer in answers[:asked]
            if "javascript" in (answer.headers.get("content-type") or "") and answer.ok
        ]
        size = sum(len(gzip.compress(body, 9)) for body in scripts)
        return {"chart_ms": chart, "js_gzip_bytes": size, "requests": asked}


def whole_js(static: Path) -> Figures:
    """All JavaScript that any of the pages may ask for."""
    files = sorted((static / "assets").glob("*.js"))
    return {"all_js_gzip_bytes": sum(len(gzip.compress(path.read_bytes(), 9)) for path in files)}


def first_rows(chromium: Browser, made: Made) -> Iterator[Figures]:
    with page_site.site(made.folder("many")) as address:
        for turn in range(made.tries + 1):
            with page_site.fresh_page(chromium) as page:
                page.goto(address, wait_until="commit")
                seen = page.evaluate(FIRST_ROWS)
                yield {"first_rows_ms" if turn else "first_rows_new_server_ms": seen}


def sort(chromium: Browser, made: Made) -> Iterator[Figures]:
    """By metrics that nobody has asked for yet, then by the same again in the other direction."""
    with page_site.site(made.folder("many")) as address, page_site.fresh_page(chromium) as page:
        columns = "metrics.loss,metrics.acc,metrics.f1,metrics.memory,metrics.grad_norm"
        page.goto(f"{address}/?cols={columns}")
        page.evaluate(FIRST_ROWS)
        page.wait_for_timeout(1_000)
        for label in ("loss", "acc", "f1", "memory", "grad_norm"):
            yield {"sort_first_ms": page.evaluate("label => probe.sort(label)", label)}
            yield {"sort_again_ms": page.evaluate("label => probe.sort(label)", label)}


def scroll(chromium: Browser, made: Made) -> Iterator[Figures]:
    """The wheel, as fast as a hand would, over 20,000 rows; and over a bare tall page, to tell how much is the machine."""
    with page_site.site(made.folder("many")) as address:
        for _ in range(max(2, made.tries // 2)):
            with page_site.fresh_page(chromium) as page:
                page.goto(address)
                page.evaluate(FIRST_ROWS)
                page.wait_for_timeout(1_500)
                box = page.get_by_role("grid").bounding_box()
                assert box is not None
                page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
                figures = _wheel(page)
                moved = page.evaluate("document.querySelector('[role=\"grid\"]').scrollTop") / ROW_PX
                assert moved > ROWS_SCROLLED * 0.95, f"only {moved:.0f} rows went by"
                filled = page.evaluate(f"performance.now().toFixed() && {FIRST_ROWS}") - page.evaluate("probe.stopped")
            with page_site.fresh_page(chromium) as page:
                page.goto("about:blank")
                page.set_content("<div style='height:9000000px'>tall</div>")
                page.add_script_tag(path=page_site.PROBE)
                page.mouse.move(700, 400)
                control = _wheel(page)
            beside = {f"control_{name}": value for name, value in control.items()}
            yield figures | beside | {"rows_after_stop_ms": max(0.0, filled)}


def _wheel(page: Page) -> Figures:
    page.evaluate("() => { probe.stop = probe.frames(); }")  # an expression that is a function would be called
    for _ in range(ROWS_SCROLLED * ROW_PX // WHEEL_PX):
        page.mouse.wheel(0, WHEEL_PX)
    found = page.evaluate("() => { probe.stopped = performance.now(); return probe.stop(); }")
    lengths, tasks = found["lengths"], found["tasks"]
    assert len(lengths) > 100, "no frames were counted"
    return {
        "worst_frame_ms": max(lengths),
        "median_frame_ms": median(lengths),
        "frames": len(lengths),
        "frames_over_50_ms": sum(length > 50 for length in lengths),
        "long_tasks": len(tasks),
        "longest_task_ms": max(tasks, default=0.0),
    }


def one_chart(chromium: Browser, made: Made, name: str) -> Iterator[Figures]:
    """100 runs on one chart: from the click that selects all of them to the picture that no longer changes."""
    with page_site.site(made.folder(name)) as address:
        for turn in range(made.tries + 1):
            with page_site.fresh_page(chromium) as page:
                page.goto(f"{address}/?charts=nothing-is-called-so")
                page.evaluate(FIRST_ROWS)
                page.wait_for_timeout(1_000)
                figures = page.evaluate("probe.allOnOneChart()")
                if turn:
                    yield {f"{name}_{key}": value for key, value in figures.items()}
                else:
                    yield {f"{name}_new_server_chart_ms": figures["chart_ms"]}


LOGGER = """
import json, sys, time
import lineal
with lineal.init("live", "beat", url=sys.argv[1]) as run:
    for step in range(50):
        run.log({"beat": float(step % 2)}, step=step)
    print("ready", flush=True)
    for line in sys.stdin:
        step, value = json.loads(line)
        at = time.time()
        run.log({"beat": value}, step=step)
        print(json.dumps(at * 1e3), flush=True)
"""


def log_to_pixel(chromium: Browser, made: Made) -> Iterator[Figures]:
    """A training process logs a value ten times higher than all before; until the chart has changed. Both read one clock."""
    import shutil
    import tempfile

    folder = Path(tempfile.mkdtemp(prefix="bench-pixel-"))
    path = os.pathsep.join([str(environments.HERE.parent), str(environments.HERE.parent / "src")])
    logger = subprocess.Popen(
        [sys.executable, "-c", LOGGER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
    )
    assert logger.stdin is not None and logger.stdout is not None
    try:
        logger.stdout.readline()
        with page_site.site(folder) as address, page_site.fresh_page(chromium) as page:
            page.goto(address)
            page.evaluate("probe.seen(() => probe.inkOf('beat') > 20)")
            for turn in range(max(12, made.tries)):
                page.wait_for_timeout(1_500 + 37 * turn)  # at other phases of whatever ticks
                page.evaluate(
                    "(() => { const before = probe.pictureOf('beat');"
                    " probe.changed = probe.seen(() => probe.pictureOf('beat') !== before)"
                    ".then((now) => performance.timeOrigin + now); })()"
                )
                logger.stdin.write(json.dumps([50 + turn, 10.0 ** (turn + 1)]) + "\n")
                logger.stdin.flush()
                logged = float(logger.stdout.readline())
                yield {"log_to_pixel_ms": page.evaluate("probe.changed") - logged}
    finally:
        logger.stdin.close()
        logger.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def start(chromium: Browser, made: Made) -> Iterator[Figures]:
    """`lineal ui` until it answers, over 100,000 runs."""
    for _ in range(made.tries):
        time.sleep(0.2)
        yield {"ui_answers_ms": page_site.seconds_to_answer(made.folder("many")) * 1e3}
