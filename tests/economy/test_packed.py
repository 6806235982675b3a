"""A packed shock is the shock, in less room."""

import numpy as np
import pytest

from tradesim.common.arrays import at
from tradesim.economy.packed import Packed, PackedShocks, packed
from tradesim.economy.shocks import NONE, Shock

YEARS, DRAWS = 3, 5


@pytest.fixture
def shock():
    rng = np.random.default_rng(2)
    duty = rng.random((2, 4, 3, 1, YEARS, DRAWS)) * (rng.random((2, 4, 3, 1, 1, 1)) < 0.3)
    duty[..., 0, :] = 0.0
    freight = rng.random((2, 1, 1, 1, 1, YEARS, DRAWS))
    return Shock(duty=duty, freight=freight, demand=0.0 * duty[:, :1],
                 origin=(rng.random((2, 4, 1, 1, 1, 1)) < 0.5).astype(float))


def parts(shock):
    return {name: values for name, values in vars(shock).items() if values is not NONE}


def same(one, other):
    assert parts(one).keys() == parts(other).keys()
    for name, values in parts(one).items():
        np.testing.assert_array_equal(values, getattr(other, name), name)


def test_nothing_is_lost(shock):
    made = Packed.of(shock)
    same(made.whole(), shock)
    assert made.parts["duty"].values.size < shock.duty.size / 2
    assert made.parts["demand"].values.size == 0


def test_cells_are_those_of_the_whole(shock):
    years, draws = np.array([0, 2, 2, 1]), np.array([4, 0, 0, 3])
    found = Packed.of(shock).at(years, draws)
    same(found, Shock(**{name: at(values, years, draws)
                         for name, values in parts(shock).items()}))


def test_where_it_acts(shock):
    found = Packed.of(Shock(duty=shock.duty, origin=shock.origin)).acts((YEARS, DRAWS))
    np.testing.assert_array_equal(found, (shock.duty != 0).any(axis=(0, 1, 2, 3)))
    assert not found[0].any()
    assert found[1:].any()


def test_where_two_differ(shock):
    other = shock.duty.copy()
    other[np.argwhere(other[..., 1, 2] > 0)[0][0], :, :, :, 1, 2] += 0.1
    more = np.array(shock.duty)
    more[..., 2, 4] = 0.7
    size = (YEARS, DRAWS)
    for duty, place in ((other, (1, 2)), (more, (2, 4))):
        changed = Packed.of(Shock(duty=duty)).differs(Packed.of(Shock(duty=shock.duty)), size)
        assert np.argwhere(changed).tolist() == [list(place)]
    nothing = Packed.of(Shock())
    made = Packed.of(Shock(duty=shock.duty))
    np.testing.assert_array_equal(made.differs(nothing, size), made.acts(size))
    np.testing.assert_array_equal(nothing.differs(made, size), made.acts(size))
    assert not made.differs(made, size).any()


def test_packed_shocks_are_shocks_by_name(shock):
    found = PackedShocks(packed({"one": shock, "other": Shock()}))
    assert list(found) == ["one", "other"]
    assert packed(found) is found.packed
    same(found["one"], shock)
