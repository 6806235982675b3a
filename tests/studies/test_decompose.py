"""Shapley shares and interactions: closed forms, axioms, sampling, and the whole model."""

from __future__ import annotations

import html
import json
import re
from itertools import permutations

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from tradesim.cli.app import cli
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.levers import read_levers
from tradesim.inputs.parameters import Cube, quantile
from tradesim.inputs.scenario import find
from tradesim.reports.decompose import tidy, verdict
from tradesim.simulation import subsets
from tradesim.simulation.draws import IMPLEMENTED, SCENARIO, draw_all, standard_cases
from tradesim.simulation.model import simulate
from tradesim.simulation.subsets import all_subsets, as_subset, flows
from tradesim.studies.decompose import (
    _exact,
    _sampled,
    along,
    decompose,
    interactions,
    random_orders,
    shapley,
)
from tradesim.studies.study import ask

DRAWS, SEED = 40, 3


FIVE = (*(f"{lever}=null" for lever in (
    "veterinary_recognition", "payments", "china_corridor", "investment", "wool_plants",
    "business_links", "eaeu_fta")), "eaeu_interim.start=2029")
"""Takes all but five levers out, and lets none begin at once: every subset of these is solved."""


@pytest.fixture(scope="module")
def parts():
    return decompose("all_levers", draws=DRAWS, seed=SEED, years=[2030, 2035], overrides=FIVE)


@pytest.fixture(scope="module")
def solved():
    study = ask("all_levers", draws=DRAWS, seed=SEED, overrides=FIVE)
    draws = draw_all(study.base, study.scenario, Cube.random(DRAWS, SEED))
    return study, draws, flows(study.base, study.scenario, draws, all_subsets(5))


def game(levers, function):
    """Worth of every subset, with one draw behind."""
    return np.array([[function([bit for bit in range(levers) if case >> bit & 1])]
                     for case in range(2**levers)], dtype=float)


def random_game(levers, draws=3, seed=0):
    return np.random.default_rng(seed).normal(size=(2**levers, draws))


# Closed forms and axioms.

def test_additive_game_gives_each_lever_its_own():
    gains = [3.0, -1.0, 0.5, 7.0]
    worth = game(4, lambda members: 10.0 + sum(gains[i] for i in members))
    np.testing.assert_allclose(shapley(worth)[:, 0], gains, rtol=1e-14)
    np.testing.assert_allclose(interactions(worth), 0.0, atol=1e-14)


def test_glove_game():
    """One left glove, two right gloves: shares two thirds, a sixth, a sixth (textbook)."""
    worth = game(3, lambda members: float(0 in members and len(members) > 1))
    np.testing.assert_allclose(shapley(worth)[:, 0], [2 / 3, 1 / 6, 1 / 6], rtol=1e-14)


def test_product_game_interacts_by_its_product():
    worth = game(2, lambda members: (1.2 if 0 in members else 1) * (1.5 if 1 in members else 1))
    assert interactions(worth)[0, 1, 0] == pytest.approx(0.2 * 0.5)


def test_shares_are_means_over_all_orders():
    worth = random_game(4)
    by_hand = np.zeros((4, 3))
    for order in permutations(range(4)):
        held = 0
        for lever in order:
            by_hand[lever] += (worth[held | 1 << lever] - worth[held]) / 24
            held |= 1 << lever
    np.testing.assert_allclose(shapley(worth), by_hand, rtol=1e-12)


def test_shares_add_up():
    worth = random_game(7)
    np.testing.assert_allclose(shapley(worth).sum(axis=0), worth[-1] - worth[0], rtol=1e-12)


def test_interaction_of_three_levers_by_hand():
    worth = random_game(3)

    def second(i, j, rest):
        return worth[rest | i | j] - worth[rest | i] - worth[rest | j] + worth[rest]

    np.testing.assert_allclose(interactions(worth)[0, 1],
                               0.5 * (second(1, 2, 0) + second(1, 2, 4)), rtol=1e-12)
    np.testing.assert_array_equal(interactions(worth), interactions(worth).swapaxes(0, 1))


