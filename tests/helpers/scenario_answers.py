"""The answer of each scenario in one sentence, for scenarios/README.md, from the expected files.

A sentence has a level, a change, a probability and one thing that is particular to its question.
Every number comes from the expected file; only the choice of the particular thing is made here.
"""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import numpy as np

from expected import LAST, SCENARIOS, YEARS, read
from readme_table import COUNT, OTHER, names, own_goal
from result_numbers import MILLION, MINUS, VISIBLE, Numbers, amount, per_cent, points
from tradesim.common.files import calibration_folder
from tradesim.economy.services import VISITS
from tradesim.inputs.history import read_history
from tradesim.inputs.pair import Pair, read_pair
from tradesim.inputs.parameters import quantile
from tradesim.inputs.scenario import Known, Scenario, read_scenario

PAGE = SCENARIOS / "README.md"
PEAK = 1.5
"""A year is named beside the last one when its change is so many times as large."""

POINT = 0.01
"""A percentage point."""

Particular = Callable[[str, Numbers], str]


@cache
def pair() -> Pair:
    """Names of the countries and the goal."""
    return read_pair(calibration_folder())


@cache
def known() -> Known:
    """What scenarios are checked against."""
    return Known.read(calibration_folder())


@cache
def scenario(name: str) -> Scenario:
    """The scenario, resolved."""
    return read_scenario(SCENARIOS / f"{name}.yaml", known())


@cache
def numbers(name: str, count: str = COUNT) -> Numbers:
    """Its expected results."""
    return Numbers(read(SCENARIOS / f"{name}.yaml"), count)


def country(code: str) -> str:
    """Name of a country."""
    return pair().countries[code].name


# Parts of a sentence.

def level(found: Numbers) -> str:
    """Turnover of the last year with its range."""
    middle, rest = found.spread(LAST, "scenario").split(" ", 1)
    return f"turnover of {LAST} is USD {middle} million {rest} on {country('KAZ')}'s count"


def more(value: float) -> str:
    """An amount with its direction: ``12.3 million more``."""
    return f"{amount(value)} {'more' if value >= 0 else 'less'}"


def change(risky: float, sure: float) -> str:
    """Change of turnover with its risks and if implemented, USD million."""
    if max(abs(risky), abs(sure)) < VISIBLE:
        return "no different on average from what it is otherwise"
    said = f"on average {more(risky)} than otherwise"
    alike = amount(risky) == amount(sure) and (risky >= 0) == (sure >= 0)
    if alike:
        return said
    same = (risky >= 0) == (sure >= 0)
    return f"{said} ({amount(sure) if same else more(sure)} if implemented)"


def peak(path: Mapping[int, float]) -> str:
    """The year in which a change was far larger than in the last, and when half of it is over."""
    year = max(path, key=lambda year: abs(path[year]))
    top = path[year]
    if abs(top) < max(VISIBLE, PEAK * abs(path[LAST])):
        return ""
    over = [later for later in path if later > year and path[later] / top <= 0.5]
    back = f", half of it over by {over[0]}" if over else ""
    return f"the largest change is {more(top)}, in {year}{back}"


def goal_of(name: str) -> float:
    """The goal whose probability a scenario asks for, USD million."""
    return (own_goal(name) or pair().target_value) / MILLION


def chance(before: float, after: float, target: float | None = None) -> str:
    """Probability of the goal (USD million) without and with the scenario."""
    target = pair().target_value / MILLION if target is None else target
    goal = f"the probability of {target:.0f} million"
    first, last = per_cent(before), per_cent(after)
    if first == last:
        return f"{goal} stays at {last}"
    if abs(after - before) < POINT / 2:  # apart by rounding only
        return f"{goal} hardly moves from {first}"
    return f"{goal} {'rises' if after > before else 'falls'} from {first} to {last}"


# Particular things. Amounts are averages of the last year, if implemented.

def sales(exporter: str, importer: str) -> Particular:
    """What a country sells another."""
    def say(name: str, found: Numbers) -> str:
        partners = set(pair().importers) == {exporter, importer}
        changed = found.change(
            "trade" if partners else "imports", importer=importer, exporter=exporter,
            count=COUNT if partners else "own")
        if abs(changed) < VISIBLE:
            return f"{country(exporter)} sells {country(importer)} as much as before"
        return f"{country(exporter)} sells {country(importer)} {more(changed)}"
    return say


