"""A packed shock is the shock, in less room."""

import numpy as np
import pytest

from tradesim.common.arrays import at, pick
from tradesim.economy.packed import Packed, Places, Rows
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
    same(found.whole(), Shock(**{name: at(values, years, draws)
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


def test_draws_lines_and_parts_are_those_of_the_whole(shock):
    made, draws, lines = Packed.of(shock), np.array([3, 1, 1]), np.array([0, 2])
    same(made.rows(draws).whole(), Shock(**{name: pick(values, "draw", draws)
                                            for name, values in parts(shock).items()}))
    same(made.lines(lines).whole(), Shock(**{name: pick(values, "group", lines)
                                             for name, values in parts(shock).items()}))
    same(made.only("duty").whole(), Shock(duty=shock.duty))
    found = (shock.duty != 0).any(axis=(0, 1, 3, 4, 5))
    assert made.lines_with("duty") == np.flatnonzero(found).tolist()
    assert made.lines_with("rebate") == []


def test_places_take_and_put(shock):
    some = Places.of((2, 4, 3), [Rows.of(shock.duty), Rows.of(shock.origin)])
    np.testing.assert_array_equal(some.put(some.take(shock.duty)), shock.duty)
    here, values = some.where(Rows.of(shock.duty))
    rows = np.zeros((len(some.index), 1, YEARS, DRAWS))
    rows[here] = values
    np.testing.assert_array_equal(some.put(rows), shock.duty)
    others = np.random.default_rng(1).random((3, 4, 2, 1, 1, DRAWS)).transpose(2, 1, 0, 3, 4, 5)
    whole = some.put(rows + 1.0, others)  # also where the others lie in another order in memory
    acts = np.broadcast_to(np.any((shock.duty != 0) | (shock.origin != 0), axis=(3, 4, 5),
                                  keepdims=True), whole.shape)
    np.testing.assert_array_equal(whole, np.where(acts, shock.duty + 1.0, others))
