"""What each lever and shock does by itself, beside what has been published on its like.

``python docs/evidence/lever_effects.py`` rewrites the table of `docs/levers.md`. The tests take
their cases from here: sign, response to the setting named, and the published range.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import xarray as xr
import yaml
from make_evidence import change, fill, markdown

from tradesim.common.arrays import Array
from tradesim.common.files import calibration_folder
from tradesim.inputs.baseline import Baseline
from tradesim.inputs.parameters import Cube
from tradesim.inputs.scenario import Known, read_scenario
from tradesim.simulation.draws import IMPLEMENTED, REFERENCE, draw_all
from tradesim.simulation.model import load_baseline, simulate

PAGE = Path(__file__).parents[1] / "levers.md"
SEED, DRAWS = 1, 500


@dataclass(frozen=True)
class Case:
    """One lever: where to look, what to turn, what was published.

    Attributes
    ----------
    lever
        Name in `levers.yaml`.
    market, year
        Importer of the pair's flow, and the year of the effect if implemented.
    turn
        Setting (or parameter) and two values, of which the second makes the effect larger.
    low, high
        Published range of the change of the flow, log points.
    source
        Where the range comes from.
    group
        Group of goods; all by default.
    given
        Settings that a scenario must give, or that keep chance out of the answer.
    """

    lever: str
    market: str
    year: int
    turn: tuple[str, float, float]
    low: float
    high: float
    source: str
    group: str = ""
    given: tuple[str, ...] = ()

    @property
    def rises(self) -> bool:
        """Whether the lever is to raise the flow."""
        return self.high > 0.0


NONE_FOUND = "no estimate found; "
VISITORS = "visitors"
"""Market of a case whose effect is on what visitors spend, not on goods."""

CASES = (
    Case("eaeu_interim", "MNG", 2035, ("eaeu_interim.utilisation", 0.3, 0.9), 0.01, 0.35,
         "interim agreement: imports +4.7 % (National University of Mongolia); duty of 5 to 30 % "
         "less by half to all times 0.76 to 5 (Boehm and others 2023; Head and Mayer 2014)"),
    Case("gold_refinery", "KAZ", 2035, ("gold_refinery.partner_share", 0.1, 0.5), 1.0, 6.0,
         "arithmetic: output times price times the share sold, over the flow",
         given=("gold_refinery.partner_share=0.1", "gold_refinery.quantity=25")),
    Case("ferrosilicon_plant", "KAZ", 2035, ("ferrosilicon_plant.partner_share", 0.1, 0.9), 0.1,
         3.0, "arithmetic", given=("ferrosilicon_plant.partner_share=0.5",)),
    Case("medicines", "MNG", 2035, ("medicines.partner_share", 0.005, 0.05), 0.001, 0.1,
         "arithmetic: one to five per cent of Mongolia's imports of medicines over the flow"),
    Case("cross_border_tourism", VISITORS, 2035, ("cross_border_tourism.visitors", 1000, 20000),
         0.02, 0.6, "arithmetic: visitors added over those there are",
         given=("cross_border_tourism.visitors=10000",)),
    Case("eaeu_fta", "MNG", 2035, ("eaeu_interim.utilisation", 0.3, 0.9), 0.02, 0.56,
         "agreements 0.22 to 0.56, weaker for distant pairs (Yotov and others 2016, Baier and "
         "others 2019); interim agreement +4.7 % (National University of Mongolia)"),
    Case("altai_road", "MNG", 2035, ("altai_road.km_saved", 430, 767), 0.005, 0.30,
         "transport cost −16 %: exports +2 % (Blyde 2014); upgraded Asian Highway +20 to 35 %, a "
         "ceiling (Parpiev and Sodikov 2008)"),
    Case("tsagaannuur_free_zone", "MNG", 2035, ("tsagaannuur_free_zone.uptake", 0.05, 0.4), 0.0005,
         0.15, "nothing to 0.08 where a zone gets round the host's own duty (Siroen and Yücer "
         "2014; Davies and Mazhikeyev 2019)"),
    Case("direct_flights", "MNG", 2028, ("direct_flights.weekly_flights", 1, 7), 0.0002, 0.15,
         "0.04 (0 to 0.15) on differentiated goods (Alderighi and Gaggero 2012)",
         given=("direct_flights.survival=0.95", "direct_flights.start=2026",
                "direct_flights.delay=0")),
    Case("border_facilitation", "MNG", 2035, ("border_facilitation.queue_days_saved", 0.1, 2),
         0.002, 0.123, "corridors of the Belt and Road +4.1 % at most, three times that with "
         "reforms (Baniya, Rocha and Ruta 2019)"),
    Case("veterinary_recognition", "KAZ", 2035, ("veterinary_recognition.approval", 0.1, 0.8), 0.05,
         1.4, NONE_FOUND + "as many times as approved supply grows, from 0.4 to at most all of it",
         group="meat_livestock"),
    Case("payments", "MNG", 2035, ("payments.relieved_share", 0.1, 0.7), 0.001, 0.10,
         NONE_FOUND + "0.1 to 2 % of value times an elasticity of 1 to 5 (Boehm and others 2023; "
         "Head and Mayer 2014)"),
    Case("china_corridor", "MNG", 2035, ("china_corridor.freight_cut", 0.0, 0.3), 0.0005, 0.123,
         "as border_facilitation"),
    Case("investment", "KAZ", 2035, ("investment.partner_share", 0.05, 0.5), 0.01, 1.5,
         NONE_FOUND + "sales of the plants to the partner over today's flow"),
    Case("wool_plants", "KAZ", 2035, ("wool_plants.invested", 5, 20), 0.01, 1.0,
         NONE_FOUND + "wool bought by the plants over today's flow"),
    Case("business_links", "MNG", 2035, ("business_links.link_growth", 0.1, 0.8), 0.0001, 0.10,
         "elasticity 0.10 to 0.15 (0 to 0.28) to active links (Genc and others 2012; Parsons 2012 "
         "finds none)", given=("business_links.elasticity=0.1",)),
    Case("project", "MNG", 2030, ("project.quantity", 500, 2000), 0.01, 0.2,
         "arithmetic: quantity times price over the flow", given=(
             "project.importer=MNG", "project.group=other", "project.quantity=1000",
             "project.price=10000", "project.years=20")),
    Case("locomotives", "MNG", 2028, ("locomotives.quantity", 2, 8), 0.01, 0.3,
         "arithmetic", given=("locomotives.start=2028", "locomotives.delay=0")),
    Case("critical_minerals", "KAZ", 2035, ("critical_minerals.quantity", 1000, 50000), 0.2, 4.0,
         "arithmetic", given=("critical_minerals.quantity=50000", "critical_minerals.price=1000",
                              "critical_minerals.delay=0")),
    Case("oil_products", "MNG", 2030, ("oil_products.quantity", 10000, 200000), 0.05, 0.6,
         "arithmetic", given=("oil_products.quantity=100000", "oil_products.delay=0")),
    Case("corridor_closure", "MNG", 2028, ("corridor_closure.closed_share", 0.2, 0.9), -0.75, -0.10,
         "half of −45 % (transit of Ukrainian goods 2016, WTO DS512) to −80 % (Mongolian coal "
         "2020) in a year closed throughout"),
    Case("sanctions", "MNG", 2028, ("sanctions.friction", 0.01, 0.05), -0.15, -0.005,
         "1 to 5 % of value times 0.76 after one year, up to 3 (Boehm and others 2023)"),
    Case("dzud", "KAZ", 2028, ("dzud.loss", 0.08, 0.28), -0.9, -0.05,
         "herd −11 to −28 % (census 2010, FAO 2024), exports once to three times that"),
    Case("exchange_rate", "MNG", 2028, ("exchange_rate.pass_through", 0.3, 0.9), 0.02, 0.5,
         "0.25 log points times an elasticity of 0.3 for all exports (IMF 2015, general knowledge) "
         "to 2 for one small supplier; [2014 to 2016](episodes.md)"),
    Case("export_ban", "MNG", 2028, ("export_ban.banned_share", 0.2, 0.9), -0.10, -0.001,
         "arithmetic: share banned, of half a year, of the share of cereals and flour in the flow"),
    Case("gdp_growth", "MNG", 2028, ("gdp_growth.growth_of_second", 0.0, 0.03), 0.01, 0.14,
         "income elasticity 0.6 to 2.2 (Constantinescu, Mattoo and Ruta 2020) times 0.06"),
    Case("tariff_change", "MNG", 2035, ("tariff_change.cut", 0.2, 0.8), 0.005, 0.12,
         "duty of 5 % halved: 2.4 % times 0.76 to 5 (Boehm and others 2023; Head and Mayer 2014)",
         given=("tariff_change.method=linear_cut", "tariff_change.exporters=KAZ")),
)


def run_alone(base: Baseline, case: Case, draws: int, turned: Sequence[str] = ()) -> xr.Dataset:
    """Results of a scenario that pulls this lever only, with the stage that it follows."""
    known = Known(base.parameters, base.levers, base.pair)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "alone.yaml"
        path.write_text(yaml.safe_dump({"title": case.lever, "question": "What does it do alone?",
                                        "levers": _pulled(base, case.lever)}), encoding="utf-8")
        scenario = read_scenario(path, known, [*case.given, *turned])
    return simulate(base, scenario, draw_all(base, scenario, Cube.random(draws, SEED)))


def _pulled(base: Baseline, lever: str) -> dict[str, dict[str, object]]:
    """Name the lever, and the stage that it follows, if any."""
    first = base.levers[lever].follows
    return {name: {} for name in (first, lever) if name}


def effect(found: xr.Dataset, case: Case) -> Array:
    """Log change of the case's flow if implemented, by draw."""
    if case.market == VISITORS:
        spent = found["services"].sel(service="tourism", year=case.year).sum("country")
        return np.log(spent.sel(case=IMPLEMENTED) / spent.sel(case=REFERENCE)).to_numpy()
    trade = found["trade"].isel(count=0).sel(importer=case.market, year=case.year)
    flow = trade.sel(group=case.group) if case.group else trade.sum("group")
    return np.log(flow.sel(case=IMPLEMENTED) / flow.sel(case=REFERENCE)).to_numpy()


def table(base: Baseline, draws: int = DRAWS) -> str:
    """Table of the page."""
    rows = []
    for case in CASES:
        low, middle, high = (change(float(np.expm1(value))) for value in np.quantile(
            effect(run_alone(base, case, draws), case), (0.1, 0.5, 0.9)))
        flow = ("visitors' spending" if case.market == VISITORS
                else f"{base.pair.partner(case.market)} to {case.market}")
        if case.group:
            flow += f", {base.pair.groups[case.group].title.lower()}"
        published = " to ".join(change(float(np.expm1(end))) for end in (case.low, case.high))
        rows.append((f"`{case.lever}`", f"{flow}, {case.year}", f"{middle} ({low} to {high})",
                     published, case.source))
    head = ("lever", "flow and year", "tradesim, median (80 %)", "published", "from")
    return markdown(head, rows)


def main() -> None:
    """Write the table."""
    base = load_baseline(calibration_folder())
    PAGE.write_text(fill(PAGE.read_text(encoding="utf-8"), {"effects": table(base)}),
                    encoding="utf-8")


if __name__ == "__main__":
    main()
