"""Specifications and their weights: what the files may say, and what is wrong with them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from tradesim.common.errors import InputError
from tradesim.common.files import calibration_folder
from tradesim.inputs.specifications import (
    SPECIFICATIONS_FILE,
    WEIGHTS,
    loadings,
    read_specifications,
    read_weights,
    size_of_market,
    specification,
)

PLAIN = {"title": "Plain", "size": "nominal_gdp"}


@pytest.fixture
def folder(tmp_path):
    def write(specifications=None, weights=None):
        (tmp_path / SPECIFICATIONS_FILE).write_text(json.dumps(specifications or {"plain": PLAIN}))
        (tmp_path / WEIGHTS).write_text(json.dumps(
            {"weights": {"plain": 1.0} if weights is None else weights}))
        return tmp_path
    return write


def problems(read, folder):
    with pytest.raises(InputError) as caught:
        read(folder)
    return [str(one).replace(str(folder), "DIR") for one in caught.value.problems]


def test_shipped_specifications_offer_what_the_documents_say():
    found = read_specifications(calibration_folder())
    assert {one.size for one in found.values()} == {"nominal_gdp", "real_gdp", "imports", "none"}
    assert {one.use for one in found.values()} >= {"candidate", "ablation"}
    assert {one.presample.weight for one in found.values() if one.presample} == {0.5, 1.0}
    assert {one.degrees for one in found.values()} == {4.0, np.inf}
    assert {one.persistence for one in found.values()} == {"common", "by_flow", 1.0}
    assert not all(one.closure for one in found.values())
    assert not all(one.exchange_rate for one in found.values())
    kinds = {str(getattr(one.elasticity, "kind", "prior")) for one in found.values()}
    assert kinds == {"prior", "normal", "fixed"}
    assert all(one.note for one in found.values() if one.use == "candidate" and one.presample)


def test_shipped_weights_are_of_candidates():
    weights = read_weights(calibration_folder())
    assert sum(weights.values()) == pytest.approx(1.0)
    known = read_specifications(calibration_folder())
    assert all(known[name].use == "candidate" for name in weights)


def test_size_by_hand():
    gdp, real = np.array([[1.0, 2.0]]), np.array([[0.1, 0.3]])
    imports = np.array([[0.7, np.nan]])
    for size, wanted in (("nominal_gdp", [3.0, 3.0]), ("real_gdp", [0.4, 0.4]),
                         ("imports", [0.7, 2.0]), ("none", [0.0, 0.0])):
        np.testing.assert_allclose(size_of_market(size, gdp, real, imports), [wanted])


def test_loadings_are_the_slopes_of_the_size():
    """Imports follow the importer's own GDP, so their slope is one."""
    rng = np.random.default_rng(0)
    gdp, real, step = rng.normal(size=(1, 2)), rng.normal(size=(1, 2)), 1e-6
    for size in ("nominal_gdp", "real_gdp", "imports", "none"):
        nominal, volume = loadings(size, 2)
        for member in range(2):
            up = np.eye(2)[[member]] * step
            base = size_of_market(size, gdp, real, gdp - 0.8)
            for slope, moved in ((nominal, size_of_market(size, gdp + up, real, gdp + up - 0.8)),
                                 (volume, size_of_market(size, gdp, real + up, gdp - 0.8))):
                np.testing.assert_allclose((moved - base)[0] / step, slope[:, member], atol=1e-6)


ONE_OF = "must be common, by_flow or a number from 0 to 1"


@pytest.mark.parametrize(("entry", "message"), [
    ({"siz": "imports"}, "plain.siz: unknown key; known: title, note, size, elasticity, "
     "exchange_rate, closure, persistence, innovations, presample, use; did you mean 'size'?"),
    ({"size": "gdp"}, "plain.size: must be nominal_gdp, real_gdp, imports or none, not 'gdp'"),
    ({"elasticity": "wide"}, "plain.elasticity: must be prior, {kind: normal, mean: ..., "
     "sd: ...} or {kind: fixed, value: ...}"),
    ({"elasticity": {"kind": "beta", "a": 1.0, "b": 1.0}}, "plain.elasticity: must be prior, "),
    ({"persistence": "both"}, f"plain.persistence: {ONE_OF}"),
    ({"persistence": 1.2}, f"plain.persistence: {ONE_OF}"),
    ({"innovations": {"kind": "student", "degrees": 1.0}},
     "plain.innovations: must be normal or {kind: student, degrees: above 2}"),
    ({"presample": {"first_year": 2005, "weight": 1.5}},
     "plain.presample.weight: must be less than or equal to 1, not 1.5"),
    ({"size": "none"}, "plain.elasticity: must be {kind: fixed, value: 0} where size is none"),
    ({"use": "perhaps"}, "plain.use: must be candidate, ablation or probe, not 'perhaps'"),
    ({"closure": "yes"}, "plain.closure: must be true or false, not text"),
    ({"title": ""}, "plain.title: must not be empty"),
])
def test_a_bad_choice_is_one_clear_message(folder, entry, message):
    found = problems(read_specifications, folder({"plain": {**PLAIN, **entry}}))
    assert len(found) == 1, found
    assert f": {message}" in found[0]
    assert found[0].startswith(f"DIR/{SPECIFICATIONS_FILE}:")


def test_all_problems_of_the_file_come_together(folder):
    found = problems(read_specifications, folder(
        {"stacked": PLAIN, "a": "imports", "b": {"size": "imports", "note": 3}}))
    assert [line.split(": ", 1)[1] for line in found] == [
        "stacked: is the name of the mixture of all; choose another",
        "a: must be a mapping, not text",
        "b.title: is missing", "b.note: must be text, not a whole number (3)"]


def test_an_unknown_name_gets_the_nearest(folder):
    with pytest.raises(InputError, match=r"specifications\.yaml: plane: unknown specification; "
                                         r"known: plain; did you mean 'plain'\?"):
        specification(folder(), "plane")


@pytest.mark.parametrize(("weights", "message"), [
    ({"plain": 0.6, "other": 0.3}, "weights: add up to 0.9, must add up to 1"),
    ({"plain": 0.5, "othr": 0.5}, "weights.othr: unknown specification; known: plain, other, "
     "probe; did you mean 'other'?"),
    ({"plain": 1.5, "other": -0.5}, "weights.plain: must be a number from 0 to 1, not 1.5"),
    ({"plain": "all"}, "weights.plain: must be a number from 0 to 1, not 'all'"),
    ({"probe": 1.0}, "weights.probe: is a probe and cannot have weight; only candidates can"),
    ([], "weights: must be a mapping of specifications to their weights, not a list"),
])
def test_wrong_weights(folder, weights, message):
    known = {"plain": PLAIN, "other": PLAIN, "probe": {**PLAIN, "use": "probe"}}
    found = problems(read_weights, folder(known, weights))
    assert message in found[0]
    assert found[0].startswith(f"DIR/{WEIGHTS}:")


def test_zero_weights_are_left_out_and_the_order_is_that_of_the_specifications(folder):
    known = {"plain": PLAIN, "other": PLAIN, "third": PLAIN}
    assert list(read_weights(folder(known, {"third": 0.5, "plain": 0.5, "other": 0})).items()) == [
        ("plain", 0.5), ("third", 0.5)]


def test_a_missing_file_is_named(tmp_path):
    for read, name in ((read_specifications, SPECIFICATIONS_FILE), (read_weights, WEIGHTS)):
        with pytest.raises(InputError, match=name.replace(".", r"\.")):
            read(tmp_path)
