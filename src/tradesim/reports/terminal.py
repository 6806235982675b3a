"""What the commands show on a terminal: progress bars and short tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from tradesim.common.arrays import MILLION

if TYPE_CHECKING:
    from tradesim.inputs.levers import Lever
    from tradesim.inputs.pair import Pair

Progress = Callable[[int, int], None]


@contextmanager
def progress(label: str) -> Iterator[Progress | None]:
    """Show a bar while long work runs; yields nothing to call where nobody watches.

    Parameters
    ----------
    label
        What is being done.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    bar = Progress(TextColumn("{task.description}"), BarColumn(),
                   TextColumn("{task.completed:.0f} of {task.total:.0f}"), TimeElapsedColumn(),
                   console=Console(stderr=True), transient=True)
    with bar:
        task = bar.add_task(label, total=None, visible=False)

        def show(done: int, total: int) -> None:
            bar.update(task, completed=done, total=total, visible=True)

        yield show


def columns(rows: Sequence[Sequence[str]]) -> str:
    """Lay texts out in columns: the first to the left, the others to the right."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = ["  ".join([row[0].ljust(widths[0]),
                        *(cell.rjust(width) for cell, width in
                          zip(row[1:], widths[1:], strict=True))]) for row in rows]
    return "\n".join(line.rstrip() for line in lines)


def outcome(headline: Mapping[str, Any], pair: Pair) -> str:
    """Short table of a run: turnover, its change, and the chance of the target.

    Levels are medians; a change is a mean, because a lever that more often fails than not has
    a median change of zero. One draw has neither ranges nor probabilities, and a scenario that
    changes nothing has one column.

    Parameters
    ----------
    headline
        What `results.headline` gives.
    pair
        Names of counts.
    """
    turnover, implemented = headline["turnover"], headline.get("if_implemented", {})
    point = headline["draws"] == 1
    still = all(not any(turnover[year]["effect"].values())
                and implemented.get(year, turnover[year]["reference"])
                == turnover[year]["reference"] for year in turnover)
    years = [year for year in turnover if int(year) % 5 == 0 or year == max(turnover)][-3:]
    said = "one draw, everything at its middle" if point else "median and 80 % range"
    lines = [f"Turnover, USD million, {pair.counts[headline['count']].title}: {said}",
             columns(_point_rows(headline, years, still) if point
                     else _rows(turnover, years, still)), ""]
    if not still and not point and any(_outside(turnover[year]["effect"]) for year in years):
        lines += ["A mean outside its range: few draws have a large change, most have none.", ""]
    for year, by_count in headline.get("statistics", {}).items():
        said = ", ".join(f"{value / MILLION:.1f} ({pair.counts[count].title})"
                         for count, value in by_count.items())
        lines.append(f"Statistics of {year}: {said}")
    lines.append("One draw: no ranges, no probability" if point
                 else _chances(headline["target"], years, still))
    draws = headline["draws"]
    lines.append(f"{draws} draw{'' if point else 's'}, seed {headline['seed']}, run "
                 f"{headline['run_id']}, largest residual {headline['max_residual']:.1g}")
    return "\n".join(lines)


def _rows(turnover: Mapping[str, Any], years: Sequence[str], still: bool) -> list[list[str]]:
    if still:
        return [["", "reference"],
                *([year, _range(turnover[year]["reference"], "p50")] for year in years)]
    return [["", "reference", "scenario", "mean change"],
            *([year, *(_range(turnover[year][case], "p50") for case in ("reference", "scenario")),
               _range(turnover[year]["effect"], "mean", "+")] for year in years)]


def _point_rows(headline: Mapping[str, Any], years: Sequence[str],
                still: bool) -> list[list[str]]:
    rows = [["", "reference", *([] if still else ["if implemented", "change"])]]
    for year in years:
        before = headline["turnover"][year]["reference"]["p50"]
        after = headline["if_implemented"][year]["p50"]
        rows.append([year, _amount(before),
                     *([] if still else [_amount(after), _amount(after - before, "+")])])
    return rows


def _outside(effect: Mapping[str, float]) -> bool:
    return not effect["p10"] <= effect["mean"] <= effect["p90"]


def _chances(target: Mapping[str, Any], years: Sequence[str], still: bool) -> str:
    by_year = target["probability"]
    said = "; ".join(
        f"{year}: {_per_cent(by_year[year]['reference'])}" + (
            "" if still else f" without, {_per_cent(by_year[year]['scenario'])} with")
        for year in years)
    return f"Probability of USD {target['value'] / MILLION:,.0f} million ({said})"


def _amount(value: float, sign: str = "") -> str:
    return _shown(value / MILLION, 0 if abs(value) >= 100 * MILLION else 1, sign)


def _shown(number: float, places: int, sign: str) -> str:
    number = round(number, places)
    return f"{number:{sign},.{places}f}" if number else f"{0:.{places}f}"


def _range(statistics: Mapping[str, float], centre: str, sign: str = "") -> str:
    middle, low, high = (statistics[name] / MILLION for name in (centre, "p10", "p90"))
    places = 0 if max(abs(middle), abs(low), abs(high)) >= 100 else 1
    middle_text, *ends = (_shown(number, places, sign) for number in (middle, low, high))
    return f"{middle_text} ({ends[0]} to {ends[1]})"


def _per_cent(share: float) -> str:
    return "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def fitted(specifications: Mapping[str, Mapping[str, Any]]) -> str:
    """Prior against posterior, one line per calibrated parameter of each specification."""
    parts = []
    for name, one in specifications.items():
        rows = [["parameter", "prior", "posterior", "90 % range", "learnt", "R-hat"]]
        for parameter, row in one["parameters"].items():
            rows.append([parameter, f"{row['prior_mean']:.3g} ± {row['prior_sd']:.2g}",
                         f"{row['mean']:.3g} ± {row['sd']:.2g}",
                         f"{row['p05']:.3g} to {row['p95']:.3g}",
                         f"{100 * row['contraction']:.0f} %", f"{row['rhat']:.3f}"])
        parts.append(f"{name} (weight {one['weight']:.2f}, data from {one['first_year']})\n\n"
                     + columns(rows))
    return "\n\n".join(parts)


def lever_list(levers: Mapping[str, Lever]) -> str:
    """All levers, one line each, by family; what a scenario must give stands behind them."""
    from tradesim.inputs.levers import FAMILIES
    from tradesim.inputs.scenario_text import describe

    width = max((len(name) for name in levers), default=0)
    lines = []
    for family, heading in FAMILIES.items():
        chosen = {name: lever for name, lever in levers.items() if lever.family == family}
        lines += [heading] if chosen else []
        for name, lever in chosen.items():
            chance = describe(lever.settings["probability"]).removesuffix(" share")
            told = [] if chance == "1" else [f"probability {chance}"]
            told += [f"give {', '.join(lever.required)}"] if lever.required else []
            lines.append(f"  {name.ljust(width)}  {lever.title}"
                         + (f" [{'; '.join(told)}]" if told else ""))
        lines += [""] if chosen else []
    return "\n".join([*lines, "tradesim levers NAME lists a lever's settings."])


def lever_page(lever: Lever) -> str:
    """One lever: its state, its settings with unit, range, source and grade."""
    from tradesim.inputs.scenario_text import describe

    lines = [f"{lever.name}: {lever.title}", f"kind: {lever.kind}"
             + ("; works only while the shared corridor is open" if lever.needs_corridor else "")
             + ("; comes at once" if lever.at_once else "")
             + (f"; later stage of {lever.follows}, whose settings it shares" if lever.follows
                else "")
             + (f"; also as {lever.name}_WORD, as often as needed" if lever.repeatable else ""),
             "", click.wrap_text(lever.state, 88), "", "Settings"]
    for name, setting in lever.settings.items():
        origin = f"{setting.source}, {setting.locator}" if setting.locator else setting.source
        lines += [f"  {name}", click.wrap_text(setting.title, 88, "    ", "    "),
                  f"    default: {describe(setting)}", f"    allowed: {setting.allowed}",
                  click.wrap_text(f"source: {origin} (grade {setting.grade})", 88, "    ",
                                  "      ")]
        if setting.note:
            lines.append(click.wrap_text(f"note: {setting.note}", 88, "    ", "      "))
    lines += ["", "Sources", *(f"  {source.title} {source.url}".rstrip()
                               for source in lever.sources)]
    return "\n".join(lines)
