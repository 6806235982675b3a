"""A made-up year 2025 in a copied calibration: scores, refit, what moved, every error."""

from __future__ import annotations

import json
import shutil

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from click.testing import CliRunner

from new_year import YEAR, append, grow, macro_rows, trade_rows
from tradesim.cli.app import cli
from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs import posterior
from tradesim.inputs.pair import read_pair
from tradesim.reference import calibrate as fitting
from tradesim.reports.forecasts import moved_table, scores_table
from tradesim.studies import forecasts, update
from tradesim.studies.backtest import scores

LAST = 2024

# Four digits in the file.
WRITTEN = 2e-3


@pytest.fixture
def folder(tmp_path):
    """A copy of the calibration, with a forecast from few draws that is kept."""
    made = tmp_path / "calibration"
    shutil.copytree(calibration_folder(), made)
    shutil.rmtree(made / forecasts.FOLDER, ignore_errors=True)
    forecasts.write_forecast(forecasts.forecast(made, draws=500), forecasts.file_of(made))
    return made


@pytest.fixture
def grown(folder):
    """The same with a made-up year."""
    return grow(folder)


@pytest.fixture
def quick(monkeypatch):
    """A fit without sampling: the old draws, 10 % more trade, stamped as fitted to the new data."""
    def fit(folder, **_):
        with xr.open_dataset(folder / posterior.DATA, engine="scipy") as opened:
            old = opened.load()
        last = old["latent"].isel(year=[-1]).assign_coords(year=[YEAR])
        new = old.drop_dims("year").assign(latent=xr.concat([old["latent"], last], "year"))
        new["constant"] = new["constant"] + np.log(1.1)
        new.attrs = old.attrs | {"as_of": YEAR,
                                 "hashes": json.dumps(posterior.input_hashes(folder))}
        manifest = yaml.safe_load((folder / posterior.MANIFEST).read_text())
        fitting._write(new, manifest, folder)

    monkeypatch.setattr(update, "calibrate", fit)


def problems(folder, **options):
    with pytest.raises(InputError) as caught:
        update.update(folder, **options)
    return str(caught.value).replace(str(folder), "DIR")


# What is kept.

def test_a_forecast_has_every_year_count_and_direction(folder):
    (frame,) = forecasts.read_forecasts(folder).values()
    pair = read_pair(folder)
    assert set(frame["as_of"]) == {LAST}
    assert len(frame) == (pair.horizon - LAST) * 2 * 3 * 2
    assert (np.diff(frame[forecasts.PERCENTILES], axis=1) >= 0).all()
    near = frame[frame["year"] == YEAR].set_index(["of", "count", "direction"])
    width = np.log(near["p95"] / near["p05"])
    assert (width["report"] > width["flow"]).all()


def test_reports_have_the_error_of_the_fit(folder):
    """Second route: the variance of a log report is that of the flow and of the error."""
    frame = forecasts.forecast(folder, draws=8000)
    wide = frame.set_index(["of", "year", "direction", "count"]).sort_index()
    fitted = posterior.read_posterior(folder)
    for importer, reporter, count in (("MNG", "KAZ", "kazakh"), ("KAZ", "MNG", "mongolian")):
        direction = f"{read_pair(folder).partner(importer)}-{importer}"
        sd = {of: np.log(wide.loc[(of, 2025, direction, count), "p84"]
                         / wide.loc[(of, 2025, direction, count), "p16"]) / 2
              for of in forecasts.KINDS}
        error = float((fitted["error_sd"].sel(importer=importer, reporter=reporter)**2).mean())
        assert sd["report"]**2 - sd["flow"]**2 == pytest.approx(error, rel=0.35)


def test_a_run_says_the_same(folder):
    """The flow is that of `tradesim run base`: same seed, same draws."""
    from tradesim.simulation.model import run

    found = run("base", calibration=folder, draws=500, seed=1)
    turnover = found["turnover"].sel(case="reference", count="kazakh", year=2035) / 1e6
    (frame,) = forecasts.read_forecasts(folder).values()
    row = frame[(frame["year"] == 2035) & (frame["count"] == "kazakh") & (frame["of"] == "flow")
                & (frame["direction"] == "turnover")].iloc[0]
    np.testing.assert_allclose(row[["p10", "p50", "p90"]].to_numpy(float), scores.quantiles(
        turnover.to_numpy(), (0.1, 0.5, 0.9)), rtol=WRITTEN)


