"""Growth and the outside view in a report: each number against the tables that it comes from."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

import briefs
from tradesim.common.files import calibration_folder
from tradesim.inputs.history import read_history
from tradesim.inputs.pair import read_pair
from tradesim.inputs.posterior import read_posterior
from tradesim.reports import html_page, terminal
from tradesim.reports.run.facts import facts
from tradesim.reports.run.growth import gdp_table, reported_table
from tradesim.reports.run.outside import outside_facts, outside_figure, tables_of
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import words
from tradesim.simulation.model import run
from tradesim.simulation.summary import headline

FOLDER = calibration_folder()


def view_of(*overrides, draws=400):
    return ResultsView(run("base", draws=draws, overrides=overrides), read_pair(FOLDER),
                       read_history(FOLDER), read_posterior(FOLDER))


@pytest.fixture(scope="module")
def view():
    return view_of()


def said_in_brief(view, outside) -> str:
    return briefs.text_of(briefs.rendered(view, outside))


def share(text: str) -> float:
    return float(text.replace("less than ", "")) / 100


def test_the_outside_view_is_the_class_of_the_table(view):
    outside = outside_facts(view, tables_of(view, FOLDER))
    found = re.search(r"Elsewhere, (\d+) pairs of countries had trade of this size and such "
                      r"growth; over 11 years it grew ([\d.]+)-fold or more, as the target asks, "
                      r"in (\d+) % of cases", said_in_brief(view, outside))
    assert found
    pairs, multiple, reached = found.groups()
    gdp, history = view.dataset["gdp"].sel(year=2035), view.history
    growth = np.log(gdp).sum("country").median().item() - history.log_gdp[-1].sum()
    table = pd.read_csv(FOLDER / "outside_view.csv")
    row = table[(table["horizon"] == 11) & (table["growth_from"].fillna(-9) <= growth)
                & (table["growth_to"].fillna(9) > growth)].squeeze()
    assert int(pairs) == row["pairs"]
    assert share(reached) == pytest.approx(row["share"], abs=0.0051)
    assert float(outside["se"]) == pytest.approx(100 * row["se"], abs=0.05)
    assert float(multiple) == pytest.approx(500 / 123.963848, abs=0.05)


def test_slower_growth_takes_another_class(view):
    slower = outside_facts(view_of("growth.KAZ=3", "growth.MNG=3"), tables_of(view, FOLDER))
    usual = outside_facts(view, tables_of(view, FOLDER))
    assert slower["share"] < usual["share"]
    assert (slower["low"], slower["high"]) == ("65", "146")  # exponents of 0.5 and 0.9, less one


def test_beyond_the_record_it_says_so(view):
    far = view_of("horizon=2040", draws=60)
    found = outside_facts(far, tables_of(far, FOLDER))
    assert found == {"longest": 11, "years": 16}
    assert "trades of this size" not in said_in_brief(far, found)
    macros = html_page.environment().get_template("reliability.j2").module
    text = " ".join(str(macros.outside(facts(far, outside=found))).split())
    assert "The record of other countries reaches 11 years, not the 16 of this run." in text


def test_without_tables_nothing_is_said(view, tmp_path):
    assert tables_of(view, tmp_path) is None
    assert outside_facts(view, None) is None
    assert "trades of this size" not in said_in_brief(view, None)


def test_the_brief_names_growth_and_the_path_that_differs_most(view):
    text, paths = said_in_brief(view, None), headline(view.dataset)["growth"]
    medians = {name: path["2035"]["p50"] / 1e6 for name, path in paths.items()}
    other = max(medians, key=lambda name: abs(medians[name] - medians["published"]))
    found = re.search(r"With (.*?), trade without any new policy would be USD (\d+) million, not "
                      r"USD (\d+) million", text)
    assert found[1] == words()["growth"]["paths"][other]
    assert [float(one) for one in found.groups()[1:]] == pytest.approx(
        [medians[other], medians["published"]], abs=0.5)
    rates = re.search(r"assumes ([\d.]+) % a year in Mongolia and ([\d.]+) % in Kazakhstan", text)
    rows = {row[0]: row for row in gdp_table(view, FOLDER)["rows"]}
    for rate, country in zip(rates.groups(), ("Mongolia", "Kazakhstan"), strict=True):
        assert rate in rows[f"{country}: published forecasts"]


def test_the_table_of_gdp_holds_levels_growth_and_sources(view):
    table = gdp_table(view, FOLDER)
    rows = {row[0]: row[1:] for row in table["rows"]}
    assert len(rows) == 6
    kazakhstan = rows["Kazakhstan: published forecasts"]
    assert kazakhstan[0] == "291"
    assert float(kazakhstan[2]) == pytest.approx(291.48 * (1 + float(kazakhstan[4]) / 100)**11,
                                                 rel=0.01)
    assert "IMF, World Economic Outlook, April 2026" in kazakhstan[-1]
    assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_statistics_stand_beside_the_trade_on_both_counts(view):
    table = reported_table(view)
    assert [row[0] for row in table["rows"]] == [
        "Kazakhstan's count, 2030", "Kazakhstan's count, 2035", "Mongolia's count, 2030",
        "Mongolia's count, 2035"]
    assert all(len(row) == len(table["columns"]) for row in table["rows"])


def test_the_figure_lays_the_model_over_the_others(view):
    figure = outside_figure(view, tables_of(view, FOLDER))
    lines = [line.get_ydata() for line in figure.axes[0].get_lines() if len(line.get_xdata()) == 12]
    assert len(lines) == 6  # the model's median; others: median, and both ends of two ranges
    assert all(line[0] == pytest.approx(123.96, abs=0.01) for line in lines)
    last = [float(line[-1]) for line in lines[1:]]
    assert last[3] < last[1] < last[0] < last[2] < last[4]


def test_the_terminal_has_one_line(view):
    front = headline(view.dataset)
    (line,) = [line for line in terminal.outcome(front, view.pair).splitlines()
               if line.startswith("By growth")]
    shown = {name: (float(value), float(chance)) for name, value, chance in
             re.findall(r"(\w+) (\d+) \((\d+) %\)", line)}
    assert {*shown} == {"published", "record", "decade"}
    for name, (value, chance) in shown.items():
        years = front["growth"][name]["2035"]
        assert value == pytest.approx(years["p50"] / 1e6, abs=0.5)
        assert chance == pytest.approx(100 * years["probability"], abs=0.5)


def test_one_draw_has_no_outside_view():
    point = view_of(draws=1)
    assert tables_of(point, FOLDER) is None
    assert "Tested on past years" not in said_in_brief(point, None)
    (line,) = [line for line in terminal.outcome(headline(point.dataset), point.pair).splitlines()
               if line.startswith("By growth")]
    assert "%" not in line
