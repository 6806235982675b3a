"""Reported trade and macroeconomic series: known numbers, no look-ahead, every gap reported."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.history import (
    CORRIDOR,
    MACRO,
    TRADE,
    History,
    read_history,
    read_reports,
)
from tradesim.inputs.pair import read_pair

FILES = ("pair.yaml", TRADE, MACRO, CORRIDOR)
PRINTED = 0.005
"""Published figures are printed to the cent of a million."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the calibration that a test may spoil."""
    return copy(tmp_path / "calibration")


def copy(target: Path) -> Path:
    for name in FILES:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(calibration_folder() / name, target / name)
    return target


def edit(folder: Path, name: str, change) -> None:
    frame = pd.read_csv(folder / name, dtype=str, keep_default_na=False)
    change(frame).to_csv(folder / name, index=False, lineterminator="\n")


def problems(folder: Path, as_of: int | None = None) -> list[str]:
    with pytest.raises(InputError) as caught:
        read_history(folder, as_of)
    return [str(problem).replace(str(folder), "DIR") for problem in caught.value.problems]


def arrays(history: History) -> dict[str, np.ndarray]:
    parts = {field.name: getattr(history, field.name) for field in dataclasses.fields(history)}
    for name in ("forecast", "series"):
        part = parts.pop(name)
        parts |= {f"{name}.{field.name}": getattr(part, field.name)
                  for field in dataclasses.fields(part)}
    return {name: np.asarray(value) for name, value in parts.items()}


def test_axes_and_known_numbers():
    history = read_history(calibration_folder())
    assert history.years == tuple(range(2011, 2025))
    assert history.importers == ("MNG", "KAZ")
    assert history.reporters == ("KAZ", "MNG")
    assert history.log_value.shape == history.error_scale.shape == (14, 2, 2)
    millions = np.exp(history.log_value) / 1e6
    np.testing.assert_allclose(millions[0], [[35.43, 16.94], [1.45, 2.58]], atol=PRINTED)
    np.testing.assert_allclose(millions[-1], [[120.16, 47.35], [3.81, 6.80]], atol=PRINTED)
    np.testing.assert_array_equal(history.error_scale, 1.0)
    np.testing.assert_allclose(np.exp(history.log_gdp[-1]) / 1e9, [23.795, 291.480], atol=1e-3)
    np.testing.assert_allclose(np.expm1(history.series.growth[-1]), [0.0512, 0.05])
    assert dict(zip(history.years, history.closed_share, strict=True))[2020] == 0.83


def test_exchange_rate_is_the_relative_deflator():
    history = read_history(calibration_folder())
    assert history.exchange_rate.mean() == pytest.approx(0.0, abs=1e-12)
    # 2015 to 2016: GDP 11.620 to 11.181 and 184.388 to 137.278 billion, growth 1.49 and 0.9 %
    step = np.log(137.278 / 184.388 / 1.009) - np.log(11.181 / 11.620 / 1.0149)
    found = np.diff(history.exchange_rate)[history.years.index(2015)]
    assert found == pytest.approx(step, abs=1e-4)


def test_published_forecast_continues_the_sample():
    history = read_history(calibration_folder())
    forecast = history.forecast
    assert forecast.years == tuple(range(2025, 2051))
    assert forecast.log_gdp.shape == (26, 2)
    # Kazakhstan 2026 is of a later vintage: its real growth of 4.609 %, and prices as in 2027
    of_2026 = 312.2 * 1.04609 * 385.965792 / 360.455769 / 1.044
    np.testing.assert_allclose(np.exp(forecast.log_gdp[1]) / 1e9, [27.82, of_2026], atol=1e-3)
    np.testing.assert_allclose(np.exp(forecast.log_gdp[5]) / 1e9,
                               [37.40, of_2026 * 468.832024 / 360.455769], atol=1e-3)
    step = (np.log(312.2 / 291.480274 / 1.05)
            - np.log(25.73 / 23.794540025 / 1.055))
    assert forecast.exchange_rate[0] - history.exchange_rate[-1] == pytest.approx(step, abs=1e-9)


