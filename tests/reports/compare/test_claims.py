"""Every sentence of a comparison's answer, read back against the tidy table."""

import html
import re

import pytest

from tidy import tidy
from tradesim.inputs import scenario
from tradesim.reports.compare import page
from tradesim.reports.compare.facts import facts
from tradesim.reports.html_page import environment
from tradesim.simulation import model
from tradesim.studies.compare import compare
from tradesim.studies.compare_runs import ComparedRuns
from tradesim.studies.compare_table import table

DRAWS = 12

AMOUNT = r"USD (−?[\d.]+) (million|thousand)"
SHARE = r"(less than 1 %|more than 99 %|\d+ %)"
RANGE = r"(?: \([^)]*\))?"

SETS = {
    "all": None,
    "agreements": ["eaeu_fta", "eaeu_interim", "food_security"],
    "projects": ["gold_refinery", "critical_minerals", "energy", "ferrosilicon", "medicines"],
    "one policy": ["road_through_russia"],
    "one shock": ["sanctions"],
    "shocks": ["dzud", "corridor_closure", "sanctions", "russia_says_no"],
    "policy and shock": ["direct_flights", "russia_says_no"],
    "alike": ["all_levers", "export_dependence"],
    "no effect": ["first_goal"],
    "against a part": ["eaeu_fta", "direct_flights", "base"],
    "against a package": ["eaeu_fta", "direct_flights", "base", "all_levers"],
}

BASELINES = {"against a part": "eaeu_interim", "against a package": "all_levers"}


@pytest.fixture(scope="module")
def runs():
    """All shipped scenarios on few draws."""
    return {name: model.run(name, draws=DRAWS) for name in scenario.shipped()}


class Claims:
    """Sentences of one answer, and how each is checked."""

    def __init__(self, comparison, pair):
        self.comparison, self.tidy, self.last = comparison, tidy(table(comparison)), comparison.last
        rendered = environment().from_string(
            '{% import "compare_words.j2" as say %}{{ say.answer(f) }}').render(
                f=facts(comparison, pair))
        text = re.sub("[“”]", "", html.unescape(re.sub(r"<[^>]+>", " ", rendered)))
        self.text = re.sub(r" (?=[:.,])", "", " ".join(text.split()))
        self.pair = pair
        self.names = {comparison.label(name): name for name in comparison.names}
        self.read = []

    def value(self, name, case, statistic="mean", year=None, variable="turnover"):
        rows = self.tidy[(self.tidy["scenario"] == name) & (self.tidy["variable"] == variable)
                         & (self.tidy["case"] == case) & (self.tidy["statistic"] == statistic)
                         & (self.tidy["year"] == (year or self.last))]
        return float(rows[rows["count"].isin([self.comparison.count, "own"])]["value"].iloc[0])

    def effects(self, case="effect"):
        return {name: self.value(name, case) for name in self.comparison.policies}

    def chances(self):
        names = [self.comparison.baseline, *self.comparison.policies]
        return {name: self.value(name, "scenario", variable="target_probability")
                for name in names}

    def consume(self):
        while self.text:
            for pattern, check in READERS.items():
                if found := re.match(pattern, self.text):
                    check(self, *found.groups())
                    self.read.append(check.__name__)
                    self.text = self.text[found.end():].lstrip()
                    break
            else:
                pytest.fail(f"no reader for: {self.text[:150]}")


def usd(number, unit):
    return float(number.replace("−", "-")) * (1e6 if unit == "million" else 1e3)


def close(number, unit, true):
    """Whether a rounded amount is that of the table: to the last digit written, or three digits."""
    last = 10.0 ** -len(number.partition(".")[2])
    return usd(number, unit) == pytest.approx(true, rel=0.005, abs=0.51 * usd(str(last), unit))


def leads(claims, many, title, number, unit, then, then_unit):
    effects = claims.effects()
    assert int(many or 1) == len(effects)
    name = claims.names[title]
    assert effects[name] == pytest.approx(max(effects.values()))
    assert effects[name] > 0
    assert close(number, unit, effects[name])
    assert close(then, then_unit, claims.value(name, "effect_if_implemented"))


