"""What the explorer asks of the model: copies of levers with numbers fixed, on the same draws."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace

import numpy as np
from numpy.typing import NDArray

from tradesim.common.arrays import MILLION, Array, only, pick, spread, total
from tradesim.common.parallel import by_block
from tradesim.economy.adjustment import partial_adjust
from tradesim.economy.shocks import CONDITIONS, NONE, Shock
from tradesim.economy.variables import VARIABLES
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import Cube, Parameter
from tradesim.inputs.scenario import Scenario
from tradesim.reference.projection import reference_path
from tradesim.simulation.draws import draw_all, years_of
from tradesim.simulation.model import BLOCK, simulate
from tradesim.simulation.prepared import Prepared, lever_shocks, prepare
from tradesim.simulation.subsets import Subsets, flows, solve
from tradesim.studies.explore.cards import Value

FIRST_YEAR, SPEED = "adjustment.first_year", "adjustment.speed"
"""Share of a response reached in its first year, and of the rest in each later one."""

ACCOUNTS = ("welfare", "tariff_revenue", "home_output", "imports", "trade", "route_share",
            "product_trade")


@dataclass(frozen=True)
class Copy:
    """A lever under a name of its own, so that it can be pulled in several ways at once."""

    name: str
    lever: str
    settings: Mapping[str, Value]  #: those that differ from the defaults
    first: str = ""  #: name of the copy whose later stage this one is
    unbroken: bool = False  #: whether it works in years in which the shared corridor is closed


@dataclass(frozen=True)
class Drive:
    """What a lever moves: names of the parts of its shock, and how much in each year and draw."""

    parts: frozenset[str]
    course: Array  #: size of the first part, in its own unit; (year, draw)
    goods: Array  #: goods of a project, USD million; (importer, year, draw)


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
        cube = Cube.of(scenario.draws, scenario.seed)
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
        here = self.pulling(copies)

        def block(rows: slice) -> Array:
            start = here.rows(rows).prepared(last)
            return np.array([self._effect(start, copy) for copy in copies])

        return np.concatenate(by_block(block, self.size, BLOCK), axis=-1)

    def _effect(self, start: Prepared, copy: Copy) -> Array:
        """Solve with and without one of the levers made ready; (importer, year, draw)."""
        names = [name for name in (copy.first, copy.name) if name]
        order = dict(zip(start.shocks, start.at_once, strict=True))
        alone = replace(start, shocks={name: start.shocks[name] for name in names},
                        at_once=tuple(order[name] for name in names))
        log_flow = self._solved(alone, np.array([[2**len(names) // 2 - 1], [2**len(names) - 1]]))
        return np.asarray(log_flow[1] - log_flow[0])

    def _solved(self, start: Prepared, subsets: Subsets) -> Array:
        """Log of the flow into each importer, USD; (case, importer, year, draw)."""
        every = np.broadcast_to(subsets, (len(subsets), start.levels.shape[-1]))
        flow = total(solve(start, every).trade[self.place], "group")
        return np.log(np.moveaxis(only(flow, "importer", "case", "year", "draw"), 1, 0))

    def settled(self, subsets: Subsets) -> Array:
        """Log of the flow into each importer in the last year; (case, importer, draw)."""
        return self._solved(self.prepared(last=True), subsets)[:, :, 0]

    def open_share(self) -> tuple[Array, Array]:
        """Give what a closed corridor leaves of goods, and of an effect; (year, draw).

        An effect is lost at once and won back gradually (equation 11).
        """
        closed = reference_path(self.base, self.draws, self.years).closed_share.T
        first, speed = (spread(self.draws[name], "draw") for name in (FIRST_YEAR, SPEED))
        whole, left = (partial_adjust(spread(target, "year", "draw"), first, speed)
                       for target in (np.ones_like(closed), 1.0 - closed))
        return 1.0 - closed, only(left / whole, "year", "draw")

    def prepared(self, last: bool = False) -> Prepared:
        """Set up the levers pulled on all draws, in every year or in the last one only."""
        if not last:
            return prepare(self.base, self.scenario, self.draws)
        start = prepare(self.base, self.scenario.model_copy(update={"levers": {}}), self.draws)
        world = replace(start.world, draws=self.draws)
        levels, exposed = (pick(part, "year", np.array([-1])) for part in
                           (start.levels, start.exposed))
        shocks = lever_shocks(self.base, self.scenario, world, self.draws, start.years[-1:],
                              start.path.closed_share[:, -1:], levels)
        at_once = tuple(self.base.levers[name].at_once for name in shocks)
        return replace(start, years=start.years[-1:], world=world, levels=levels, shocks=shocks,
                       at_once=at_once, exposed=exposed)

    def drives(self, copies: Sequence[Copy], last: bool = False) -> dict[str, Drive]:
        """Give what each copy moves, and how much of it in which year."""
        here = self.pulling(copies)

        def block(rows: slice) -> list[Drive]:
            start = here.rows(rows).prepared(last)
            size = (len(self.base.pair.importers), len(start.years), rows.stop - rows.start)
            return [_drive(shock.whole(), size) for shock in start.shocks.values()]

        parts = zip(*by_block(block, self.size, BLOCK), strict=True)
        return {copy.name: Drive(frozenset().union(*(part.parts for part in own)), *(
            np.concatenate([getattr(part, name) for part in own], axis=-1)
            for name in ("course", "goods"))) for copy, own in zip(copies, parts, strict=True)}

    def weights(self) -> Array:
        """Share of each flow in turnover of the last year; (importer,)."""
        few = self.rows(slice(BLOCK)).pulling([])
        size = np.exp(few.trade(np.zeros((1, 1), dtype=np.int64))[0][0, :, -1]).mean(axis=-1)
        return np.asarray(size / size.sum())

    def accounts(self, cases: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Array]]:
        """`ACCOUNTS` of each case, a list of the levers that act, USD million or shares.

        Axes (..., year, draw).
        """
        switches = {case: {name: np.array(float(name in acting)) for name in self.scenario.levers}
                    for case, acting in cases.items()}
        dataset = simulate(self.base, self.scenario, self.draws, switches, variables=ACCOUNTS)
        dataset["trade"] = dataset["trade"].isel(count=self.place)

        def plain(name: str, case: str) -> Array:
            dims = [dim for dim in VARIABLES[name].dims if dim not in ("case", "count")]
            values = dataset[name].sel(case=case).transpose(*dims).to_numpy()
            return np.asarray(values / (1.0 if VARIABLES[name].unit == "share" else MILLION))

        return {case: {name: plain(name, case) for name in ACCOUNTS} for case in cases}


def _drive(shock: Shock, size: tuple[int, int, int]) -> Drive:
    """Find the parts of a shock that act, and the course of the first of them."""
    parts = {part.name: values for part in fields(shock) if part.name not in CONDITIONS
             and (values := getattr(shock, part.name)) is not NONE and np.any(values)}
    goods = only(total(shock.project, "exporter", "group"), "importer", "year", "draw") / MILLION
    course = np.zeros(size[1:])
    if parts:
        values = np.abs(next(iter(parts.values())))
        course = course + values.sum(axis=tuple(range(values.ndim - 2)))
    return Drive(frozenset(parts), course, goods + np.zeros(size))
