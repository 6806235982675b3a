"""A later stage of an agreement: never less than the first, and nothing removed twice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounted import ON, pact
from tradesim.common.arrays import spread
from tradesim.economy.levers.stages import increment, stage_strength
from tradesim.economy.packed import Packed
from tradesim.economy.resolve import resolve
from tradesim.economy.shocks import NONE, Shock

EXACT = 1e-12
SHARE = st.floats(0.0, 1.0)


def stage(duty, quota=0.0, limit=0.0):
    """One stage; the quota removes at most what the duty leaves."""
    within = quota * (1.0 - duty)
    return Shock(duty=spread(duty), quota=spread(within) if within else NONE,
                 quota_limit=spread(limit) if limit else NONE)


def added(later, earlier):
    """What the later stage adds."""
    return increment(Packed.of(later), Packed.of(earlier)).whole()


def left(shocks, margin):
    """Part of the duty left at a margin of the quota."""
    parts = [1.0 - shock.duty.item() - margin * shock.quota.item() for shock in shocks]
    return float(np.prod(parts))


@given(SHARE, SHARE, SHARE, SHARE, SHARE)
def test_both_stages_never_remove_less_than_the_first(first, in_quota, second, later_quota, margin):
    early, late = stage(first, in_quota), stage(second, later_quota)
    both = left([early, added(late, early)], margin)
    assert both <= left([early], margin) + EXACT
    assert both >= -EXACT


@given(SHARE, SHARE, SHARE, SHARE)
def test_both_stages_remove_the_larger_share_once(first, in_quota, second, later_quota):
    early, late = stage(first, in_quota), stage(second, later_quota)
    more = added(late, early)
    for margin in (0.0, 1.0):
        larger = min(left([early], margin), left([late], margin))
        assert left([early, more], margin) == pytest.approx(larger, abs=1e-9)


def test_a_larger_quota_replaces_the_smaller():
    early, late = stage(0.1, 0.5, 100.0), stage(0.2, 0.6, 140.0)
    assert added(late, early).quota_limit.item() == pytest.approx(40.0)
    assert added(early, late).quota_limit is NONE


def test_no_formality_and_no_new_good_comes_twice():
    early, late = (Shock(information=spread(a), availability=spread(b))
                   for a, b in ((0.01, 0.2), (0.03, 0.5)))
    more = added(late, early)
    assert more.information.item() == pytest.approx(0.02)
    assert more.availability.item() == pytest.approx(0.3)
    assert added(early, late).availability is NONE
    assert added(early, early).availability is NONE


def test_use_carries_over():
    years = spread(np.arange(2025.0, 2036.0), "year")
    strength = stage_strength(years, spread(2026.0), spread(2029.5), spread(4.0)).ravel()
    np.testing.assert_allclose(strength, [0, 0, 0, 0, 0.5, 1, 1, 1, 1, 1, 1])
    anew = stage_strength(years, spread(2029.0), spread(2029.0), spread(4.0)).ravel()
    np.testing.assert_allclose(anew, [0, 0, 0, 0, 0.25, 0.5, 0.75, 1, 1, 1, 1])


def test_stages_of_the_made_up_agreement(world):
    """In the whole block of shocks: what is left of the duty is that of the deeper cut."""
    narrow = pact(world, nontariff_cut=spread(0.0))
    wide = pact(world, scope="wide")
    both = resolve(world, [(ON, narrow), (ON, added(wide, narrow))])
    alone = [resolve(world, [(ON, one)]) for one in (narrow, wide)]
    np.testing.assert_allclose(both.wedge, np.minimum(alone[0].wedge, alone[1].wedge), atol=EXACT)
    np.testing.assert_allclose(both.resource, alone[1].resource, atol=EXACT)
    np.testing.assert_allclose(both.preference,
                               np.minimum(alone[0].preference, alone[1].preference), atol=EXACT)