def test_beyond_the_projection_growth_goes_to_the_worlds():
    forecast = read_history(calibration_folder()).forecast
    growth, nominal = np.diff(forecast.log_real, axis=0), np.diff(forecast.log_gdp, axis=0)
    last, world = growth[9], np.log(1.03)  # 2035 against 2034
    ahead = np.arange(1, 16)[:, None]
    np.testing.assert_allclose(growth[10:], world + 0.85**ahead * (last - world), rtol=1e-9)
    np.testing.assert_allclose(nominal[10:] - growth[10:], np.log(1.02), rtol=1e-9)
    assert (np.abs(growth[-1] - world) < np.abs(last - world)).all()


def test_an_earlier_forecast_follows_the_rule_of_the_macroeconomic_outlook():
    history = read_history(calibration_folder(), 2018)
    forecast = history.forecast
    assert history.years == tuple(range(2011, 2019))
    assert forecast.years == tuple(range(2019, 2051))
    series = history.series
    assert series.years == tuple(range(2000, 2019))
    ahead = np.arange(1, 33)[:, None]
    mean = (series.growth[1:].mean(axis=0) + np.log(1.03)) / 2
    np.testing.assert_allclose(forecast.log_real - history.log_real[-1], ahead * mean)
    level = series.log_gdp - series.log_real - np.arange(19)[:, None] * np.log(1.02)
    gap = level[-1] - level.mean(axis=0)
    np.testing.assert_allclose(
        forecast.log_gdp - history.log_gdp[-1],
        ahead * (mean + np.log(1.02)) + (0.85**ahead - 1) * gap)
    drift = (0.85**ahead[:, 0] - 1) * (gap[1] - gap[0])
    np.testing.assert_allclose(forecast.exchange_rate - history.exchange_rate[-1], drift,
                               atol=1e-12)
    assert history.exchange_rate.mean() == pytest.approx(0.0, abs=1e-12)


def test_real_gdp_grows_as_reported():
    history = read_history(calibration_folder())
    rows = pd.read_csv(calibration_folder() / MACRO).query(
        "variable == 'real_growth_pct' and kind == 'actual'")
    reported = [[rows[(rows["country"] == country) & (rows["year"] == year)]["value"].item() / 100
                 for country in history.importers] for year in history.years[1:]]
    np.testing.assert_allclose(np.exp(np.diff(history.log_real, axis=0)) - 1, reported)
    np.testing.assert_allclose(np.exp(np.diff(history.forecast.log_real, axis=0))[0] - 1,
                               [0.055, 0.04609374], atol=1e-3)


def test_reports_reach_back_before_the_sample():
    years, values = read_reports(calibration_folder())
    assert years == tuple(range(2005, 2025))
    np.testing.assert_allclose(np.exp(values[0]) / 1e6, [[47.035, 40.538], [0.425, 0.553]],
                               atol=1e-3)
    np.testing.assert_array_equal(values[6:], read_history(calibration_folder()).log_value)


def test_earlier_gdp_is_of_the_same_sources_as_the_sample():
    rows = pd.read_csv(calibration_folder() / MACRO)
    for country, variable in (("MNG", "gdp_usd"), ("MNG", "real_growth_pct"),
                              ("KAZ", "gdp_usd"), ("KAZ", "real_growth_pct")):
        found = rows[(rows["country"] == country) & (rows["variable"] == variable)
                     & (rows["year"] < 2012)]
        assert found["year"].tolist() == list(range(2000, 2012))
        assert found["source"].nunique() == found["grade"].nunique() == 1


def test_as_of_the_last_year_is_the_full_sample():
    full, last = read_history(calibration_folder()), read_history(calibration_folder(), 2024)
    for name, value in arrays(full).items():
        np.testing.assert_array_equal(arrays(last)[name], value, err_msg=name)


