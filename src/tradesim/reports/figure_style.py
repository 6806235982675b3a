"""Style, colours and files that all figures share.

The style is `templates/figures.mplstyle`; the colours stay apart for readers who cannot tell red
from green (Okabe and Ito 2008).
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Iterator, Sequence
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

from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.language import language
from tradesim.reports.letters import drawable
from tradesim.reports.wording import MINUS, TEMPLATES, words

WIDTH = 7.0
PNG_DPI = 160
FOOT = 0.17
"""Height of the foot that names the run, inches."""

QUIET = "#6b6b6b"
COUNTS = ("#00795A", "#A3497D", "#8A6A00", "#0072B2")
FAN = (((0.05, 0.95), "#ebebeb"), ((0.10, 0.90), "#d6d6d6"), ((0.25, 0.75), "#bababa"))
BEHIND = {"facecolor": "white", "alpha": 0.85, "edgecolor": "none", "pad": 1.0}
"""What stands behind a label that a line or a shade may cross."""

CASES = {"reference": REFERENCE, "scenario": SCENARIO, "if_implemented": IMPLEMENTED}

Draw = Callable[[], Figure | None]
"""Draws a figure, or nothing where the data are too few."""


@contextmanager
def style(salt: str = "tradesim") -> Iterator[None]:
    """Draw in the style of the report, whatever the reader's own settings of matplotlib."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rc_file(TEMPLATES / "figures.mplstyle")
        mpl.rcParams["svg.hashsalt"] = salt
        yield


def styled(draw: Draw, run_id: str = "") -> Figure | None:
    """Draw a figure in the style of the report, with the run's identity at its foot."""
    with style():
        figure = draw()
        if figure is not None and run_id:
            _sign(figure, run_id)
    return figure


def save(figure: Figure, name: str, folder: Path) -> str:
    """Write a figure as PNG and SVG and give the SVG's text; same figure, same bytes.

    Letters that no font has are boxes in the PNG; in the SVG, and on the page, they are text.
    """
    with style(name), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        # The canvases are called directly: `savefig` would draw every figure twice.
        bitmap: Any = FigureCanvasAgg(figure)
        figure.set_dpi(PNG_DPI)
        _settle(figure)
        with drawable(figure):
            bitmap.print_png(folder / f"{name}.png", metadata={"Software": None})
        vector: Any = FigureCanvasSVG(figure)
        buffer = io.StringIO()
        vector.print_svg(buffer, metadata={"Date": None, "Creator": None,
                                           "Title": figure.get_suptitle()})
    (folder / f"{name}.svg").write_text(buffer.getvalue(), encoding="utf-8", newline="\n")
    return buffer.getvalue()


def _settle(figure: Figure) -> None:
    """Lay a figure out once and round the result: its solver's last bits differ between runs."""
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
    figure.set_layout_engine("none")
    for axes in figure.axes:
        left, bottom, width, height = axes.get_position(original=True).bounds
        axes.set_position((round(left, 5), round(bottom, 5), round(width, 5), round(height, 5)))


def _sign(figure: Figure, run_id: str) -> None:
    """Write the run's identity (or several) in small grey letters at the foot of a figure."""
    foot = FOOT / figure.get_figheight()
    engine = figure.get_layout_engine()
    if isinstance(engine, ConstrainedLayoutEngine):
        engine.set(rect=(0.0, foot, 1.0, 1.0 - foot))
    figure.text(0.995, 0.25 * foot, words()["run"].format(run_id=run_id), ha="right", va="bottom",
                fontsize=7.5, color=QUIET)


class ReportFigure(Figure):
    """A figure that a notebook shows as it is, without pyplot."""

    def _repr_png_(self) -> bytes:
        held = io.BytesIO()
        self.savefig(held, format="png", dpi=110)
        return held.getvalue()


def canvas(title: str, height: float) -> Figure:
    """Give an empty figure of the width of a page, with its title."""
    figure = ReportFigure(figsize=(WIDTH, height), layout="constrained")
    figure.suptitle(title, x=0.01, ha="left")
    return figure


def subplots(title: str, height: float, rows: int = 1, columns: int = 1, *, used: int | None = None,
           **options: Any) -> tuple[Figure, list[Axes]]:
    """Give a figure with a title and its panels row by row; those beyond `used` are not shown."""
    figure = canvas(title, height)
    axes = list(figure.subplots(rows, columns, squeeze=False, **options).flat)
    for one in axes[used:] if used is not None else ():
        one.set_visible(False)
    return figure, axes


def horizontal_bars(axes: Axes, rows: int | None = None, ticks: int = 3) -> None:
    """Set axes up for horizontal bars with few numbers below; of so many rows the first on top."""
    if rows is not None:
        axes.set_ylim(rows - 0.4, -0.6)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", visible=True)
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_locator(MaxNLocator(ticks))
    axes.xaxis.set_major_formatter(FuncFormatter(tick))


def whole_years(axes: Axes, ticks: int) -> None:
    """Set an axis of years up: whole numbers, no grid."""
    axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=[1, 2, 5, 10]))
    axes.margins(x=0.02)
    axes.grid(axis="x", visible=False)


def tick(value: float, _: int | None = None) -> str:
    """Write the number beside a tick."""
    return f"{value:g}".replace("-", MINUS).replace(".", language().point)


def beside(axes: Axes, text: str, at: tuple[float, float], shift: tuple[float, float] = (3, 0),
           **look: Any) -> None:
    """Write a text a few points beside a point."""
    axes.annotate(text, at, xytext=shift, textcoords="offset points", **look)


def legend_below(figure: Figure, handles: Sequence[Any], **options: Any) -> None:
    """Put a legend without a frame under all panels."""
    figure.legend(handles=handles, frameon=False, fontsize=8, **options)