def test_unanimity_games_have_the_published_index():
    """All of n needed: each pair interacts by 1 / (n - 1) (Grabisch and Roubens 1999)."""
    for levers in (2, 3, 4, 5):
        worth = game(levers, lambda members, levers=levers: float(len(members) == levers))
        pair = interactions(worth)[0, 1, 0]
        assert pair == pytest.approx(1 / (levers - 1), rel=1e-12)
        np.testing.assert_allclose(shapley(worth)[:, 0], 1 / levers, rtol=1e-12)


def test_order_of_levers_does_not_matter():
    worth, levers = random_game(4), 4
    moved = [2, 0, 3, 1]
    place = [sum((case >> bit & 1) << moved[bit] for bit in range(levers)) for case in range(16)]
    other = np.empty_like(worth)
    other[place] = worth
    np.testing.assert_allclose(shapley(other)[moved], shapley(worth), rtol=1e-12)


# Sampled orders.

def sampled(levers, permutations_, draws, seed=1):
    worth = random_game(levers, draws)
    orders = random_orders(levers, permutations_, draws, seed)
    own = np.take_along_axis(worth, along(orders), axis=0)[:, None, None, None]
    return shapley(worth), _sampled(own, orders), worth


def test_orders_come_with_their_reverse():
    orders = random_orders(5, 6, 4, 1)
    np.testing.assert_array_equal(np.sort(orders, axis=-1),
                                  np.broadcast_to(np.arange(5), (6, 4, 5)))
    np.testing.assert_array_equal(orders[::2] + orders[1::2], 4)
    np.testing.assert_array_equal(random_orders(5, 6, 9, 1)[:, :4], orders)


def test_sampled_shares_are_right_within_their_stated_error():
    exact, found, worth = sampled(5, 40, 400)
    error = found["share"][:, 0, 0, 0] - exact
    stated = found["error"][:, 0, 0, 0]
    assert (error**2).mean() / (stated**2).mean() == pytest.approx(1.0, abs=0.1)
    average = np.sqrt((stated**2).sum(axis=1)) / 400
    assert (np.abs(error.mean(axis=1)) < 4 * average).all()
    np.testing.assert_allclose(found["share"].sum(axis=0)[0, 0, 0], worth[-1] - worth[0], rtol=1e-9)
    np.testing.assert_array_equal(found["alone"][2, 0, 0, 0], worth[4] - worth[0])
    np.testing.assert_array_equal(found["last"][2, 0, 0, 0], worth[-1] - worth[-1 - 4])


def test_more_orders_come_closer():
    few, many = sampled(5, 10, 200), sampled(5, 160, 200)
    gaps = [np.sqrt(((found["share"][:, 0, 0, 0] - exact)**2).mean()) for exact, found, _ in
            (few, many)]
    assert gaps[1] / gaps[0] == pytest.approx(0.25, abs=0.08)


def test_two_orders_and_their_reverses_are_enough_for_two_levers():
    exact, found, _ = sampled(2, 4, 10)
    np.testing.assert_allclose(found["share"][:, 0, 0, 0], exact, rtol=1e-12)
    np.testing.assert_allclose(found["error"], 0.0, atol=1e-15)


# Subsets of the model.

def test_subsets_give_what_simulate_gives(solved):
    study, draws, found = solved
    whole = simulate(study.base, study.scenario, draws)["trade"].sum("group")
    mask = as_subset(standard_cases(study.base, study.scenario, draws)[SCENARIO], study.scenario)
    for trade, count in zip(found.counted, study.base.pair.counts, strict=True):
        risky = np.take_along_axis(trade, mask[:, None, None], axis=0)[0]
        cases = {"reference": trade[0], SCENARIO: risky, IMPLEMENTED: trade[-1]}
        for case, values in cases.items():
            other = whole.sel(count=count, case=case).transpose("importer", "year", "draw")
            np.testing.assert_allclose(values, other, rtol=1e-13)


@pytest.mark.parametrize("name", ["russia_says_no", "critical_minerals", "dzud", "food_security"])
def test_subsets_know_shocks_projects_and_quotas(name):
    study = ask(name, draws=20, seed=SEED)
    draws = draw_all(study.base, study.scenario, Cube.random(20, SEED))
    whole = simulate(study.base, study.scenario, draws)["turnover"]
    cases = standard_cases(study.base, study.scenario, draws)
    for place, count in enumerate(study.base.pair.counts):
        for case, switches in cases.items():
            found = flows(study.base, study.scenario, draws, as_subset(
                {lever: np.broadcast_to(switch, 20) for lever, switch in switches.items()},
                study.scenario)).turnover(place)[0]
            other = whole.sel(count=count, case=case).transpose("year", "draw")
            np.testing.assert_allclose(found, other, rtol=1e-12)