@settings(max_examples=12, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(as_of=st.integers(2013, 2023), factor=st.floats(0.2, 5.0), drop=st.booleans())
def test_as_of_uses_nothing_later(tmp_path_factory, as_of, factor, drop):
    folder = copy(tmp_path_factory.mktemp("later") / "calibration")
    before = arrays(read_history(folder, as_of))

    def change(column):
        def apply(frame):
            later = frame["year"].astype(int) > as_of
            if drop:
                return frame[~later]
            frame.loc[later, column] = [f"{float(value) * factor:.6f}" if column != "closed_share"
                                        else "0.04" for value in frame.loc[later, column]]
            return frame
        return apply

    edit(folder, TRADE, change("value_usd"))
    edit(folder, MACRO, lambda frame: change("value")(frame).assign(low="", high=""))
    edit(folder, CORRIDOR, lambda frame: change("closed_share")(frame).assign(low="0", high="1"))
    after = arrays(read_history(folder, as_of))
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)


def test_arrays_are_read_only():
    for name, value in arrays(read_history(calibration_folder())).items():
        if value.dtype.kind == "f":
            assert not value.flags.writeable, name


def test_missing_observation_is_nan_and_grades_widen_errors(folder):
    def change(frame):
        at = (frame["used"] == "yes") & (frame["importer"] == "MNG") & (frame["reporter"] == "MNG")
        frame.loc[at & (frame["year"] == "2015"), "used"] = "no"
        frame.loc[at & (frame["year"] == "2016"), "grade"] = "C"
        frame.loc[at & (frame["year"] == "2017"), "grade"] = "B"
        return frame
    edit(folder, TRADE, change)
    history = read_history(folder)
    cell = [history.years.index(year) for year in (2015, 2016, 2017)]
    assert np.isnan(history.log_value[cell[0], 0, 1])
    assert np.isnan(history.log_value).sum() == 1
    np.testing.assert_array_equal(history.error_scale[cell[1:], 0, 1], [3.0, 1.5])


@pytest.mark.parametrize(("column", "value", "message"), [
    ("grade", "D", "a row of grade D cannot be used"),
    ("months", "1-8", "a used row must cover the whole year"),
    ("value_usd", "0", "a used row must have a value above zero"),
    ("exporter", "BOTH", "a used row must run between MNG and KAZ"),
    ("reporter", "press", "a used row must be counted by one of KAZ, MNG"),
    ("year", "2012", "two used rows count the same flow"),
    ("used", "presample", "rows before 2011, and only they, are used as 'presample'"),
])
def test_bad_used_row(folder, column, value, message):
    def change(frame):
        at = ((frame["used"] == "yes") & (frame["year"] == "2013") & (frame["importer"] == "MNG")
              & (frame["reporter"] == "KAZ"))
        frame.loc[at, column] = value
        return frame
    edit(folder, TRADE, change)
    found = problems(folder)
    assert len(found) == 1
    assert found[0].startswith(f"DIR/{TRADE}: ")
    assert found[0].endswith(message)


def test_gaps_are_all_reported(folder):
    drop = (("KAZ", "2014", "gdp_usd"), ("MNG", "2016", "gdp_usd"))
    edit(folder, MACRO, lambda frame: frame[
        [row not in drop for row in zip(frame["country"], frame["year"], frame["variable"],
                                        strict=True)]])
    assert problems(folder) == [f"DIR/{MACRO}: MNG 2016 gdp_usd (actual): row missing",
                                f"DIR/{MACRO}: KAZ 2014 gdp_usd (actual): row missing"]


def test_missing_forecast_matters_only_for_the_full_sample(folder):
    edit(folder, MACRO, lambda frame: frame[
        ~((frame["kind"] == "forecast") & (frame["year"] == "2033"))])
    assert problems(folder) == [f"DIR/{MACRO}: MNG 2033 gdp_usd (forecast): row missing",
                                f"DIR/{MACRO}: KAZ 2033 gdp_usd (forecast): row missing"]
    assert read_history(folder, 2020).years[-1] == 2020


