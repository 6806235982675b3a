"""From slider to paint in the explorer: ``python benchmarks/explore.py [explore.html]``.

Builds the page (unless given one), opens it in Chromium, and prints how long a move of a slider
takes to be painted, whether every event of a drag is painted, what the file weighs, and what the
same two figures take with Plotly where the package plotly is installed. Needs the packages of the
extra ``test`` and Chromium.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, sync_playwright

PACKAGE = ("#1;growth=published;year=2035;target=500;eaeu_interim=0,2026,0.9,;"
           "eaeu_fta=0,2029,0.5,;veterinary_recognition=0,2027,0.5,;investment=0,2028,0.4,")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync")
SLIDER = "[data-lever=veterinary_recognition] input[type=range]"
STEPS, DRAG = 40, 30

WATCH = """() => {
  window.painted = [];
  window.events = 0;
  document.addEventListener('input', (event) => {
    window.events += 1;
    requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = () => window.painted.push(performance.now() - event.timeStamp);
      after.port2.postMessage(0);
    });
  });
}"""

OWN = """() => {
  const page = tradesim.page, times = [];
  for (let i = 0; i < 40; i++) {
    const found = page.answers.numbers(), place = page.answers.place, began = performance.now();
    page.fans(found, found.level[place], found.reference[place], found.change[place], false);
    document.body.getBoundingClientRect();
    times.push(performance.now() - began);
  }
  return times;
}"""

PLOTLY = """async () => {
  const numbers = tradesim.page.answers.numbers(), years = tradesim.page.emulator.years, times = [];
  const rows = (fan, at) => fan.map((row) => row[at] * (1 + Math.random() / 50));
  const traces = (fan) => [0, 4, 1, 3, 2].map((at, place) => ({x: years, y: rows(fan, at),
    mode: 'lines', fill: place % 2 ? 'tonexty' : undefined}));
  const holders = [0, 1].map(() => document.body.appendChild(document.createElement('div')));
  const fans = [numbers.level, numbers.change];
  const layout = {width: 560, height: 330};
  for (const i of [0, 1]) await Plotly.newPlot(holders[i], traces(fans[i]), layout);
  for (let i = 0; i < 40; i++) {
    const began = performance.now();
    for (const j of [0, 1]) await Plotly.react(holders[j], traces(fans[j]), layout);
    document.body.getBoundingClientRect();
    times.push(performance.now() - began);
  }
  return times;
}"""


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as running:
        path = Path(sys.argv[1]) if len(sys.argv) > 1 else built(Path(folder))
        print(f"file: {path.stat().st_size / 1e6:.2f} MB")
        browser = running.chromium.launch(executable_path=shutil.which("chromium"),
                                          args=list(FLAGS))
        page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
        page.goto(path.resolve().as_uri() + PACKAGE)
        say("slider to painted, single keys", keys(page))
        times, events = drag(page)
        say(f"slider to painted, {events} events of a drag of 1.5 s, {len(times)} painted", times)
        own = page.evaluate(OWN)
        say("both fans, own SVG", own)
        if find_spec("plotly"):
            import plotly

            page.add_script_tag(path=Path(plotly.__file__).parent / "package_data/plotly.min.js")
            theirs = page.evaluate(PLOTLY)
            say("both fans, Plotly", theirs)
            print(f"Plotly takes {np.median(theirs) / np.median(own):.0f} times as long")
        browser.close()


def built(folder: Path) -> Path:
    """Write the page, and print what that takes of the processor."""
    began = time.process_time()
    from tradesim.reports.explore.page import write
    from tradesim.studies.explore.build import explore

    explorer = explore()
    write(explorer, folder / "explore.html", "tradesim explore")
    quantile, chance = explorer.accuracy.mean
    print(f"build: {time.process_time() - began:.1f} s of the processor; error {quantile:.2f} % on "
          f"a quantile, {chance:.2f} points on the probability")
    return folder / "explore.html"


def keys(page: Page) -> list[float]:
    """Press keys on a slider, one after the other, and give the time to paint of each."""
    page.evaluate(WATCH)
    page.locator(SLIDER).nth(1).focus()
    for step in range(STEPS):
        page.keyboard.press("ArrowRight" if step % 20 < 10 else "ArrowLeft")
        page.wait_for_timeout(40)
    return list(page.evaluate("painted"))


def drag(page: Page) -> tuple[list[float], int]:
    """Drag a handle for 1.5 seconds and give the time to paint of each event, and their number."""
    page.evaluate("() => { painted = []; events = 0; }")
    handle = page.locator(SLIDER).nth(1)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    assert box
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] / 2, middle)
    page.mouse.down()
    for step in range(DRAG):
        page.mouse.move(box["x"] + box["width"] * (0.2 + 0.6 * (step % 15) / 15), middle)
        page.wait_for_timeout(50)
    page.mouse.up()
    page.wait_for_timeout(300)
    return list(page.evaluate("painted")), int(page.evaluate("events"))


def say(what: str, times: list[float]) -> None:
    """Print median and 90th percentile in milliseconds."""
    low, middle, high = np.percentile(times, [0, 50, 90])
    print(f"{what}: least {low:.1f} ms, median {middle:.1f} ms, 90th percentile {high:.1f} ms")


if __name__ == "__main__":
    main()
