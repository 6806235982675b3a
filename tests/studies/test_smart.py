"""SMART's formulas against a worked case, the table's adding up, and the command."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from made_up_world import make_economy
from tradesim.cli.app import cli
from tradesim.common.arrays import spread
from tradesim.economy.equilibrium import equilibrium
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import Shock
from tradesim.inputs.scenario import read_scenario
from tradesim.inputs.scenario_schema import Known
from tradesim.simulation import model
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, draw_all
from tradesim.studies.smart import (
    AFTER,
    BEFORE,
    COLUMNS,
    EFFECTS,
    FORMULA,
    IN_YEAR,
    NAMES,
    RATES,
    REVENUE,
    THOUSAND,
    TOTAL,
    WORLD,
    compare_year,
    price_effect,
    table,
    trade_creation,
    trade_diversion,
)

EXACT = 1e-12
PRINTED = 2e-3 * 100  # amounts are rounded to the dollar, and rows add up to a hundred of them
YEAR = 2031


def worked():
    given = os.environ.get("TRADESIM_VALIDATION")
    beside = sorted(Path(__file__).parents[3].glob("*/validation"))
    for folder in [Path(given)] if given else beside:
        if (path := folder / "smart_formula" / "case.json").is_file():
            return json.loads(path.read_text(encoding="utf-8"))
    pytest.skip("set TRADESIM_VALIDATION to a folder that holds smart_formula")


@pytest.mark.parametrize("name", ["infinite_supply", "finite_supply_1.5", "small_margin_infinite"])
def test_formulas_meet_a_worked_case(name):
    case = worked()
    put, expected = case["inputs"][name], case["outputs_constructed_here"][name]
    old, new = np.array([put["t0"]] * 2), np.array([put["t1"], put["t0"]])
    imports = np.array([put["Mb"], put["Mo"]], dtype=float)
    creation = trade_creation(imports, old, new, np.array(put["Em"]), put.get("Ex", np.inf))
    diversion = trade_diversion(imports, old, new, np.array(put["Es"]))
    np.testing.assert_allclose(creation, [expected["trade_creation"], 0.0], rtol=EXACT)
    np.testing.assert_allclose(diversion, [expected["trade_diversion"], expected["others"]],
                               rtol=EXACT)
    np.testing.assert_allclose((creation + diversion)[0], expected["total_effect_beneficiary"],
                               rtol=EXACT)


def test_formulas_by_hand():
    """100 of imports, a duty of 20 % ended, elasticities of one and a half."""
    hundred, fifth, free = np.array(100.0), np.array(0.2), np.array(0.0)
    demand = np.array(-1.5)
    assert trade_creation(hundred, fifth, free, demand) == pytest.approx(25.0, rel=EXACT)
    assert price_effect(hundred, fifth, free, demand) == 0.0
    assert trade_creation(hundred, fifth, free, demand, 1.5) == pytest.approx(12.5, rel=EXACT)
    # the supplier's price rises by 8.3 %: its supply by 12.5 %, its elasticity times as much
    assert price_effect(hundred, fifth, free, demand, 1.5) == pytest.approx(25 / 3, rel=EXACT)


amounts = st.lists(st.floats(0.1, 1e4), min_size=4, max_size=4)
duties = st.lists(st.floats(0, 1), min_size=4, max_size=4)


@given(amounts, duties, st.lists(st.floats(0, 1), min_size=4, max_size=4), st.floats(-9, -0.1))
def test_diversion_adds_up_and_stays_within_what_there_is(imports, old, cut, substitution):
    imports, old, cut = np.array(imports), np.array(old), np.array(cut)
    cut[3] = 0.0
    moved = trade_diversion(imports, old, old * (1 - cut), np.array(substitution))
    assert moved.sum() == pytest.approx(0.0, abs=1e-8)
    assert (moved >= -imports * (1 + EXACT)).all()
    assert (moved[old * cut > 1e-12] >= 0).all()
    assert moved[3] <= 0


def test_diversion_of_two_alike_is_that_of_their_sum():
    old, new = np.full(3, 0.2), np.array([0.1, 0.1, 0.2])
    apart = trade_diversion(np.array([30.0, 60.0, 300.0]), old, new, np.array(-3.0))
    together = trade_diversion(np.array([90.0, 300.0]), old[1:], new[1:], np.array(-3.0))
    np.testing.assert_allclose([apart[:2].sum(), apart[2]], together, rtol=EXACT)
    np.testing.assert_allclose(apart[0] / apart[1], 0.5, rtol=EXACT)
    assert not trade_diversion(np.full(2, 9.0), old[:2], new[:2], np.array(-3.0)).any()  # no others


def test_formulas_are_the_slope_of_the_model_at_no_change():
    """Equal duties, home producers that never move, elastic supply: the totals of a market meet."""
    world = make_economy()
    duty = 0.1 * (1.0 - world.home) + 0.0 * world.duty
    world = replace(world, duty=duty, home_supply=1e12 + 0.0 * world.home_supply,
                    inverse_supply=0.0 * world.inverse_supply)
    small = 1e-5
    cut = np.zeros((2, 4))
    cut[:, 2:] = small
    change = resolve(world, [(spread(1.0), Shock(duty=spread(cut, "importer", "exporter")))])
    settled = equilibrium(world, world.sales, change)
    moved = world.sales * np.expm1(settled.sales) * (1.0 - world.home)
    new = duty * (1.0 - spread(cut, "importer", "exporter"))
    paid = world.sales * (1.0 + duty)
    alpha = (paid * world.home).sum(axis=1, keepdims=True) / paid.sum(axis=1, keepdims=True)
    demand = -(world.upper * alpha + world.demand * (1 - alpha))
    imports = world.sales * (1.0 - world.home)
    creation = trade_creation(imports, duty, new, demand)
    np.testing.assert_allclose(moved.sum(axis=1), creation.sum(axis=1), rtol=100 * small)
    lost = trade_diversion(np.moveaxis(imports, 1, 0), np.moveaxis(duty, 1, 0),
                           np.moveaxis(new, 1, 0), -world.lower[0])
    part = np.moveaxis(creation, 1, 0)
    share = np.moveaxis(imports / imports.sum(axis=1, keepdims=True), 1, 0)
    model_loss = np.moveaxis(moved, 1, 0) - share * part.sum(axis=0)  # creation is shared by all
    np.testing.assert_allclose(model_loss, lost, rtol=1e-3, atol=100 * small**2 * 2e7)


@pytest.fixture(scope="module")
def scenario(base):
    known = Known(base.parameters, base.levers, base.pair)
    return read_scenario("eaeu_interim", known, ["draws=1", f"horizon={YEAR}"])


@pytest.fixture(scope="module")
def found(base, scenario):
    return compare_year(base, scenario, YEAR)


@pytest.fixture(scope="module")
def rows(base, found):
    return table(base, found)


def test_rows_add_up(rows, base):
    assert list(rows) == list(COLUMNS)
    suppliers, lines = len(base.pair.exporters) - 1, len(base.pair.lines)
    assert len(rows) == 2 * (suppliers + 1) * (lines + 1)
    for total, *parts in (EFFECTS, FORMULA):
        np.testing.assert_allclose(rows[parts].sum(axis=1), rows[total], atol=PRINTED)
    np.testing.assert_allclose(rows[AFTER] - rows[BEFORE], rows[EFFECTS[0]], atol=PRINTED)
    np.testing.assert_allclose(rows[REVENUE[1]] - rows[REVENUE[0]], rows[REVENUE[2]], atol=PRINTED)
    reporter, partner, product = NAMES
    amounts = [name for name in COLUMNS if name not in (*NAMES, *RATES)]
    for whole, over, of in ((WORLD, partner, product), (TOTAL, product, partner)):
        parts = rows[rows[over] != whole].groupby([reporter, of])[amounts].sum().sort_index()
        given = rows[rows[over] == whole].set_index([reporter, of])[amounts].sort_index()
        np.testing.assert_allclose(parts, given, atol=PRINTED)
    world = rows[rows[partner] == WORLD]
    assert (world[[EFFECTS[2], FORMULA[2]]].abs() < PRINTED).all(axis=None)


def test_rates_are_between_those_of_their_parts(rows):
    reporter, partner, product = NAMES
    cells = rows[(rows[partner] != WORLD) & (rows[product] != TOTAL)]
    traded = cells[cells[BEFORE] > 0]  # no imports, no weights
    np.testing.assert_array_equal(traded[RATES[0]], traded[RATES[2]])
    assert cells[cells[BEFORE] == 0][RATES[2]].isna().all()
    for name in RATES:
        edges = cells.groupby(reporter, sort=False)[name].agg(["min", "max"])
        given = rows[(rows[partner] == WORLD) & (rows[product] == TOTAL)].set_index(reporter)[name]
        assert (given >= edges["min"]).all()
        assert (given <= edges["max"]).all()


def test_weighted_rates_weigh_by_imports_before(rows):
    reporter, partner, product = NAMES
    traded = rows[(rows[partner] != WORLD) & (rows[product] != TOTAL) & (rows[BEFORE] > 0)]
    for name in traded[reporter].unique():
        part = traded[traded[reporter] == name]
        whole = rows[(rows[reporter] == name) & (rows[partner] == WORLD) & (rows[product] == TOTAL)]
        for rate in RATES[2:]:
            mean = np.average(part[rate], weights=part[BEFORE])
            assert whole[rate].item() == pytest.approx(mean, abs=1e-4)
        assert abs(whole[RATES[2]].item() - whole[RATES[0]].item()) > 0.01


def test_only_short_supply_has_a_price_effect(base, found):
    """Where a supplier is short the price takes a part; what is left is quantity."""
    pair = base.pair
    short = np.array([[f"supply.export.{exporter}.{pair.group_of(line)}" in base.parameters
                       for line in pair.lines] for exporter in pair.exporters])
    change = found.after - found.before
    assert not found.price[:, ~short].any()
    moved = (np.abs(change) > 1.0) & short
    assert moved.any()
    assert ((found.price / np.where(moved, change, np.inf))[moved] > 0.0).all()
    assert ((found.price / np.where(moved, change, np.inf))[moved] < 0.95).all()


def test_imports_are_those_of_a_run(base, scenario, found, rows):
    """The second way: the same year of `tradesim run` with one draw."""
    dataset = model.simulate(base, scenario, draw_all(base, scenario, model.Cube.point()))
    imports = dataset["imports"].sel(year=YEAR).isel(draw=0)
    reporter, partner, product = NAMES
    for importer in base.pair.importers:
        for exporter in base.pair.exporters:
            if importer == exporter:
                continue
            run = imports.sel(importer=importer, exporter=exporter)
            row = rows[(rows[reporter] == base.pair.name(importer)) & (rows[product] == TOTAL)
                       & (rows[partner] == base.pair.name(exporter))].iloc[0]
            before, reached = run.sel(case=REFERENCE).item(), run.sel(case=IMPLEMENTED).item()
            assert row[BEFORE] == pytest.approx(before / THOUSAND, abs=PRINTED)
            assert row[IN_YEAR] == pytest.approx((reached - before) / THOUSAND, abs=PRINTED)


def test_adjustment_only_adds(found):
    gain = found.after - found.before
    reached = found.reached - found.before
    assert (np.abs(reached) <= np.abs(gain) + 1e-6 * found.before).all()


def run(*arguments):
    return CliRunner().invoke(cli, ["smart", *arguments])


def test_command_shows_and_writes_the_table(tmp_path):
    first = run("eaeu_interim", "--year", "2030", "--out", str(tmp_path / "new" / "smart.csv"))
    assert first.exit_code == 0, first.output
    assert "2030, USD thousand" in first.output
    assert "SMART total" in first.output
    written = pd.read_csv(tmp_path / "new" / "smart.csv")
    assert list(written) == list(COLUMNS)
    second = run("eaeu_interim", "--year", "2030", "--out", str(tmp_path / "smart.tsv"),
                 "--importer", "KAZ", "--set", "eaeu_fta={}", "--set", "eaeu_fta.start=2027")
    assert second.exit_code == 0, second.output
    pasted = pd.read_csv(tmp_path / "smart.tsv", sep="\t")
    assert set(pasted["Reporter"]) == {"Kazakhstan"}
    assert len(pasted) == len(written) / 2


@pytest.mark.parametrize(("arguments", "message"), [
    (["eaeu_interim", "--year", "2040"], "--year: 2040: is not a projected year; allowed 2025 to"),
    (["eaeu_interim", "--importer", "KAS"], "unknown importer; known: MNG, KAZ; did you mean"),
    (["base"], "the scenario pulls no lever, so there is nothing to compare"),
    (["eaeu_interim", "--out", "table.docx"], "--out: must end in .csv or .tsv"),
])
def test_bad_input_is_one_line(arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.output


def test_a_year_before_the_levers_says_so():
    result = run("eaeu_interim", "--year", "2025")
    assert result.exit_code == 0, result.output
    assert "Nothing changes in 2025" in result.output


PAGE = Path(__file__).parents[2] / "docs" / "howto" / "tariffs.md"
WRITTEN = re.findall(r"```yaml\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)


@pytest.mark.parametrize("text", WRITTEN, ids=lambda text: text.partition("title: ")[2][:20])
def test_what_the_page_tells_to_write_works(text, tmp_path, base):
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    known = Known(base.parameters, base.levers, base.pair)
    found = compare_year(base, read_scenario(path, known, ["draws=1", "horizon=2033"]))
    assert (found.after != found.before).any()
    assert len(WRITTEN) == 6


def test_what_the_page_says_of_large_quotas(tmp_path, base):
    """The wheat quota of the page never fills; the one of the calibration does in its middle."""
    known = Known(base.parameters, base.levers, base.pair)
    (tmp_path / "mine.yaml").write_text(WRITTEN[-1], encoding="utf-8")
    large = compare_year(base, read_scenario(tmp_path / "mine.yaml", known), 2030)
    small = compare_year(base, read_scenario("eaeu_interim", known), 2030)
    lower = large.new_duty < small.new_duty - 1e-9
    groups = np.flatnonzero(lower.any(axis=(0, 1)))
    assert [base.pair.lines[line] for line in groups] == ["wheat"]
    assert (large.after.sum(axis=(1, 2)) >= small.after.sum(axis=(1, 2))).all()