def test_place_is_the_inverse_of_percentiles():
    row = dict(zip(forecasts.PERCENTILES, np.exp(forecasts.LEVELS), strict=True))
    for share in (0.01, 0.425, 0.99):
        assert forecasts.place(row, np.exp(share)) == pytest.approx(share)
    assert forecasts.place(row, 0.1) == 0.0
    assert forecasts.place(row, 10.0) == 1.0


def test_a_forecast_with_other_data_is_not_replaced(folder):
    path = forecasts.file_of(folder)
    frame = forecasts.read_forecasts(folder)[path.stem]
    forecasts.write_forecast(frame, path)
    with pytest.raises(InputError, match="holds the forecast made with data up to 2024, not 2025; "
                                         "it is kept as it was; name another file with --out"):
        forecasts.write_forecast(frame.assign(as_of=2025), path)


def test_the_command_forecast(folder, tmp_path):
    done = CliRunner().invoke(cli, ["forecast", "--draws", "100", "--calibration", str(folder),
                                    "--out", str(tmp_path / "mine.csv")])
    assert done.exit_code == 0, done.output
    assert f"Written: {tmp_path / 'mine.csv'}" in done.output
    assert len(pd.read_csv(tmp_path / "mine.csv")) == 132


@pytest.mark.slow
def test_the_forecast_of_this_version_is_kept():
    """After a change of the projection: run `tradesim forecast`."""
    folder = calibration_folder()
    held = pd.read_csv(forecasts.file_of(folder))
    now = forecasts.forecast(folder)
    pd.testing.assert_frame_equal(held, now, check_dtype=False, rtol=WRITTEN)


# A new year.

def test_a_new_year_is_scored_fitted_and_compared(grown, quick, tmp_path):
    before = {path: path.read_bytes() for path in grown.rglob("*") if path.is_file()}
    done = update.update(grown, out=tmp_path / "new", draws=500)
    assert done.years == (YEAR,)
    found = done.scores.set_index(["direction", "count"])
    assert len(found) == 6
    (kept,) = forecasts.read_forecasts(grown).values()
    row = kept[(kept["year"] == YEAR) & (kept["count"] == "kazakh") & (kept["of"] == "report")
               & (kept["direction"] == "turnover")].iloc[0]
    mine = found.loc[("turnover", "kazakh")]
    assert mine["reported"] == pytest.approx(145)
    below = [level for level in forecasts.PERCENTILES if row[level] <= 145]
    assert len(below) / 100 <= mine["pit"] <= (len(below) + 1) / 100
    assert mine["inside"] == 50
    assert found.loc[("KAZ-MNG", "mongolian"), ["pit", "inside"]].tolist() == [1, 0]
    assert found.loc[("MNG-KAZ", "mongolian"), ["pit", "inside"]].tolist() == [0, 0]
    assert {path: path.read_bytes() for path in before} == before
    assert read_pair(tmp_path / "new").last_year == YEAR
    assert posterior.read_posterior(tmp_path / "new").attrs["as_of"] == YEAR
    assert len(pd.read_csv(tmp_path / "new" / update.SCORES)) == 6
    old, new = (done.moved[done.moved["as_of"] == year].set_index("count")
                for year in (LAST, YEAR))
    assert set(done.moved["year"]) == {2035}
    assert (new["p50"] != old["p50"]).all()
    assert old.loc["kazakh", "chance"] > old.loc["mongolian", "chance"]
    table = f"{scores_table(done.scores)}\n{moved_table(done.moved)}"
    for words in ("outside 90 %", "50 % range", "chance of the target", "Turnover of 2035"):
        assert words in table


def test_in_place_and_a_second_year(grown, quick):
    """The next year is held against both forecasts, the first one two years ahead."""
    names = {path.name for path in grown.iterdir()}
    update.update(grown, draws=500)
    assert {path.name for path in grown.iterdir()} == names | {update.SCORES}
    kept = forecasts.read_forecasts(grown)
    assert [frame["as_of"].iloc[0] for frame in kept.values()] == [LAST, YEAR]
    assert problems(grown) == (
        "DIR/data/bilateral_trade.csv: no used row after 2025, the last year of pair.yaml: nothing "
        "new to take in; add the rows of 2026 with `used` yes")
    history = update.read_history(grown)
    both = forecasts.score(kept, history, read_pair(grown), (LAST, YEAR))
    assert set(both["forecast"]) == {next(iter(kept))}  # only what was made before