def loses(claims, title, number, unit, then, then_unit):
    effects = claims.effects()
    assert max(effects.values()) <= 0
    assert effects[claims.names[title]] == max(effects.values())
    assert close(number, unit, max(effects.values()))
    assert close(then, then_unit, claims.value(claims.names[title], "effect_if_implemented"))


def still(claims):
    assert all(value == 0 for case in ("effect", "effect_if_implemented")
               for value in claims.effects(case).values())


def holds(claims, what):
    pulled = {name: claims.comparison.scenario(name)["levers"]
              for name in claims.comparison.policies}
    effects = claims.effects()
    leader = pulled[max(effects, key=effects.get)]
    within = [name for name, levers in pulled.items() if levers and len(levers) < len(leader)
              and all(leader.get(lever) == given for lever, given in levers.items())
              and not claims.comparison.scenario(name)["parameters"]]
    within = [name for name in within if effects[name] < max(effects.values())]
    if many := re.match(r"(\d+) of the others set", what):
        assert int(many[1]) == len(within)
    else:
        assert {claims.comparison.label(name) for name in within} == set(
            re.split(r"; | and (?=[A-Z])", what.rsplit(" set", 1)[0]))


def without(claims, number, unit, low, high):
    said = [usd(value, unit) for value in (number, low, high)]
    true = [claims.value(claims.comparison.baseline, "scenario", key)
            for key in ("p50", "p10", "p90")]
    assert said == pytest.approx(true, rel=0.006)


def follow(claims, _, listed):
    effects = claims.effects()
    found = re.findall(rf"(?:^|(?<=\) and ))(.+?) \({AMOUNT}\)", listed)
    values = [usd(*pair) for _, *pair in found]
    assert values == sorted(values, reverse=True)
    assert all(close(*pair, effects[claims.names[title]]) for title, *pair in found)
    better = [effect for effect in effects.values() if effect > values[-1] * 1.006]
    assert len({round(effect, -2) for effect in better}) <= len(found)


def boldest(claims, title, number, unit, share):
    name, values = claims.names[title], claims.effects("effect_if_implemented")
    effects = claims.effects()
    assert values[name] == max(values.values())
    assert values[name] > values[max(effects, key=effects.get)]
    assert close(number, unit, values[name])
    change = claims.comparison.change("turnover", name, "scenario", year=claims.last,
                                      count=claims.comparison.count)
    assert whole(share) == pytest.approx(100 * float((abs(change) > 1).mean()), abs=0.51)


def falls(claims, what):
    lower = {name for name, effect in claims.effects().items() if effect < -1.0}
    found = re.findall(rf"(?:^|(?<=\), )|(?<=\) and ))(.+?) \({AMOUNT}\)", what)
    if many := re.match(r"(\d+) of them, most with (.+?) \(", what):
        assert int(many[1]) == len(lower)
        effects = claims.effects()
        assert claims.names[many[2]] == min(effects, key=effects.get)
    else:
        assert {claims.names[title] for title, *_ in found} == lower
    assert all(usd(*pair) < 0 for _, *pair in found)


def whole(share):
    return {"less than 1 %": 0.0, "more than 99 %": 100.0}.get(
        share, float(share.split()[0]) if share[0].isdigit() else -1.0)


def likely(claims, under, share, title):
    chances = claims.chances()
    assert whole(share) == pytest.approx(100 * max(chances.values()), abs=0.51)
    assert chances[claims.names[title]] == max(chances.values())
    assert whole(under) == pytest.approx(100 * chances[claims.comparison.baseline], abs=0.51)
    assert whole(share) > whole(under)


def not_likelier(claims, share):
    chances = claims.chances()
    assert round(100 * max(chances.values())) <= max(1, whole(share))


def unchanged(claims, share):
    assert {round(100 * chance) for chance in claims.chances().values()} == {
        round(100 * claims.chances()[claims.comparison.baseline])}
    not_likelier(claims, share)


