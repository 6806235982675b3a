"""The posterior file: what is refused."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import xarray as xr
import yaml

from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder, sha256
from tradesim.inputs import posterior


@pytest.fixture
def folder(tmp_path):
    return shutil.copytree(calibration_folder(), tmp_path / "calibration")


# Reading a posterior that is wrong


def rewrite(folder, change, *, signed=True):
    """Change the data set of a posterior; `signed` makes the manifest agree with it."""
    file = folder / posterior.DATA
    with xr.open_dataset(file, engine="scipy") as opened:
        dataset = opened.load()
    file.write_bytes(change(dataset).to_netcdf(engine="scipy"))
    if signed:
        manifest = folder / posterior.MANIFEST
        data = yaml.safe_load(manifest.read_text())
        manifest.write_text(yaml.safe_dump({**data, "posterior_sha256": sha256(file)}))


def with_nan(dataset):
    dataset["bias"][3, 0] = np.nan
    return dataset


WRONG = {
    "missing": (lambda f: (f / "posterior.nc").unlink(), "there is no posterior here"),
    "garbage": (lambda f: (f / "posterior.nc").write_bytes(b"garbage" * 99),
                r"is damaged or no netCDF file"),
    "empty": (lambda f: (f / "posterior.nc").write_bytes(b""), r"is damaged or no netCDF file"),
    "truncated": (lambda f: (f / "posterior.nc").write_bytes(
        (f / "posterior.nc").read_bytes()[:200_000]), "is damaged"),
    "a changed byte": (lambda f: rewrite(f, lambda d: d.assign(bias=d["bias"] + 0.01),
                                         signed=False),
                       r"is damaged: its SHA-256 is not the one in posterior\.yaml"),
    "no manifest": (lambda f: (f / "posterior.yaml").unlink(), r"has no posterior\.yaml beside"),
    "no variable": (lambda f: rewrite(f, lambda d: d.drop_vars("latent")),
                    "holds no variable 'latent'"),
    "dimensions": (lambda f: rewrite(f, lambda d: d.assign(residual=d["residual"].isel(draw=0))),
                   r"'residual' has dimensions \('importer',\), not \('draw', 'importer'\)"),
    "of 0.2": (lambda f: rewrite(f, lambda d: d.expand_dims(specification=["nominal_gdp"])),
               r"'constant' has dimensions \('specification', 'draw', 'importer'\), not "),
    "NaN": (lambda f: rewrite(f, with_nan), "'bias' holds values that are not finite"),
    "labels": (lambda f: rewrite(f, lambda d: d.assign_coords(importer=["AAA", "BBB"])),
               r"is for importers AAA, BBB, but pair\.yaml has "),
    "attributes": (lambda f: rewrite(f, lambda d: d.drop_attrs().assign_attrs(
        seed=1, base_year=2023, hashes="{}")), "as_of: is missing"),
    "later data": (lambda f: rewrite(f, lambda d: d.assign_attrs(as_of=2031)),
                   "was fitted to data up to 2031, but the data end in 2024"),
    "other data": (lambda f: (f / "data/corridor.csv").write_bytes(
        (f / "data/corridor.csv").read_bytes() + b"\n"),
                   r"belongs to other inputs; changed since: data/corridor\.csv"),
    "other prior": (lambda f: (f / "parameters.yaml").write_text(
        (f / "parameters.yaml").read_text().replace("{kind: beta, a: 8.0, b: 2.0}",
                                                    "{kind: beta, a: 8.0, b: 3.0}")),
                    r"changed since: parameters\.yaml: calibrated entries"),
    "other years": (lambda f: (f / "pair.yaml").write_text(
        (f / "pair.yaml").read_text().replace("first_year: 2011", "first_year: 2012")),
                    r"changed since: pair\.yaml: countries, counts and years"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_posterior_is_one_clear_error(folder, case):
    posterior.read_posterior(folder)
    spoil, words = WRONG[case]
    spoil(folder)
    with pytest.raises(InputError, match=words) as caught:
        posterior.read_posterior(folder)
    assert len(caught.value.problems) == 1
    assert str(caught.value).startswith(str(folder / "posterior.nc"))
    assert str(caught.value).endswith("run `tradesim calibrate`")


def test_what_does_not_enter_the_fit_leaves_the_posterior_valid(folder):
    file = folder / "parameters.yaml"
    text = file.read_text()
    file.write_text(text.replace("{kind: beta, a: 13.0, b: 30.0}",
                                 "{kind: beta, a: 12.0, b: 30.0}"))
    assert file.read_text() != text
    pair = folder / "pair.yaml"
    data = yaml.safe_load(pair.read_text())
    pair.write_text(yaml.safe_dump({**data, "title": "Another title"}, sort_keys=False))
    posterior.read_posterior(folder)


def test_a_missing_input_is_named(folder):
    (folder / "data/macro.csv").unlink()
    with pytest.raises(InputError, match=r"data/macro\.csv: file is missing"):
        posterior.read_posterior(folder)
