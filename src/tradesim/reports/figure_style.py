"""Style, colours and files that all figures share.

The style is `templates/figures.mplstyle`; the colours stay apart for readers who cannot tell red
from green (Okabe and Ito 2008).
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import FuncFormatter, MaxNLocator

from tradesim.reports.wording import MINUS, TEMPLATES, words

PNG_DPI = 160
# Height of the foot that names the run, inches.
FOOT = 0.17
REFERENCE, SCENARIO, IMPLEMENTED = "#4d4d4d", "#0072B2", "#C04F00"
QUIET = "#6b6b6b"
COUNTS = ("#00795A", "#A3497D", "#8A6A00", "#0072B2")
FAN = (((0.05, 0.95), "#ebebeb"), ((0.10, 0.90), "#d6d6d6"), ((0.25, 0.75), "#bababa"))
CASES = {"reference": REFERENCE, "scenario": SCENARIO, "if_implemented": IMPLEMENTED}


@contextmanager
def style(salt: str) -> Iterator[None]:
    """Draw in the style of the report, whatever the reader's own settings of matplotlib."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rc_file(TEMPLATES / "figures.mplstyle")
        mpl.rcParams["svg.hashsalt"] = salt
        yield


def save(figure: Figure, name: str, folder: Path) -> str:
    """Write a figure as PNG and SVG and give the SVG's text; same figure, same bytes."""
    with style(name):
        # The canvases are called directly: `savefig` would draw every figure twice.
        bitmap: Any = FigureCanvasAgg(figure)
        figure.set_dpi(PNG_DPI)
        _settle(figure)
        bitmap.print_png(folder / f"{name}.png", metadata={"Software": None})
        vector: Any = FigureCanvasSVG(figure)
        buffer = io.StringIO()
        vector.print_svg(buffer, metadata={"Date": None, "Creator": None,
                                           "Title": figure.get_suptitle()})
    (folder / f"{name}.svg").write_text(buffer.getvalue(), encoding="utf-8", newline="\n")
    return buffer.getvalue()


def _settle(figure: Figure) -> None:
    """Lay a figure out once and round the result: its solver's last bits differ between runs."""
    figure.draw_without_rendering()
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position(original=True).bounds
        axes.set_position((round(left, 5), round(bottom, 5), round(width, 5), round(height, 5)))


def lying_bars(axes: Axes, rows: int) -> None:
    """Set axes up for horizontal bars, the first on top, with few numbers below."""
    axes.set_ylim(rows - 0.4, -0.6)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(3))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", MINUS)))


def sign(figure: Figure, run_id: str) -> None:
    """Write the run's identity (or several) in small grey letters at the foot of a figure."""
    foot = FOOT / figure.get_figheight()
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0.0, foot, 1.0, 1.0 - foot))
    figure.text(0.995, 0.25 * foot, words()["run"].format(run_id=run_id), ha="right", va="bottom",
                fontsize=7.5, color=QUIET)