def best(claims, title, share, second, second_share):
    second = title if second == "the same" else second
    for criterion, said, part in (("turnover", title, share), ("welfare", second, second_share)):
        chance = {name: claims.value(name, "scenario", variable=f"best_{criterion}")
                  for name in [claims.comparison.baseline, *claims.comparison.policies]}
        name = claims.comparison.baseline if said == "to do nothing" else claims.names[said]
        merged = {one: sum(chance[other] for other in chance if same(claims, one, other))
                  for one in chance}
        assert merged[name] == pytest.approx(max(merged.values()))
        assert whole(part) == pytest.approx(100 * merged[name], abs=0.51)


def same(claims, one, other):
    return all(claims.value(one, case, key) == claims.value(other, case, key)
               for case in ("scenario", "if_implemented") for key in ("mean", "p05", "p75"))


def hardly(claims, what):
    floor = 0.01 * claims.value(claims.comparison.baseline, "scenario", "p50")
    small = {name for name, effect in claims.effects("effect_if_implemented").items()
             if abs(effect) < floor}
    if many := re.match(r"(\d+) of the (\d+) packages", what):
        assert (int(many[1]), int(many[2])) == (len(small), len(claims.effects()))
    elif what in ("the package", "every package"):
        assert len(small) == len(claims.effects())
    else:
        assert all(claims.comparison.label(name) in what for name in small)
        assert len(re.split(r"; | and (?=[A-Z])", what)) == len(small)


def unsure(claims, times):
    low, high = (claims.value(claims.comparison.baseline, "scenario", key)
                 for key in ("p10", "p90"))
    largest = max(map(abs, claims.effects("effect_if_implemented").values()))
    if times == "more than 100":
        assert (high - low) / largest > 100
    else:
        assert int(times) == round((high - low) / largest)


def events(claims, what):
    parts = [part.removeprefix("and ") for part in what.split("; ")]
    assert len(parts) == min(4, len(claims.comparison.events))
    for part in parts:
        number, unit, year, rest = re.fullmatch(rf"{AMOUNT} in (\d+) with (.+)", part).groups()
        title = re.split(r", which also contains| \((?:halved|more than half)", rest)[0]
        name = claims.names[title]
        assert name in claims.comparison.events
        path = {one: claims.value(name, "effect", year=one) for one in claims.comparison.years}
        assert close(number, unit, path[int(year)])
        worst = abs(path[int(year)])
        assert worst == max(map(abs, path.values()))
        if half := re.search(r"halved by (\d+)", rest):
            assert abs(path[int(half[1])]) <= worst / 2
            assert all(abs(path[one]) > worst / 2
                       for one in range(int(year), int(half[1])))
        if "more than half" in rest:
            assert abs(path[claims.last]) > worst / 2
        if many := re.search(r"contains (\d+) policy", rest):
            assert 0 < int(many[1]) < len(claims.comparison.scenario(name)["levers"])


READERS = {
    rf"(?:Of the (\d+) packages, )?(.+?) adds (?:most )?to turnover in \d+:? {AMOUNT} on average, "
    rf"counting the risk of failure, and {AMOUNT}{RANGE} if all of it is implemented\.": leads,
    rf"No package adds to turnover on average\. (.+?) comes nearest: it changes turnover in \d+ by "
    rf"{AMOUNT} on average, counting the risk of failure, and by {AMOUNT}{RANGE} if all of it is "
    r"implemented\.": loses,
    r"No package changes turnover in \d+\.": still,
    r"It contains everything that (.+? sets?)\.": holds,
    rf"Without any package turnover is {AMOUNT} \(80 % range ([\d.]+) to ([\d.]+)(?: million)?\) "
    r"on [^.]+\.": without,
    r"Next (comes|come) (.+?\))\.": follow,
    rf"If everything is implemented, (.+?) would add more, {AMOUNT}, but it has an effect in only "
    rf"{SHARE} of the draws\.": boldest,
    r"On average turnover falls with (.+?\))\.": falls,
    rf"The probability that turnover reaches USD [\d.]+ million in \d+ is {SHARE} "
    rf"without any package and at most {SHARE}, with (.+?)\. ": likely,
    rf"No package raises the probability that .+? above {SHARE}, what it is without any\.":
        not_likelier,
    rf"No package changes the probability that .+? by a percentage point; it is {SHARE}\.":
        unchanged,
    rf"The best choice for turnover is most often (.+?), in {SHARE} of the draws; for the welfare "
    rf"of both countries it is (.+?), in {SHARE}\.": best,
    r"Even if implemented, turnover changes by less than 1 % with (.+?)\.(?: |$)":
        hardly,
    r"Turnover without any policy is itself uncertain: its 80 % range in \d+ is "
    r"(more than 100|\d+) times as wide as the largest average change if "
    r"implemented\.": unsure,
    r"Nobody chooses shocks, so they are not ranked\. The largest average change of turnover is "
    r"(.+)\.$": events,
}