def test_selecting_what_succeeds_is_solving_what_succeeds(solved):
    """Bit by bit: a lever that fails in a draw is the same as a lever not pulled there."""
    study, draws, found = solved
    mask = as_subset(standard_cases(study.base, study.scenario, draws)[SCENARIO], study.scenario)
    assert 5 < len(np.unique(mask)) < 32
    chosen = np.take_along_axis(found.counted, np.broadcast_to(
        mask[None, :, None, None], (2, 1, *found.counted.shape[2:])), axis=1)
    solved_anew = flows(study.base, study.scenario, draws, mask)
    np.testing.assert_array_equal(chosen, solved_anew.counted)
    assert solved_anew.solved < found.solved


@pytest.mark.parametrize(("name", "size"), [("PATHS", 100), ("CELLS", 97)])
def test_subsets_do_not_depend_on_chunks(solved, monkeypatch, name, size):
    study, draws, found = solved
    monkeypatch.setattr(subsets, name, size)
    np.testing.assert_array_equal(
        flows(study.base, study.scenario, draws, all_subsets(5)).counted, found.counted)


def test_early_years_do_not_depend_on_the_horizon(solved):
    study, _, found = solved
    short = study.until([2031])
    draws = draw_all(study.base, short, Cube.random(DRAWS, SEED))
    np.testing.assert_array_equal(
        flows(study.base, short, draws, all_subsets(5)).counted,
        found.counted[..., :2031 - 2025 + 1, :])


def test_situations_are_solved_once(solved):
    _, _, found = solved
    assert found.solved < 0.4 * 31 * 11 * DRAWS


# The whole.

def test_shares_add_up_to_the_effect_in_every_draw(parts):
    gap = np.abs(parts["share"].sum("lever") - parts["effect"])
    size = np.abs(parts["effect"])
    assert float(gap.where(size > 1.0, 0.0).max()) > 0.0
    assert float((gap / size.where(size > 0.0)).max()) < 1e-9
    assert float(gap.where(size == 0.0, 0.0).max()) == 0.0


def test_directions_add_up_to_turnover(parts):
    both = parts.sel(importer=["MNG", "KAZ"]).sum("importer")
    for name in ("share", "alone", "last", "interaction", "effect", "reference"):
        np.testing.assert_allclose(both[name], parts[name].sel(importer="all"), rtol=1e-9,
                                   atol=1e-6)


def test_failed_lever_has_no_share(parts, solved):
    study, draws, _ = solved
    happens = standard_cases(study.base, study.scenario, draws)[SCENARIO]
    for lever, switch in happens.items():
        share = parts["share"].sel(lever=lever, case=SCENARIO, year=2035)
        assert not share.isel(draw=switch == 0).to_numpy().any()
        assert share.isel(draw=switch == 1).to_numpy().any()


def test_lever_without_strength_is_a_dummy():
    found = decompose("all_levers", draws=10, years=[2033], overrides=[
        *FIVE, "tsagaannuur_free_zone.uptake=0"]).sel(lever="tsagaannuur_free_zone")
    for name in ("share", "alone", "last", "interaction"):
        assert not found[name].to_numpy().any(), name


def test_levers_on_different_goods_stand_alone(solved):
    """Where two levers meet nowhere, what each adds is what it adds alone."""
    worth = np.array([0.0, 2.0, 5.0, 7.0])[:, None, None, None, None] + np.zeros((4, 1, 2, 1, 3))
    found = _exact(worth, np.full(3, 3))
    np.testing.assert_array_equal(found["share"], found["alone"])
    np.testing.assert_array_equal(found["share"], found["last"])
    assert not found["interaction"].any()


