"""What the explorer asks of the model: copies of levers with numbers fixed, on the same draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import MILLION, Array, only, spread, total
from tradesim.common.parallel import by_block
from tradesim.economy.adjustment import partial_adjust
from tradesim.economy.shocks import CONDITIONS, Shock
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import Cube, Parameter
from tradesim.inputs.scenario import Scenario
from tradesim.reference.projection import reference_path
from tradesim.simulation.draws import draw_all, years_of
from tradesim.simulation.model import BLOCK, simulate
from tradesim.simulation.prepared import prepare
from tradesim.simulation.subsets import Subsets, flows
from tradesim.studies.explore.cards import Value

FIRST_YEAR, SPEED = "adjustment.first_year", "adjustment.speed"
"""Share of a response reached in its first year, and of the rest in each later one."""

ACCOUNTS = ("welfare", "tariff_revenue", "home_output", "imports", "trade")
TOGETHER = 20
"""Copies solved in one call: each has a bit in a whole number, and so has its first stage."""


@dataclass(frozen=True)
class Copy:
    """A lever under a name of its own, so that it can be pulled in several ways at once."""

    name: str
    lever: str
    settings: Mapping[str, Value]  #: those that differ from the defaults
    first: str = ""  #: name of the copy whose later stage this one is
    unbroken: bool = False  #: whether it works in years in which the shared corridor is closed


@dataclass(frozen=True)
class Engine:
    """The model on one set of draws.

    Attributes
    ----------
    scenario
        Horizon, draws and seed, and the levers pulled.
    draws
        Everything uncertain of every lever, at its default settings.
    place
        Position of the count whose statistics are used.
    """

    base: Baseline
    scenario: Scenario
    draws: Mapping[str, Array]
    place: int

    @classmethod
    def of(cls, base: Baseline, scenario: Scenario, count: str, levers: Sequence[str]) -> Engine:
        """Draw everything that these levers, each at its defaults, and the reference need."""
        every = scenario.model_copy(update={"levers": {name: {} for name in levers}})
        cube = Cube.point() if scenario.draws == 1 else Cube.random(scenario.draws, scenario.seed)
        return cls(base, every, draw_all(base, every, cube), list(base.pair.counts).index(count))

    @property
    def size(self) -> int:
        """Number of draws."""
        return len(next(iter(self.draws.values())))

    @property
    def years(self) -> tuple[int, ...]:
        """Projected years."""
        return years_of(self.base, self.scenario)

    def rows(self, rows: NDArray[np.intp] | slice) -> Engine:
        """Take some of the draws, or one several times."""
        return replace(self, draws={name: values[rows] for name, values in self.draws.items()})

    def fixed(self, numbers: Mapping[str, Array | float]) -> Engine:
        """Fix some numbers, by their dotted name, in every draw or draw by draw."""
        given = {name: np.broadcast_to(np.asarray(value, dtype=float), (self.size,))
                 for name, value in numbers.items()}
        return replace(self, draws={**self.draws, **given})

    def pulling(self, copies: Sequence[Copy]) -> Engine:
        """Pull copies of levers, in this order."""
        levers, names = {}, {}
        numbers: dict[str, Array] = {}
        for copy in copies:
            lever = self.base.levers[copy.lever]
            levers[copy.name] = lever.model_copy(update={
                "name": copy.name, "follows": copy.first,
                "needs_corridor": lever.needs_corridor and not copy.unbroken})
            names[copy.name] = {key: value for key, value in copy.settings.items()
                                if not isinstance(lever.settings[key], Parameter)}
            numbers |= {copy.name + key.removeprefix(lever.name): values
                        for key, values in self.draws.items() if key.startswith(f"{lever.name}.")}
            numbers |= {f"{copy.name}.{key}": np.full(self.size, float(value))
                        for key, value in copy.settings.items() if key not in names[copy.name]}
        scenario = self.scenario.model_copy(update={"levers": names})
        return replace(self, base=replace(self.base, levers=levers), scenario=scenario,
                       draws={**self.draws, **numbers})

    def trade(self, subsets: Subsets, years: tuple[int, ...] | None = None) -> tuple[Array, Array]:
        """Solve trade under some subsets of the levers pulled.

        Returns
        -------
        tuple of numpy.ndarray
            Log of the flow into each importer in USD million, without given goods of projects,
            and these in USD million; (case, importer, year, draw).
        """
        found = flows(self.base, self.scenario, self.draws, subsets, years=years)
        return np.log(found.counted[self.place] / MILLION), found.project / MILLION

    def effects(self, copies: Sequence[Copy], last: bool = False) -> Array:
        """Log change of both flows by each copy alone, a later stage after the first.

        In every year, or in the last one only; (copy, importer, year, draw).
        """
        years = self.years[-1:] if last else self.years
        found = []
        for start in range(0, len(copies), TOGETHER):
            some = copies[start:start + TOGETHER]
            own = {copy.name for copy in some}
            firsts = [copy for copy in copies if copy.name in {one.first for one in some} - own]
            here = self.pulling([*firsts, *some])
            bit = {name: 1 << place for place, name in enumerate(here.scenario.levers)}
            before = np.array([bit.get(copy.first, 0) for copy in some])
            wanted = np.unique([0, *before, *(before | [bit[copy.name] for copy in some])])
            solved = here.trade(wanted[:, None], years)[0]
            found += [solved[np.searchsorted(wanted, base | bit[copy.name])]
                      - solved[np.searchsorted(wanted, base)]
                      for copy, base in zip(some, before, strict=True)]
        return np.array(found)

    def goods(self, copies: Sequence[Copy]) -> Array:
        """Goods of projects that each copy adds to both flows, USD million; as `effects`."""
        here = self.pulling(copies)

        def block(rows: slice) -> Array:
            shocks = here.rows(rows).shocks()
            size = np.zeros((len(self.base.pair.importers), len(self.years),
                             rows.stop - rows.start))
            return np.array([only(total(shock.project, "exporter", "group"), "importer", "year",
                                  "draw") + size for shock in shocks.values()])

        return np.concatenate(by_block(block, self.size, BLOCK), axis=-1) / MILLION

    def open_share(self) -> tuple[Array, Array]:
        """Give what a closed corridor leaves of goods, and of an effect; (year, draw).

        An effect is lost at once and won back gradually (equation 11).
        """
        closed = reference_path(self.base, self.draws, self.years).closed_share.T
        first, speed = (spread(self.draws[name], "draw") for name in (FIRST_YEAR, SPEED))
        whole, left = (partial_adjust(spread(target, "year", "draw"), first, speed)
                       for target in (np.ones_like(closed), 1.0 - closed))
        return 1.0 - closed, only(left / whole, "year", "draw")

    def shocks(self) -> Mapping[str, Shock]:
        """Give what each lever pulled does if it succeeds."""
        return prepare(self.base, self.scenario, self.draws).shocks

    def accounts(self, cases: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Array]]:
        """`ACCOUNTS` of each case, a list of the levers that act; (..., year, draw)."""
        switches = {case: {name: np.array(float(name in acting)) for name in self.scenario.levers}
                    for case, acting in cases.items()}
        dataset = simulate(self.base, self.scenario, self.draws, switches, variables=ACCOUNTS)
        dataset["trade"] = dataset["trade"].isel(count=self.place)
        return {case: {name: dataset[name].sel(case=case).transpose(..., "year", "draw").to_numpy()
                       / MILLION for name in ACCOUNTS} for case in cases}


def moves(shock: Shock) -> set[str]:
    """Names of the parts of a shock that change anything."""
    return {part.name for part in fields(shock) if part.name not in CONDITIONS
            and np.any(getattr(shock, part.name) != 0.0)}