def test_impossible_values(folder):
    def change(frame):
        at = (frame["country"] == "MNG") & (frame["year"] == "2012") & (frame["kind"] == "actual")
        frame.loc[at & (frame["variable"] == "gdp_usd"), "value"] = "-1"
        return frame
    edit(folder, MACRO, change)
    assert problems(folder) == [f"DIR/{MACRO}: MNG 2012 gdp_usd (actual): must be above 0"]


def test_too_few_observations(folder):
    def change(frame):
        frame.loc[(frame["importer"] == "KAZ") & (frame["reporter"] == "MNG"), "used"] = "no"
        return frame
    edit(folder, TRADE, change)
    assert problems(folder) == [f"DIR/{TRADE}: KAZ counted by MNG: 0 used years between 2011 and "
                                "2024; at least 3 are needed"]


def test_no_earlier_gdp_shortens_the_record_only(folder):
    edit(folder, MACRO, lambda frame: frame[frame["year"].astype(int) != 2007])
    history = read_history(folder)
    assert history.series.years == tuple(range(2008, 2025))
    np.testing.assert_allclose(history.exchange_rate,
                               read_history(calibration_folder()).exchange_rate, atol=1e-12)


def test_missing_year_of_the_corridor(folder):
    edit(folder, CORRIDOR, lambda frame: frame[frame["year"] != "2019"])
    assert problems(folder) == [f"DIR/{CORRIDOR}: 2019: row missing"]


@pytest.mark.parametrize("as_of", [2012, 2025])
def test_as_of_outside_the_data(as_of):
    with pytest.raises(InputError, match=f"{as_of} is no last year of a sample; allowed 2013 to"):
        read_history(calibration_folder(), as_of)


def test_pair_names_and_orders():
    pair = read_pair(calibration_folder())
    assert pair.exporters == ("MNG", "KAZ", "RUS", "CHN", "REAEU", "ROW")
    assert pair.partner("MNG") == "KAZ"
    assert pair.partner("KAZ") == "MNG"
    assert next(iter(pair.counts)) == pair.target_count == "kazakh"
    assert pair.target_value == 500e6
    assert len(pair.groups) == 12
    assert [route for route, entry in pair.routes.items() if not entry.corridor] == [
        "via_china", "air_other"]
    assert pair.name("KAZ") == "Kazakhstan"
    assert pair.name("tobacco") == "Tobacco"
    assert pair.name("nobody") == "nobody"


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("pair: [MNG, KAZ]", "pair: [MNG, KAS]", "pair: 'KAS' is unknown; known: MNG, KAZ, RUS, CHN, "
     "REAEU, ROW; did you mean 'KAZ'?"),
    ("pair: [MNG, KAZ]", "pair: [MNG, MNG]",
     "pair: 'MNG' stands twice; two countries are needed"),
    ("count: kazakh", "count: kazak", "target.count: 'kazak' is unknown; known: kazakh, "
     "mongolian; did you mean 'kazakh'?"),
    ("reporter: MNG", "reporter: KAZ", "counts: there must be one count of each member of the "
     "pair, MNG and KAZ, but their reporters are KAZ, KAZ"),
    ("base_year: 2023", "base_year: 1999", "base_year: 1999 lies outside the sample 2011-2024"),
    ("horizon: 2035", "horizon: 2024",
     "first_year, last_year, horizon: must rise, but are 2011, 2024, 2024"),
    ("horizon: 2035", "horizonn: 2035", "horizonn: unknown key; did you mean 'horizon'?"),
    ("value_usd: 500000000", "value_usd: many", "target.value_usd: must be a valid number"),
])
def test_bad_pair(folder, old, new, expected):
    path = folder / "pair.yaml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_pair(folder)
    assert any(expected in str(problem) for problem in caught.value.problems), str(caught.value)
    assert all(str(problem).startswith(str(path)) for problem in caught.value.problems)