@pytest.mark.parametrize("chosen", SETS)
def test_every_sentence_is_true_for_the_scenarios_at_hand(runs, base, chosen):
    names = SETS[chosen] or list(runs)
    first = BASELINES.get(chosen, "base")
    comparison = compare(*(runs[name] for name in dict.fromkeys([first, *names])), baseline=first)
    claims = Claims(comparison, base.pair)
    claims.consume()
    assert len(set(claims.read)) == len(claims.read)
    assert ("events" in claims.read) == bool(comparison.events)
    assert bool(comparison.policies) == bool(set(claims.read) - {"events"})
    assert set(claims.read) >= due(claims)


def due(claims):
    """Give the sentences that must be there, whatever else is said."""
    effects, bold = claims.effects(), claims.effects("effect_if_implemented")
    if not effects or not any([*effects.values(), *bold.values()]):
        return set()
    leader = max(effects, key=effects.get)
    floor = 0.01 * claims.value(claims.comparison.baseline, "scenario", "p50")
    chances, base = claims.chances(), claims.comparison.baseline
    best = max(round(100 * share) for share in chances.values())
    wanted = {
        "boldest": max(bold.values()) > bold[leader] + 1.0,
        "falls": effects[leader] > 0 and min(effects.values()) < -1.0,
        "hardly": any(abs(value) < floor for value in bold.values()),
        "likely": best > round(100 * chances[base]),
        "best": len(effects) > 1 and not trivial(claims), "without": True}
    return {name for name, there in wanted.items() if there}


def trivial(claims):
    """Whether one package is the best by both criteria and contains others."""
    said = facts(claims.comparison, claims.pair)
    one, two = (said["often"][criterion] for criterion in ("turnover", "welfare"))
    return one["name"] == two["name"] and one["label"] in said["holds"]


def test_shocks_are_in_no_ranking(runs, base):
    comparison = compare(*runs.values(), baseline="base")
    said = facts(comparison, base.pair)
    titles = {comparison.label(name) for name in ("dzud", "sanctions", "corridor_closure",
                                                  "russia_says_no")}
    assert {row["title"] for row in said["events"]} == titles
    assert not titles & {row["title"] for row in said["rows"]}
    tidy = table(comparison)
    ranked = tidy[tidy["variable"].str.startswith(("best_", "regret_"))]["scenario"]
    assert not {"dzud", "sanctions", "corridor_closure", "russia_says_no"} & set(ranked)


def test_the_brief_of_all_scenarios_is_short(runs, base, tmp_path):
    comparison = compare(*runs.values(), baseline="base")
    inputs = dict.fromkeys(comparison.names, ())
    page.write(ComparedRuns(comparison, base.pair, inputs), "tradesim compare", tmp_path)
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    brief = text[text.index("<header>"):text.index('<section id="annex">')]
    words = re.sub(r"<[^>]+>", " ", re.sub(r"<svg.*?</svg>", "", brief, flags=re.S)).split()
    assert 300 < len(words) <= 900
    for one in re.findall(r"<table.*?</table>", brief, re.S):
        assert len(re.findall(r"<th ", one)) <= 8
