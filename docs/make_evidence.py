"""Refresh the numbers of two pages and their figures: ``python docs/make_evidence.py``.

Rewrites the tables between ``<!-- table: NAME -->`` and ``<!-- end -->`` in `docs/analogues.md`
and `docs/identification.md`, and the figures of both in `docs/images/`.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from tradesim import analogues, plots_evidence
from tradesim.analogue_cases import read_cases
from tradesim.drawing import save, style
from tradesim.folders import calibration_folder

DOCS = Path(__file__).parent
Value = Callable[..., float]


def fill(page: str, tables: Mapping[str, str]) -> str:
    """Put tables between their marks in a page."""
    for name, text in tables.items():
        pattern = rf"(<!-- table: {name} -->\n).*?(<!-- end -->)"
        page, found = re.subn(pattern, lambda match, text=text: f"{match[1]}{text}\n{match[2]}",
                              page, flags=re.S)
        assert found == 1, f"the page has {found} places for the table '{name}'"
    return page


def markdown(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Write a table in Markdown."""
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def change(value: float) -> str:
    """Write a change as signed per cent; large rises as multiples."""
    if value > 4:
        return f"× {value + 1:.0f}"
    digits = 1 if abs(value) < 0.095 else 0
    return f"{100 * value:+.{digits}f} %".replace("-", "−")


def lookup(frame: pd.DataFrame, case: str) -> Value:
    """Give a function from key, statistic and year to the value of a case."""
    rows = frame[frame["case"] == case]
    known = {(row.key, row.statistic, None if pd.isna(row.year) else int(row.year)): row.value
             for row in rows.itertuples()}
    return lambda key, statistic="value", year=None: known[key, statistic, year]


def spread(value: Value, key: str, year: int | None = None) -> str:
    """Write median and 90 % range of a change."""
    middle, low, high = (change(value(key, level, year)) for level in ("p50", "p05", "p95"))
    return f"{middle} ({low} to {high})"


def window(years: tuple[int, int]) -> str:
    """Write the years of a window."""
    return f"{years[0]}–{str(years[1])[2:]}"


def analogue_tables(folder: Path) -> dict[str, str]:
    """Tables of `docs/analogues.md`."""
    cases, frame = read_cases(folder), analogues.results(folder)
    flows, years, needs = [], [], []
    for name, case in cases.duty_cuts.items():
        value = lookup(frame, name)
        flows.append([
            case.title, f"{window(case.before)} to {window(case.after)}",
            f"{value('base') / 1e6:.1f}", change(value("outcome_after")),
            change(value("gdp_after")), change(value("net_of_gdp_after")),
            spread(value, "predicted_after"), f"{100 * value('quiet_as_large'):.0f} %"])
        needed = value("elasticity_needed", "p50")
        said = "none" if needed < 0 else f"{needed:.0f}"
        needs.append([case.title, f"{value('elasticity', 'p50'):.1f}", said])
        for year in range(case.first_year, max(case.after[1], (case.later or case.after)[1]) + 1):
            years.append([case.title, str(year), change(value("outcome", year=year)),
                          change(value("net_of_gdp", year=year)),
                          spread(value, "predicted", year)])
    tables = {
        "flows": markdown(["flow", "windows", "before, USD m a year", "happened", "GDP (USD)",
                           "net of GDP", "model: duty alone (90 %)", "quiet changes as large"],
                          flows),
        "needed": markdown(["flow", "elasticity among suppliers, model's median",
                            "needed for the outcome net of GDP"], needs),
        "years": markdown(["flow", "year", "happened", "net of GDP", "model: duty alone (90 %)"],
                          years)}
    for name in cases.home_output:
        value = lookup(frame, name)
        tables[name] = markdown(["what", "change of output"], [
            ["model, settled (90 %)", spread(value, "predicted_settled")],
            ["model, first year (90 %)", spread(value, "predicted_first_year")],
            ["2024 against 2023", change(value("outcome_year"))],
            ["yearly trend 2020–2023", change(value("outcome_trend"))],
            ["2024 against 2023, net of the trend", change(value("outcome_net_of_trend"))],
            ["May to December, if January to April were as a year earlier",
             change(value("outcome_after_cut"))],
            ["the same, net of the trend", change(value("outcome_after_cut_net_of_trend"))],
            ["ministry, by October", change(value("outcome_reported"))]])
        tables[f"{name}_needed"] = markdown(
            ["elasticity between home flour and imports", "elasticity of home supply needed"],
            [[f"{key.rsplit('_', 1)[1]}", f"{number:.1f}" if number < 1e6 else "none is enough"]
             for key, number in sorted(
                 ((row.key, row.value) for row in frame.itertuples()
                  if row.case == name and row.key.startswith("supply_needed_at_")),
                 key=lambda item: float(item[0].rsplit("_", 1)[1]))]
            + [["the same good", f"{value('supply_needed_same_good'):.1f}"]])
    return tables


def analogue_figure(folder: Path) -> Figure:
    """Draw predicted ranges against outcomes."""
    cases, frame = read_cases(folder), analogues.results(folder)
    rows = []
    for name, case in {**cases.duty_cuts, **cases.home_output}.items():
        value = lookup(frame, name)
        flow = name in cases.duty_cuts
        predicted, happened, net = (
            ("predicted_after", "outcome_after", "net_of_gdp_after") if flow else
            ("predicted_settled", "outcome_reported", "outcome_net_of_trend"))
        rows.append((case.title, {**{level: value(predicted, level) for level in (
            "p05", "p25", "p75", "p95")}, "happened": value(happened), "net": value(net)}))
    with style("analogues"):
        return plots_evidence.analogues(rows, lookup(frame, "quiet")("size", "p50"))


def main() -> None:
    """Rewrite pages and figures."""
    folder = calibration_folder()
    page = DOCS / "analogues.md"
    page.write_text(fill(page.read_text(encoding="utf-8"), analogue_tables(folder)),
                    encoding="utf-8", newline="\n")
    with tempfile.TemporaryDirectory() as work:
        save(analogue_figure(folder), "analogues", Path(work))
        shutil.copy(Path(work) / "analogues.png", DOCS / "images" / "analogues.png")


if __name__ == "__main__":
    main()