def account(variable: str, code: str, whose: str) -> Particular:
    """Gain or loss of somebody."""
    def say(name: str, found: Numbers) -> str:
        changed = found.change(variable, importer=code, count="own")
        if abs(changed) < VISIBLE:
            return f"{whose} neither gain nor lose"
        return f"{whose} {'gain' if changed > 0 else 'lose'} {amount(changed)}"
    return say


def customs(code: str) -> Particular:
    """Duty collected."""
    def say(name: str, found: Numbers) -> str:
        changed = found.change("tariff_revenue", importer=code, count="own")
        if abs(changed) < VISIBLE:
            return f"{country(code)}'s customs collect as much as before"
        return f"{country(code)}'s customs collect {more(changed)}"
    return say


def other_count(name: str, found: Numbers) -> str:
    """The same level on the other count."""
    level = numbers(name, OTHER).spread(LAST, "scenario")
    return f"on {country('MNG')}'s count it is {level}"


def worst(variable: str, code: str, whose: str) -> Particular:
    """Gain or loss of somebody in the year in which it is largest."""
    def say(name: str, found: Numbers) -> str:
        path = found.path(variable, importer=code, count="own")
        year = max(path, key=lambda year: abs(path[year]))
        if abs(path[year]) < VISIBLE:
            return f"{whose} neither gain nor lose"
        verb = "gain" if path[year] > 0 else "lose"
        return f"{whose} {verb} {amount(path[year])} in {year}, the year in which it is most"
    return say


def own_food(*products: str) -> Particular:
    """How much less, or more, of what it eats a country makes itself."""
    def say(name: str, found: Numbers) -> str:
        here = pair()
        changes = {here.name(product).lower(): after - before for product in products
                   for before, after in [found.share(
                       "self_sufficiency", importer=here.importers[0], group=product)]}
        return by_points(changes)
    return say


def by_points(changes: Mapping[str, float]) -> str:
    """In words: changes of shares in percentage points, by what they are shares of."""
    said = [f"{points(moved)} in {product}" for product, moved in changes.items()]
    said[0] = said[0].replace(" in ", " points in ", 1)
    return f"{', '.join(said[:-1])} and {said[-1]}" if len(said) > 1 else said[0]


def crossing(importer: str) -> Particular:
    """Share of the pair's goods for one country that take routes of the corridor."""
    def say(name: str, found: Numbers) -> str:
        before, after = map(per_cent, found.share("corridor_share", importer=importer))
        goods = f"goods for {country(importer)} that cross {country('RUS')}"
        return (f"{goods} stay {after} of all" if before == after
                else f"{goods} become {after} of all instead of {before}")
    return say


def worth(name: str, found: Numbers) -> str:
    """What a scenario costs to build and run, and what it brings both countries over its life."""
    years = found.years("appraisal")
    cost, gain = (found.change("appraisal", year=years[-1], group=item, count="own")
                  for item in ("cost", "joint"))
    return cost_and_gain(cost, gain, years[-1])


def cost_and_gain(cost: float, gain: float, end: int) -> str:
    """In words: cost, and all gains to the end of the appraisal, USD million at present value."""
    if cost < VISIBLE:
        return f"to {end} it is worth {signed(gain)} to both countries, and costs nothing known"
    return (f"it costs {amount(cost)} and is worth {signed(gain)} to both countries over its life, "
            f"to {end}, both discounted")


def signed(value: float) -> str:
    """An amount with a minus where it is a loss."""
    return f"{MINUS if value <= -VISIBLE else ''}{amount(value)}"


def left_of(other: str) -> Particular:
    """What is left of another scenario's change, both if implemented."""
    def say(name: str, found: Numbers) -> str:
        return remainder(numbers(other).change("turnover"), found.change("turnover"), other)
    return say


def remainder(whole: float, rest: float, other: str) -> str:
    """In words: what one change is of another, USD million."""
    if whole <= VISIBLE:
        return f"`{other}` itself brings nothing"
    left = f"of the {amount(whole)} that `{other}` would bring"
    if rest <= 0.0:
        return f"{left} nothing is left"
    return f"{left} {amount(rest)} are left" if rest < whole else f"{left} nothing is lost"


def in_place_of(other: str, head: str, particular: Particular) -> Particular:
    """The same thing here and in another scenario, after a common head."""
    def say(name: str, found: Numbers) -> str:
        here, there = particular(name, found), particular(other, numbers(other))
        return f"{head} {here} (in `{other}` by {there})"
    return say


