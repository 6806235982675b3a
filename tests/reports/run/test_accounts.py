"""The accounts in the report: parts add up, tables have what they say, words fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import fake_results
from made_up_world import PAIR
from tradesim.economy.variables import ASSUMED
from tradesim.reports.figure_style import styled
from tradesim.reports.html_page import environment
from tradesim.reports.run.accounts import accounts, assumed_part, causes, parts
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import words
from tradesim.simulation.summary import benefit_cost_ratio, costly, present_values

COUNTS = ["right", "left"]
EXACT = 1e-9


def make(draws=60, **options):
    dataset = fake_results.dataset(list(PAIR.importers), [*PAIR.exporters, "UNO", "DUE"],
                                   [f"group {place}" for place in range(12)], COUNTS, draws=draws,
                                   **options)
    history, posterior = fake_results.past(PAIR.importers, PAIR.reporters, draws)
    return ResultsView(dataset, PAIR, history, posterior)


@pytest.fixture(scope="module")
def view():
    return make(cost=4.0)


def test_parts_of_a_gain_add_up_to_the_net(view):
    for importer in PAIR.importers:
        found = parts(view, importer)
        assert list(found)[-1] == "net"
        net = sum(values for part, values in found.items() if part != "net")
        np.testing.assert_allclose(found["net"], net, atol=EXACT)
        revenue = view.change("tariff_revenue", "if_implemented", importer=importer, year=view.last)
        np.testing.assert_allclose(found["treasury"], revenue, atol=1e-6)
        assert "rent" not in found  # nothing of it in this run


def test_every_part_has_its_words():
    assert set(words("accounts")["parts"]) == set(words("accounts")["short"])
    assert {"resource", "tax", "treasury", "rent", "terms", "choice", "net"} <= set(
        words("accounts")["parts"])


def test_tables_are_square_and_name_their_unit(view):
    found = accounts(view)
    tables = [one["table"] for one in found["gains"]] + found["dependence"] + [
        found["food"], found["revenue"], found["services"], found["benefit"]["table"],
        *found["exports"]]
    for table in tables:
        assert {len(row) for row in table["rows"]} <= {len(table["columns"])}
        text = " ".join((table["title"], *table["columns"], *(row[0] for row in table["rows"])))
        assert "USD million" in text or "%" in text or not table["rows"]
    assert sum(bool(table["rows"]) for table in tables) > len(tables) / 2
    assert [row[0] for row in found["food"]["rows"]] == ["rolls, Left", "yarn, Right"]


def test_benefit_and_cost_by_hand(view):
    values = present_values(view.dataset, "if_implemented")
    rate = 1.09 ** -np.arange(len(view.years))
    np.testing.assert_allclose(values["cost"], 4e6 * rate.sum())
    welfare = view.dataset["welfare"].sel(case="if_implemented").sum("importer").to_numpy()
    more = 0.07 * values["cost"]  # hauliers and what is left at the end
    np.testing.assert_allclose(values["joint"], welfare @ rate + more)
    np.testing.assert_allclose(values["net"], values["joint"] - values["cost"])
    assert benefit_cost_ratio(values) == pytest.approx(
        values["joint"].mean() / values["cost"].mean())
    assert benefit_cost_ratio(values | {"cost": 0 * values["cost"]}) == 0.0


def test_no_cost_no_benefit_cost():
    free = make(draws=5)
    assert not costly(free.dataset)
    assert accounts(free)["benefit"] is None


def test_more_trade_in_the_corridor_is_said(view):
    for one in accounts(view)["corridor"]:
        assert one["higher"]
        assert one["moved"]
        assert one["rise"].mean > 0


def prose(view):
    macros = environment().get_template("accounts.j2").module
    found = accounts(view)
    facts = {"last": {"year": view.last}, "point": view.point, "case": view.case_words}
    said = [macros.gains(found, facts), macros.exposure(found, facts, PAIR), macros.food(found)]
    if found["benefit"]:
        said.append(macros.benefit(found, facts))
    return " ".join(" ".join(said).split())


def test_words_say_what_is_a_transfer_and_where_gains_end(view):
    said = prose(view)
    assert "Left, net gain: USD" in said
    assert "That is a transfer: what is left of the two is USD" in said
    assert "; over its life, to 2064, it brings the two countries USD" in said
    assert "The economic rate of return is 3.0 %." in said
    assert "times as large to repay it at that discount rate" in said
    assert "at a discount rate of 9 %" in said
    assert "The valley: the share of the trade from Right to Left that goes this way rises" in said


def test_a_closure_leaves_out_the_accounts_of_one_market_at_a_time(view):
    partial = [name for name in view.dataset if name.startswith("gain_") or "surplus" in name]
    other = make(draws=5)
    closed = replace(other, dataset=other.dataset.drop_vars(partial))
    found = accounts(closed)
    assert [len(one["table"]["rows"]) for one in found["gains"]] == [1, 1]
    assert "the change of real income that the closure itself finds" in prose(closed)
    assert "one market at a time" not in prose(view)


def test_the_group_that_pays_most_has_its_own_row(view):
    rows = [row[0] for row in accounts(view)["revenue"]["rows"]]
    assert [row.split(" on ")[0] for row in rows if row.startswith("of which")] == ["of which"] * 2
    assert rows.index("Left: excise on imports of tobacco and fuel") == 2


def test_one_draw_has_no_ranges():
    point = make(draws=1, cost=4.0)
    found = accounts(point)
    assert len(found["gains"][0]["table"]["columns"]) == 2
    assert "to" not in found["gains"][0]["table"]["rows"][0][1].split()
    assert len(found["benefit"]["table"]["columns"]) == 2
    titles = " ".join(found["dependence"][0]["columns"] + found["gains"][0]["table"]["columns"])
    for said in (prose(point), titles):
        assert not [part for part in ("80 %", "median", "average") if part in said]


def test_without_changes_there_are_levels_only():
    found = accounts(make(draws=5, size=0.0))
    assert found["gains"] == []
    assert found["corridor"] == []
    assert found["projects"] == []
    assert all(len(table["columns"]) == 2 for table in found["dependence"])


def test_figure_ends_at_the_net(view):
    figure = styled(lambda: causes(view))
    for axes, importer in zip(figure.axes, PAIR.importers, strict=True):
        bars = axes.containers[0]
        found = parts(view, importer)
        assert bars[-1].get_width() == pytest.approx(found["net"].mean())
        assert bars[-2].get_x() + bars[-2].get_width() == pytest.approx(found["net"].mean())
        assert len(bars) == len(found) == len(axes.get_yticklabels())


def test_an_assumed_cut_has_a_share_only_where_the_rest_goes_one_way(view):
    effect = view.dataset["turnover"].sel(case="if_implemented") - view.dataset["turnover"].sel(
        case="reference")
    whole = (view.last_turnover("if_implemented") - view.last_turnover("reference")).mean()

    def told(part):
        cut = view.dataset["turnover"].copy(data=np.zeros(view.dataset["turnover"].shape))
        cut.loc[{"case": "if_implemented"}] = part
        other = make()
        other.dataset[ASSUMED] = cut
        found = assumed_part(other, whole)
        facts = {"last": {"year": view.last}, "point": False, "case": "", "assumed": found}
        macros = environment().get_template("accounts.j2").module
        return found, " ".join(str(macros.gains({"gains": [], "closed": False}, facts)).split())

    found, said = told(0.25 * effect)
    assert not found["mixed"]
    assert said.startswith("<p>Of the change of turnover, 25")
    found, said = told(1.5 * effect)
    assert found["mixed"]
    assert found["rest"] == [pytest.approx(0.5 * abs(whole))]
    assert "everything else in the scenario takes away USD" in said
