"""The map: what each route carries adds up, is drawn where the data are, and needs no map data."""

import math

import numpy as np
import pytest

import fake_results
from made_up_world import PAIR
from tradesim.common.errors import InputError
from tradesim.common.files import DISPLAY, calibration_folder
from tradesim.inputs.geography import read_geography
from tradesim.inputs.levers import read_levers
from tradesim.inputs.pair import read_pair
from tradesim.reports.figure_style import styled
from tradesim.reports.projection import projected, smooth
from tradesim.reports.run.route_map import (
    COLOURS,
    for_browsers,
    loads,
    route_map,
)
from tradesim.reports.run.view import ResultsView

COUNTS = ["right", "left"]
OUTLINES = "country,ring,lon,lat\n" + "".join(
    f"{code},1,{x},{y}\n" for code, left in (("LEF", 10), ("RIG", 20), ("FAR", 30))
    for x, y in ((left, 40), (left + 9, 40), (left + 9, 50), (left, 50)))
PLACES = ("name,title,kind,lon,lat,side,source\nLEF,,country,14,45,,\n"
          "town,Leftville,capital,15,42,left,\ngate,The Gate,post,20,45,,\n")
WAYS = "route,lon,lat,note\npass,15,42,\npass,20,45,\npass,25,42,\nferry,15,42,\nferry,25,42,\n"


@pytest.fixture
def folder(tmp_path):
    home = tmp_path / DISPLAY
    home.mkdir()
    for name, text in (("outlines", OUTLINES), ("places", PLACES), ("ways", WAYS)):
        (home / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def make(**options):
    dataset = fake_results.dataset(list(PAIR.importers), [*PAIR.exporters, "UNO", "DUE"],
                                   [f"group {place}" for place in range(12)], COUNTS, draws=40,
                                   **options)
    history, posterior = fake_results.past(PAIR.importers, PAIR.reporters, 40)
    return ResultsView(dataset, PAIR, history, posterior)


@pytest.fixture(scope="module")
def view():
    return make()


def test_routes_carry_what_the_pair_trades(view):
    changes = view.change("turnover", "if_implemented", count=view.count, year=view.last)
    assert sum(load.mean for load in loads(view, view.last)) == pytest.approx(changes.mean())
    assert [load.route for load in loads(view)] == list(PAIR.routes)
    reference = view.draws("turnover", "reference", count=view.count, year=view.last)
    share = view.draws("route_share", "reference", year=view.last, route="pass") * 1e6
    assert share.shape == (40, 2)
    first = loads(view, view.last)[0]
    assert 0.7 < first.before / np.median(reference) < 1.0  # of 0.85 made up
    assert first.moves == 1
    assert COLOURS[first.moves] != COLOURS[0]


def test_a_shock_is_shown_in_the_year_in_which_it_costs_most(view):
    assert view.moment == view.last
    shock = {"scenario": {"levers": {"drought": {}}}}
    faded = make(**shock)
    faded.dataset.attrs["shocks"] = '["drought"]'
    for name in ("trade", "turnover", "route_share", "consumer_surplus"):
        faded.dataset[name].loc[{"case": "if_implemented", "year": 2035}] = faded.dataset[
            name].sel(case="reference", year=2035)
    assert faded.moment == 2034
    assert loads(faded) == loads(faded, 2034)


def test_the_map_names_places_and_numbers_routes(view, folder):
    figure = styled(lambda: route_map(view, folder), "run")
    texts = [text.get_text() for axes in figure.axes for text in axes.texts]
    assert {"LEFT", "Leftville", "The Gate", "1", "2", "Mountain pass", "Ferry"} <= set(texts)
    assert sum("USD" in text for text in texts) == len(PAIR.routes)
    wide, narrow = (max(line.get_linewidth() for line in figure.axes[0].lines
                        if line.get_color() == COLOURS[load.moves]) for load in loads(view))
    assert wide >= narrow


def test_a_way_that_a_lever_opens_is_drawn_where_it_is_pulled(folder):
    ways, view = folder / DISPLAY / "ways.csv", make(scenario={"levers": {"road": {}}})

    def dotted(lever):
        rows = "".join(f"{row},\n" for row in WAYS.splitlines()[1:])
        new = "".join(f"pass,{lon},42,,{lever}\n" for lon in (15, 25))
        ways.write_text(f"route,lon,lat,note,lever\n{rows}{new}", encoding="utf-8")
        figure = styled(lambda: route_map(view, folder), "run")
        told = any("the road that the scenario opens" in text.get_text()
                   for axes in figure.axes for text in axes.texts)
        lines = [line for line in figure.axes[0].lines if line.get_color() == "black"
                 and len(line.get_xdata()) > 1]
        return len(lines), told

    assert dotted("road") == (1, True)
    assert dotted("another") == (0, False)


def test_no_map_without_outlines_or_in_results_without_routes(view, tmp_path, folder):
    assert route_map(view, tmp_path / "elsewhere") is None
    assert for_browsers(view, tmp_path / "elsewhere") is None
    old = ResultsView(view.dataset.drop_vars("route_share"), view.pair, view.history,
                      view.posterior)
    assert route_map(old, folder) is None


def test_browsers_get_numbers(view, folder):
    found = for_browsers(view, folder)
    assert set(found) == {"year", "outlines", "places", "ways", "loads"}
    assert [load["route"] for load in found["loads"]] == list(PAIR.routes)
    town = next(place for place in found["places"] if place["name"] == "town")
    assert [town["x"], town["y"]] == pytest.approx(found["ways"]["pass"][0], abs=1e-3)


def test_projection_is_true_on_its_parallels():
    """A degree along a standard parallel has its length on the sphere (Snyder 1987, page 107)."""
    for latitude in (42.0, 56.0):
        line = projected(np.array([[85.0, latitude], [86.0, latitude]]))
        there = math.hypot(*(line[1] - line[0]))
        assert there == pytest.approx(math.radians(1) * math.cos(math.radians(latitude)), rel=1e-4)
    assert projected(np.array([[85.0, 48.0]])) == pytest.approx(np.zeros((1, 2)))


def test_a_smooth_line_stays_between_its_points():
    points = np.array([[0.0, 0.0], [1.0, 3.0], [2.0, 3.0], [5.0, 0.0]])
    line = smooth(points)
    np.testing.assert_allclose(line[[0, -1]], points[[0, -1]], atol=1e-12)
    assert line.min() >= 0.0
    assert line.max() <= 5.0
    assert line[:, 1].max() <= 3.0 + 1e-12


@pytest.mark.parametrize(("table", "old", "new", "message"), [
    ("ways", "ferry,15,42", "fery,15,42", "'fery' is unknown|fery"),
    ("places", "capital", "capitol", "capitol"),
    ("outlines", "LEF,1,10,40", "LEF,1,10,140", "140")])
def test_a_slip_in_the_tables_of_the_map_is_named(folder, table, old, new, message):
    path = folder / DISPLAY / f"{table}.csv"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        read_geography(folder, PAIR)


def test_shipped_map_has_both_countries_all_routes_and_their_neighbours():
    pair = read_pair(calibration_folder())
    found = read_geography(calibration_folder(), pair)
    assert set(found.ways) == set(pair.routes)
    assert found.new_ways.keys() == {"altai_road"} <= read_levers(calibration_folder()).keys()
    assert {*pair.importers, "RUS", "CHN"} <= set(found.outlines)
    kinds = {place.kind for place in found.places}
    assert kinds == {"country", "capital", "city", "post", "zone"}
    assert all(len(ring) > 3 for rings in found.outlines.values() for ring in rings)
