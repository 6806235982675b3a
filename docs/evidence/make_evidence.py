"""Refresh the numbers of two pages and their figures: ``python docs/evidence/make_evidence.py``.

Rewrites the tables between ``<!-- table: NAME -->`` and ``<!-- end -->`` in `docs/analogues.md`
and `docs/identification.md`, and the figures of both in `docs/images/`.
"""

from __future__ import annotations

import math
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import analogue_figure
import analogues
import pandas as pd
from analogue_cases import read_cases
from matplotlib.figure import Figure

from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.inputs.parameters import read_parameters
from tradesim.inputs.posterior import read_posterior
from tradesim.reports.figure_style import save, style
from tradesim.reports.identification import beliefs, identification
from tradesim.studies import identification_table

DOCS = Path(__file__).parents[1]
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


def learnt(frame: pd.DataFrame, parameter: str) -> list[str]:
    """Prior, posterior, learnt and overlap of one parameter."""
    rows = frame[frame["parameter"] == parameter]
    value = {(row.check, row.key): row.value for row in rows.itertuples()}
    return [f"{value[part, 'mean']:.2f} ({value[part, 'sd']:.2f})".replace("-", "−")
            for part in ("prior", "posterior")] + [
        f"{100 * value['identified', key]:.0f} %" for key in ("contraction", "overlap")]


def identification_tables(folder: Path) -> dict[str, str]:
    """Tables of `docs/identification.md`, from `identification.csv`."""
    frame = identification_table.read(folder)
    head = ["parameter", "prior mean (sd)", "posterior mean (sd)", "learnt", "overlap"]
    parameters = frame[frame["check"] == "identified"]["parameter"].drop_duplicates()
    found = {}
    for row in frame[frame["check"] == "predictive"].itertuples():
        found.setdefault(row.parameter, {})[row.key] = row.value
    return {
        "parameters": markdown(head, [
            [f"`{name.removeprefix('reference.')}`", *learnt(frame, name)]
            for name in parameters]),
        "predictive": markdown(
            ["of the series", "reported", "made by the model, 90 %", "p-value"],
            [[said(parameter), f"{row['observed']:.2f}".replace("-", "−"),
              f"{row['p05']:.2f} to {row['p95']:.2f}".replace("-", "−"), f"{row['p_value']:.2f}"]
             for parameter, row in found.items()]),
        "misfits": misfits(found), "years": years_table(frame), "simulation": simulation(frame)}


def said(parameter: str) -> str:
    """Write the name of a statistic in words: what, into where, by whose count."""
    what, importer, reporter = parameter.split(".")
    words = {"growth_sd": "standard deviation of growth",
             "growth_autocorrelation": "autocorrelation of growth",
             "gap_sd": "standard deviation of the gap to the other count",
             "gap_autocorrelation": "autocorrelation of the gap",
             "gap_trend": "trend of the gap, a year"}
    return f"{words[what]}, into {importer}, {reporter}'s count"


def misfits(found: Mapping[str, Mapping[str, float]]) -> str:
    """Say which statistics lie in the outer twentieth on either side."""
    out = [f"{said(parameter)} ({row['p_value']:.2f})" for parameter, row in found.items()
           if not 0.05 <= row["p_value"] <= 0.95]
    return (f"{len(out)} of {len(found)} are outside 0.05 to 0.95"
            + (f": {'; '.join(out)}" if out else "") + ". By chance one or two would be.")


def years_table(frame: pd.DataFrame) -> str:
    """Shifts by year left out."""
    value = {(row.parameter, row.check, row.key): row.value for row in frame.itertuples()}
    years = sorted({key for _, check, key in value if check == "left_out"})
    quantities = ("elasticity", "turnover")
    return markdown(
        ["year left out", *(f"{quantity}, shift in sd" for quantity in quantities),
         "projection 2035"],
        [[year + ("†" if value["weights", "left_out_refitted", year] else ""),
          *(f"{value[quantity, 'left_out', year]:+.2f}".replace("-", "−")
            for quantity in quantities),
          change(math.expm1(value["turnover", "left_out_change", year]))]
         for year in years])


def simulation(rows: pd.DataFrame) -> str:
    """Say how uniform the ranks are."""
    rows = rows[rows["check"] == "simulation"]
    if rows.empty:
        return "Not computed for this posterior (`tradesim identify --simulations 200`)."
    number = int(rows[rows["key"] == "number"]["value"].iloc[0])
    values = rows[rows["key"] == "p_value"].sort_values("value")
    least = values.iloc[0]
    spread = rows[rows["key"] == "dispersion"].sort_values("value")
    error = (0.8 / number) ** 0.5
    return (f"{number} simulations: the smallest of {len(values)} p-values of a chi-square test of "
            f"uniform ranks is {least['value']:.3f} (`{least['parameter']}`); with "
            f"{len(values)} tests one below {0.05 / len(values):.3f} would be a reason to worry. "
            f"The dispersion of ranks, 1 if the fit knows how much it knows and more if it is too "
            f"sure, lies between {spread['value'].iloc[0]:.2f} (`{spread['parameter'].iloc[0]}`) "
            f"and {spread['value'].iloc[-1]:.2f} (`{spread['parameter'].iloc[-1]}`), each with a "
            f"standard error of {error:.2f}; their mean is {spread['value'].mean():.2f}.")


def draw_analogues(folder: Path) -> Figure:
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
    with style():
        return analogue_figure.draw(rows, lookup(frame, "quiet")("size", "p50"))


PAGES = {"analogues": analogue_tables, "identification": identification_tables}


def main() -> None:
    """Rewrite pages and figures."""
    folder = calibration_folder()
    for name, tables in PAGES.items():
        page = DOCS / f"{name}.md"
        page.write_text(fill(page.read_text(encoding="utf-8"), tables(folder)),
                        encoding="utf-8", newline="\n")
    with style():
        figure = identification(beliefs(read_pair(folder), read_parameters(folder),
                                         read_posterior(folder)))
    with tempfile.TemporaryDirectory() as work:
        for name, drawn in (("analogues", draw_analogues(folder)), ("identification", figure)):
            save(drawn, name, Path(work))
            shutil.copy(Path(work) / f"{name}.png", DOCS / "images" / f"{name}.png")


if __name__ == "__main__":
    main()