def needed(lever: str, unit: str) -> Particular:
    """How much of a project would lift the median to the goal, by its value per unit."""
    def say(name: str, found: Numbers) -> str:
        settings = scenario(name).levers[lever]
        quantity = float(settings["quantity"]) * float(settings.get("partner_share", 1.0))
        what = f"{unit} a year"
        if "price" in settings:
            what += f" at USD {settings['price']:,.0f}"
        goal = goal_of(name)
        median = found.value("turnover", LAST, "reference", "p50") / MILLION
        return enough(quantity, what, found.change("turnover"), goal - median)
    return say


def needed_share(lever: str, of: str) -> Particular:
    """The same in parts of an output whose buyer is not known."""
    def say(name: str, found: Numbers) -> str:
        share = float(scenario(name).levers[lever]["partner_share"])
        median = found.value("turnover", LAST, "reference", "p50") / MILLION
        return enough_of(share, of, found.change("turnover"), goal_of(name) - median)
    return say


def enough_of(share: float, of: str, brings: float, gap: float) -> str:
    """In words: a share of an output, what it brings, and the share that fills the gap."""
    if brings < VISIBLE:
        return f"{per_cent(share)} of {of} brings next to nothing"
    said = (f"{per_cent(share)} of {of} brings {amount(brings)}, "
            f"all of it {amount(brings / share)} a year")
    if gap <= 0.0:
        return f"{said}, and the median reaches the goal without it"
    filled = share * gap / brings
    return (f"{said}, and to lift the median to the goal takes {per_cent(filled)} of it"
            if filled <= 1.0 else f"{said}, and all of it does not lift the median to the goal")


def each_per_cent(lever: str, seller: str, buyer: str, goods: str) -> Particular:
    """What a project sells, and what a per cent of the buyer's imports of the goods is worth."""
    def say(name: str, found: Numbers) -> str:
        imports = known().levers[lever].parameters[f"{lever}.quantity"]
        middle = float(quantile(imports, np.array([0.5])).item()) / MILLION
        return (f"{sales(seller, buyer)(name, found)}; each per cent of {country(buyer)}'s imports "
                f"of {goods} is worth {amount(POINT * middle)} a year")
    return say


def spending(name: str, found: Numbers) -> str:
    """What visitors spend with each member of the pair, an account beside goods."""
    said = []
    for seller in pair().importers:
        where = {"exporter": seller, "group": VISITS, "count": "own"}
        said.append(visits(country(seller), found.level("services", **where),
                           found.change("services", **where)))
    return f"visitors spend {' and '.join(said)}, a service and no part of turnover"


def visits(seller: str, before: float, moved: float) -> str:
    """In words: what visitors spend in a country, without the scenario and its change."""
    changed = "as much as before" if abs(moved) < VISIBLE else more(moved)
    return f"{changed} in {seller} (otherwise {amount(before)})"


def reached(name: str, found: Numbers) -> str:
    """In which years each count has passed the goal, and how likely it is passed later."""
    goal, said = goal_of(name), []
    history = read_history(calibration_folder())
    totals = np.exp(history.log_value).sum(axis=1) / MILLION
    for place, count in enumerate(pair().counts):
        counted = dict(zip(history.years, totals[:, place], strict=True))
        early = per_cent(numbers(name, count).chance("scenario", YEARS[0]))
        said.append(passed(country(pair().counts[count].reporter), counted, goal)
                    + f", and will be above it in {YEARS[0]} with a probability of {early}")
    return "; ".join(said)


def passed(whose: str, counted: Mapping[int, float], goal: float) -> str:
    """In words: the years in which reported turnover (USD million) was above a goal."""
    above = [year for year, value in counted.items() if value >= goal]
    last = max(counted)
    if not above:
        top = max(counted, key=lambda year: counted[year])
        return (f"on {whose}'s count turnover has not reached {goal:.0f} million in any year to "
                f"{last} (at most {amount(counted[top])}, in {top})")
    listed = [f"{year} ({amount(counted[year])})" for year in above]
    years = f"{', '.join(listed[:-1])} and {listed[-1]}" if len(listed) > 1 else listed[0]
    since = "" if last in above else f", was {amount(counted[last])} in {last}"
    return f"on {whose}'s count turnover was above {goal:.0f} million in {years}{since}"


def buyer(market: str) -> Particular:
    """Share of one market in the exports of each member of the pair."""
    def say(name: str, found: Numbers) -> str:
        said = []
        for seller in pair().importers:
            before, after = found.share("export_share", exporter=seller, importer=market)
            said.append(bought(country(market), country(seller), before, after))
        return " and ".join(said).replace(f" and {country(market)} takes ", " and ")
    return say