def test_the_command(grown, quick, tmp_path):
    done = CliRunner().invoke(cli, ["update", "--calibration", str(grown), "--out",
                                    str(tmp_path / "new")])
    assert done.exit_code == 0, done.output
    for words in ("Reported against what was forecast", "Turnover of 2035", "tradesim backtest"):
        assert words in done.output


@pytest.mark.slow
@pytest.mark.nightly
def test_a_real_fit_moves_towards_the_new_year(grown, tmp_path):
    done = update.update(grown, out=tmp_path / "new", draws=2000)
    assert done.moved["p50"].between(50, 1000).all()


# Errors.

def test_nothing_new(folder):
    assert problems(folder) == (
        "DIR/data/bilateral_trade.csv: no used row after 2024, the last year of pair.yaml: nothing "
        "new to take in; add the rows of 2025 with `used` yes")


def test_a_year_left_out(grown):
    append(grown / "data/bilateral_trade.csv", trade_rows(2028))
    assert problems(grown).splitlines() == [
        f"DIR/data/bilateral_trade.csv: {year}: no used row, but there is one of 2028: years must "
        "follow each other" for year in (2026, 2027)]


def test_gdp_and_corridor_of_the_new_year_are_needed(folder):
    append(folder / "data/bilateral_trade.csv", trade_rows(YEAR))
    append(folder / "data/macro.csv", macro_rows(YEAR)[:4])
    assert problems(folder).splitlines() == [
        "DIR/data/macro.csv: KAZ 2025 real_growth_pct (actual): row missing; a fit to the trade of "
        "that year needs it",
        "DIR/data/corridor.csv: 2025: row missing; say for what share of the year the corridor was "
        "closed, 0 if it was not"]


def test_gdp_after_the_new_year_is_needed(grown):
    path = grown / "data/macro.csv"
    frame = pd.read_csv(path, dtype=str, keep_default_na=False)
    gone = (frame["year"] == "2030") & (frame["kind"] == "forecast") & (frame["country"] == "KAZ")
    frame[~gone].to_csv(path, index=False)
    assert problems(grown).splitlines() == [
        f"DIR/data/macro.csv: KAZ 2030 {variable} (forecast): row missing; a projection from 2025 "
        "on needs it" for variable in ("gdp_usd", "real_growth_pct")]


def test_without_a_kept_forecast(grown):
    shutil.rmtree(grown / forecasts.FOLDER)
    assert "DIR/forecasts: holds no forecast made before 2025" in problems(grown)
    assert "run `tradesim forecast`" in problems(grown)


def test_a_folder_in_use_is_not_replaced(grown, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/thesis.doc").write_text("years of work")
    assert "--out: is not empty; name a new folder" in problems(grown, out=tmp_path / "new")


def test_other_problems_name_the_folder_of_the_user(grown, quick):
    path = grown / "data/bilateral_trade.csv"
    path.write_text(path.read_text().replace("140000000.0,yes,A", "-1,yes,A"))
    assert problems(grown).startswith("DIR/data/bilateral_trade.csv:")


def test_what_a_killed_update_left_is_swept_up_where_nothing_is_new(folder):
    left = folder.with_name(f".{folder.name}-0123abcd.tradesim")
    shutil.copytree(folder, left)
    assert "nothing new to take in" in problems(folder)
    assert not left.exists()


def test_the_copy_that_is_fitted_goes_with_what_a_killed_update_leaves(grown, quick, monkeypatch):
    places, fit = [], update.calibrate
    monkeypatch.setattr(update, "calibrate",
                        lambda folder, **given: (places.append(folder), fit(folder, **given)))
    update.update(grown)
    (stage,) = places
    assert stage.relative_to(grown.parent).parts[0].startswith(f".{grown.name}-")
    assert not [path for path in grown.rglob("*") if path.name.startswith(".")]
    assert [path.name for path in grown.parent.iterdir()] == [grown.name]