def test_free_zone_and_agreement_are_substitutes():
    """Two levers that only remove the same duty: less together, in every draw in which they act."""
    found = decompose("eaeu_fta", draws=20, overrides=[
        "tsagaannuur_free_zone.vat_avoided=0", "eaeu_fta.nontariff_cut=0"])
    pair = found["interaction"].sel(lever="eaeu_fta", second="tsagaannuur_free_zone",
                                    case=IMPLEMENTED, importer="all", count="kazakh").to_numpy()
    assert (pair <= 0.0).all()
    assert (pair < 0.0).mean() > 0.8
    assert verdict(pair[0], pair.mean()) == "substitutes"


def test_words_for_interactions():
    assert verdict(np.array([-3.0, -2.0, 0.0, -1.0, -2.0, 0.1]), 10.0) == "substitutes"
    assert verdict(np.array([3.0, 2.0, 0.0, 1.0]), 10.0) == "complements"
    assert verdict(np.array([-1.0] * 9 + [50.0]), 10.0) == "either"
    assert verdict(np.array([-3.0, 2.0, -1.0]), 10.0) == "either"
    assert verdict(np.array([0.01, 0.0]), 10.0) == "none"


def test_road_and_border_are_complements(parts):
    pair = parts["interaction"].sel(lever="altai_road", second="border_facilitation",
                                    case=IMPLEMENTED, year=2035, importer="all")
    assert verdict(pair.to_numpy()[0], float(pair.mean())) == "complements"


def test_twins_get_equal_shares(tmp_path, base):
    calibration = with_more_levers(tmp_path, base.folder, {"twin": "border_facilitation"})
    middle = {name.partition(".")[2]: quantile(item, np.array([0.5])).item()
              for name, item in base.levers["border_facilitation"].parameters.items()}
    settings = {name: round(value) if name == "start" else value for name, value in middle.items()}
    (tmp_path / "both.yaml").write_text(json.dumps({
        "title": "Twins", "question": "Equal?",
        "levers": {"border_facilitation": settings, "twin": settings}}))
    found = decompose(tmp_path / "both.yaml", calibration=calibration, draws=10)
    share = found["share"].sel(case=IMPLEMENTED)
    np.testing.assert_allclose(share.sel(lever="twin"), share.sel(lever="border_facilitation"),
                               rtol=1e-9)
    assert share.to_numpy().all()


def test_sampling_the_model_meets_the_exact_shares(parts):
    found = decompose("all_levers", draws=DRAWS, seed=SEED, years=[2035], method="permutations",
                      permutations=20, overrides=FIVE)
    exact = parts.sel(year=[2035])
    for name in ("alone", "last", "effect"):
        np.testing.assert_allclose(found[name], exact[name], rtol=1e-9, atol=1e-6)
    gap = (found["share"] - exact["share"]).mean("draw")
    error = np.sqrt((found["error"]**2).sum("draw")) / DRAWS
    assert float((np.abs(gap) - 5 * error).sel(importer=["MNG", "KAZ"]).max()) < 1.0
    assert "interaction" not in found
    assert set(tidy(found).query("statistic == 'standard_error'")["measure"]) == {"share"}


def with_more_levers(folder, calibration, more):
    """Copy of the calibration with further levers, each like another one."""
    import shutil

    import yaml

    shutil.copytree(calibration, folder / "calibration")
    path = folder / "calibration" / "levers.yaml"
    levers = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, like in more.items():
        levers[name] = json.loads(json.dumps(levers[like]))
    path.write_text(yaml.safe_dump(levers, sort_keys=False, allow_unicode=True), encoding="utf-8")
    return folder / "calibration"


# Bad input.

def test_more_than_twelve_levers_need_sampling(tmp_path, base):
    more = {f"flight_{number}": "direct_flights" for number in range(13)}
    calibration = with_more_levers(tmp_path, base.folder, more)
    many = tmp_path / "many.yaml"
    many.write_text("title: Many\nquestion: Too many?\nlevers:\n"
                    + "".join(f"  {name}: {{}}\n" for name in more))
    with pytest.raises(InputError, match=r"13 levers have 8,192 subsets; at most 12 .*"
                                         r"--method permutations"):
        decompose(many, calibration=calibration, draws=3)
    found = decompose(many, calibration=calibration, draws=3, method="permutations",
                      permutations=4)
    assert found.attrs["permutations"] == 4
    np.testing.assert_allclose(found["share"].sum("lever"), found["effect"], rtol=1e-9, atol=1e-5)


