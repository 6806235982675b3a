"""What the commands show on a terminal: a progress bar and short tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any

import click

from tradesim.common.arrays import MILLION

if TYPE_CHECKING:
    from tradesim.inputs.levers import Lever
    from tradesim.inputs.pair import Pair

Progress = Callable[[int, int], None]


@contextmanager
def progress(label: str, rate: str = "") -> Iterator[Progress | None]:
    """Show a bar while long work runs; yields nothing to call where nobody watches.

    Where `rate` names what is counted, the bar says how many there are a second.
    """
    if not sys.stderr.isatty():
        yield None
        return
    with ExitStack() as stack:
        bars: list[Any] = []

        def speed(_: Any) -> str | None:
            each = bars[0].time_per_iteration if bars else 0.0
            return f"{1 / each:,.0f} {rate}" if rate and each else None

        def show(done: int, total: int) -> None:
            if not bars:
                bars.append(stack.enter_context(click.progressbar(
                    length=total, label=label, show_pos=True, item_show_func=speed,
                    file=sys.stderr)))
            bars[0].length = total
            bars[0].update(done - bars[0].pos)

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
    heading, rows, notes = parts(headline, pair)
    return "\n".join([heading, columns(rows), "", *notes])


def parts(headline: Mapping[str, Any], pair: Pair) -> tuple[str, list[list[str]], list[str]]:
    """Give the heading, the rows and the notes of `outcome`."""
    from tradesim.simulation.draws import every_fifth

    turnover, point = headline["turnover"], headline["draws"] == 1
    years = [str(year) for year in every_fifth([int(year) for year in turnover])][-3:]
    changes, show = _changes(headline), _point if point else _ranges
    rows, remarks = show(headline, years, changes)
    heading = (f"Turnover, USD million, {pair.counts[headline['count']].title}: "
               + ("one draw, everything at its middle" if point else "median and 80 % range"))
    return heading, rows, [
        *remarks,
        *(f"Statistics of {year}: " + ", ".join(
            f"{value / MILLION:.1f} ({pair.counts[count].title})"
            for count, value in by_count.items())
          for year, by_count in headline.get("statistics", {}).items()),
        "One draw: no ranges, no probability" if point
        else _chances(headline["target"], years, changes),
        *_by_growth(headline.get("growth", {}), changes, point),
        f"{headline['draws']} draw{'' if point else 's'}, seed {headline['seed']}, run "
        f"{headline['run_id']}, largest residual {headline['max_residual']:.1g}"]


def _changes(headline: Mapping[str, Any]) -> bool:
    """Whether the scenario changes turnover in any year, with its risks or if implemented."""
    implemented = headline.get("if_implemented", {})
    return any(any(cases["effect"].values())
               or implemented.get(year, cases["reference"]) != cases["reference"]
               for year, cases in headline["turnover"].items())


def _ranges(headline: Mapping[str, Any], years: Sequence[str],
            changes: bool) -> tuple[list[list[str]], list[str]]:
    turnover = headline["turnover"]
    cases = ("reference", "scenario") if changes else ("reference",)
    rows = [["", *cases, *(["mean change"] if changes else [])]]
    for year in years:
        rows.append([year, *(_range(turnover[year][case], "p50") for case in cases),
                     *([_range(turnover[year]["effect"], "mean", "+")] if changes else [])])
    effects = [turnover[year]["effect"] for year in years if changes]
    outside = any(not effect["p10"] <= effect["mean"] <= effect["p90"] for effect in effects)
    return rows, (["A mean outside its range: few draws have a large change, most have none.", ""]
                  if outside else [])


def _point(headline: Mapping[str, Any], years: Sequence[str],
           changes: bool) -> tuple[list[list[str]], list[str]]:
    rows = [["", "reference", *(["if implemented", "change"] if changes else [])]]
    for year in years:
        before = headline["turnover"][year]["reference"]["p50"]
        after = headline["if_implemented"][year]["p50"]
        rows.append([year, _amount(before),
                     *([_amount(after), _amount(after - before, "+")] if changes else [])])
    return rows, []


def _chances(target: Mapping[str, Any], years: Sequence[str], changes: bool) -> str:
    by_year = target["probability"]
    text = "; ".join(
        f"{year}: {_per_cent(by_year[year]['reference'])}" + (
            f" without, {_per_cent(by_year[year]['scenario'])} with" if changes else "")
        for year in years)
    return f"Probability of USD {target['value'] / MILLION:,.0f} million ({text})"


def _by_growth(growth: Mapping[str, Any], changes: bool, point: bool) -> list[str]:
    """One line: median and chance of the target in the last year by path of GDP."""
    if not growth:
        return []
    last = max(next(iter(growth.values())))
    return [f"By growth of both economies, {last}{', reference' if changes else ''}: " + ", ".join(
        f"{path} {_amount(years[last]['p50'])}"
        + ("" if point else f" ({_per_cent(years[last]['probability'])})")
        for path, years in growth.items())]


def _amount(value: float, sign: str = "") -> str:
    return _rounded(value / MILLION, 0 if abs(value) >= 100 * MILLION else 1, sign)


def _rounded(number: float, places: int, sign: str) -> str:
    number = round(number, places)
    return f"{number:{sign},.{places}f}" if number else f"{0:.{places}f}"


def _range(statistics: Mapping[str, float], centre: str, sign: str = "") -> str:
    values = [statistics[name] / MILLION for name in (centre, "p10", "p90")]
    places = 0 if max(map(abs, values)) >= 100 else 1
    return "{} ({} to {})".format(*(_rounded(value, places, sign) for value in values))


def _per_cent(share: float) -> str:
    return "under 1 %" if share < 0.005 else f"{100 * share:.0f} %"


def fitted(parameters: Mapping[str, Mapping[str, float]]) -> str:
    """Prior against posterior, one line per calibrated parameter."""
    return columns([["parameter", "prior", "posterior", "90 % range", "learnt", "R-hat"], *(
        [name, f"{row['prior_mean']:.3g} ± {row['prior_sd']:.2g}",
         f"{row['mean']:.3g} ± {row['sd']:.2g}", f"{row['p05']:.3g} to {row['p95']:.3g}",
         f"{100 * row['contraction']:.0f} %", f"{row['rhat']:.3f}"]
        for name, row in parameters.items())])


def lever_list(levers: Mapping[str, Lever]) -> str:
    """All levers, one line each, by family, with what a scenario must give."""
    from tradesim.inputs.levers import FAMILIES
    from tradesim.inputs.scenario_text import describe

    width = max((len(name) for name in levers), default=0)
    lines = []
    for family, heading in FAMILIES.items():
        chosen = {name: lever for name, lever in levers.items() if lever.family == family}
        lines += [heading] if chosen else []
        for name, lever in chosen.items():
            chance = describe(lever.settings["probability"]).removesuffix(" share")
            notes = [] if chance == "1" else [f"probability {chance}"]
            notes += [f"give {', '.join(lever.required)}"] if lever.required else []
            lines.append(f"  {name.ljust(width)}  {lever.title}"
                         + (f" [{'; '.join(notes)}]" if notes else ""))
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