def bought(market: str, seller: str, before: float, after: float) -> str:
    """In words: the share of a market in a country's exports, and its change."""
    moved = points(after - before)
    change = "unchanged" if moved == "0" else f"{moved} points"
    return f"{market} takes {100 * after:.1f} % of {seller}'s exports ({change})"


def enough(quantity: float, what: str, brings: float, gap: float) -> str:
    """In words: an amount, what it brings, and what the gap of the median to the goal takes."""
    if brings < VISIBLE:
        return f"{quantity:,.0f} {what} bring next to nothing"
    said = f"{quantity:,.0f} {what} bring {amount(brings)}"
    if gap <= 0.0:
        return f"{said}, and the median reaches the goal without them"
    return f"{said}, and to lift the median to the goal takes {rounded(quantity * gap / brings)}"


def rounded(value: float) -> str:
    """Two significant digits, without an exponent."""
    return f"{float(f'{value:.1e}'):,.0f}"


PARTICULAR: Mapping[str, Particular] = {
    "base": other_count,
    "first_goal": reached,
    "eaeu_interim": customs("MNG"),
    "eaeu_fta": sales("RUS", "MNG"),
    "food_security": in_place_of(
        "eaeu_fta", "Mongolia's self-sufficiency changes by", own_food("wheat", "flour", "eggs")),
    "bilateral_mechanism": sales("MNG", "KAZ"),
    "roadmap_2025_2027": sales("MNG", "KAZ"),
    "strategic_partnership": customs("MNG"),
    "road_through_russia": worth,
    "china_corridor": crossing("MNG"),
    "border_facilitation": sales("RUS", "MNG"),
    "tsagaannuur_free_zone": customs("MNG"),
    "direct_flights": spending,
    "tourism": spending,
    "processing_investment": sales("MNG", "KAZ"),
    "medicines": each_per_cent("medicines", "KAZ", "MNG", "medicines"),
    "ferrosilicon": needed("ferrosilicon_plant", "tonnes"),
    "gold_refinery": needed_share("gold_refinery", "the output"),
    "export_dependence": buyer("CHN"),
    "all_levers": account("producer_surplus", "MNG", "Mongolia's producers"),
    "russia_says_no": left_of("strategic_partnership"),
    "critical_minerals": needed("critical_minerals", "tonnes"),
    "energy": needed("oil_products", "tonnes"),
    "corridor_closure": worst("consumer_surplus", "MNG", "Mongolia's buyers"),
    "sanctions": worst("consumer_surplus", "MNG", "Mongolia's buyers"),
    "dzud": worst("consumer_surplus", "MNG", "Mongolia's buyers"),
}


def answer(name: str, found: Numbers | None = None) -> str:
    """The answer of a scenario in one sentence."""
    found = numbers(name) if found is None else found
    before, after = found.chance("reference"), found.chance("scenario")
    parts = [level(found)]
    if found.still:
        goal = f"{goal_of(name):.0f} million are reached with a probability of "
        parts = [f"{parts[0]}, and {goal}{per_cent(after)}"]
    else:
        parts = [f"{parts[0]}, {change(*(found.change('turnover', case) for case in EFFECTS))}",
                 peak(found.path(case="effect")), chance(before, after, goal_of(name))]
    if name in PARTICULAR:
        parts.append(PARTICULAR[name](name, found))
    text = "; ".join(part for part in parts if part)
    return f"{text[0].upper()}{text[1:]}."


EFFECTS = ("effect", "effect_if_implemented")

HEAD = """\
# Scenarios

Each file asks one question. `tradesim run NAME` answers it in full; `tradesim show NAME` prints
its settings with their origin. Answers are those of the expected files beside the scenarios:
median of turnover and its 80 % range over the draws, average changes against the same draws
without the scenario, with the chance that it fails and in brackets as if it were sure to come.
What comes last in a sentence is an average of {last}, or of the year it names, if implemented.

| scenario | question | answer |
|---|---|---|
"""

FOOT = """
This page is written by `python tests/refresh_expected.py`, and the tests compare it with the
expected files, and those with the model. How to [add a scenario](../docs/howto/add-a-scenario.md);
what no scenario knows: [limits](../docs/limits.md).
"""


def page() -> str:
    """The whole page."""
    rows = [f"| [`{name}`]({name}.yaml) | {scenario(name).question} | {answer(name)} |\n"
            for name in names()]
    return HEAD.format(last=LAST) + "".join(rows) + FOOT


def refresh() -> Path:
    """Write the page."""
    PAGE.write_text(page(), encoding="utf-8", newline="\n")
    return PAGE