@pytest.mark.parametrize(("path", "given", "message"), [
    ("base", {}, "pulls no lever"),
    ("all_levers", {"years": [2020]}, "--year: 2020: is outside the run, .* 2025 to 2035"),
    ("all_levers", {"method": "exat"}, "unknown; known: exact, permutations; did you mean 'exact'"),
    ("all_levers", {"method": "permutations", "permutations": 5}, "even number from 4"),
    ("all_levers", {"count": "kazak"}, "unknown count.*did you mean 'kazakh'"),
    ("all_levrs", {}, "did you mean 'all_levers'"),
])
def test_bad_input_is_named(path, given, message):
    with pytest.raises(InputError, match=message):
        decompose(path, **given)


# What it leaves.

def test_command_leaves_a_whole_folder(tmp_path):
    out = tmp_path / "parts"
    arguments = ["decompose", "eaeu_fta", "--draws", "8", "--set", "altai_road={}",
                 "--set", "tsagaannuur_free_zone={}", "--out", str(out)]
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    assert "all levers" in done.output
    assert "exact over 16 combinations" in done.output
    assert {path.name for path in out.iterdir()} == {
        "decomposition.csv", "report.html", "figures", "scenario.yaml", "manifest.json"}
    assert len(list((out / "figures").iterdir())) == 4
    run_id = json.loads((out / "manifest.json").read_text())["run_id"]
    page = (out / "report.html").read_text()
    assert page.count(run_id) > 4
    assert f"run {run_id}" in (out / "figures" / "waterfall.svg").read_text()
    said_shares_are_those_of_the_table(page, pd.read_csv(out / "decomposition.csv"))
    table = (out / "decomposition.csv").read_bytes()
    assert CliRunner().invoke(cli, arguments).exit_code == 0
    assert (out / "decomposition.csv").read_bytes() == table


def said_shares_are_those_of_the_table(page, table):
    """Read the answer's order and shares back against the table."""
    answer = re.search(r'<section class="answer".*?</section>', page, re.S)[0]
    answer = html.unescape(" ".join(re.sub(r"<[^>]+>", " ", answer).split()))
    rows = table[(table["case"] == "if_implemented") & (table["importer"] == "all")
                 & (table["count"] == "kazakh") & (table["statistic"] == "mean")]
    share = rows[rows["measure"] == "share"].set_index("lever")["value"].sort_values()[::-1]
    effect = rows[rows["measure"] == "effect"]["value"].item()
    titles = {name: lever.title for name, lever in read_levers(calibration_folder()).items()}
    first, second, third = (re.escape(titles[name]) for name in share.index[:3])
    parts = re.search(rf"{first} brings ([\d.]+) % of the effect if implemented, {second} "
                      rf"([\d.]+) % and {third} ([\d.]+) %", answer).groups()
    assert [float(part) for part in parts] == pytest.approx(100 * share[:3] / effect, abs=0.06)
    change = re.search(r"change turnover in 2035 by USD (−?[\d.]+) million", answer)[1]
    assert float(change.replace("−", "-")) == pytest.approx(effect / 1e6, rel=0.006)


def test_one_lever_needs_no_heat_map(tmp_path):
    done = CliRunner().invoke(cli, ["decompose", str(find("direct_flights")), "--draws", "6",
                                    "--out", str(tmp_path / "one")])
    assert done.exit_code == 0, done.output
    assert [path.name for path in sorted((tmp_path / "one" / "figures").iterdir())] == [
        "waterfall.png", "waterfall.svg"]


def test_bad_input_leaves_nothing(tmp_path):
    done = CliRunner().invoke(cli, ["decompose", "base", "--out", str(tmp_path / "none")])
    assert done.exit_code == 2
    assert "pulls no lever" in done.output
    assert not list(tmp_path.iterdir())


def test_table_adds_up(parts):
    table = tidy(parts).query("statistic == 'mean' and year == 2035 and count == 'kazakh'")
    for (_, _), rows in table.groupby(["case", "importer"]):
        values = rows.set_index(["measure", "lever"])["value"]
        assert values["share"].sum() == pytest.approx(values["effect"].item(), rel=1e-9)
    assert not table.duplicated(["measure", "importer", "case", "lever", "second"]).any()
