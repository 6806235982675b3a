"""The accounts as the report shows them: gains by cause, food, dependence, revenue, benefit-cost.

Every number comes from the results; words are in `templates/accounts.yaml` and `accounts.j2`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tradesim.common.arrays import MILLION, Array
from tradesim.economy.variables import ASSUMED
from tradesim.reports.colours import IMPLEMENTED, REFERENCE, SCENARIO
from tradesim.reports.figure_style import beside, horizontal_bars, subplots
from tradesim.reports.ranges import NOTHING, Change
from tradesim.reports.run.products import home_table
from tradesim.reports.run.view import ResultsView
from tradesim.reports.wording import changed, pretty, probability, words, wrapped
from tradesim.simulation.summary import benefit_cost_ratio, costly, present_values

WEIGHT = 100 * MILLION
"""From a share, which `ResultsView.draws` divides by a million like amounts, to per cent."""

VISIBLE = 0.05
"""Percentage points below which a share is printed as unchanged."""

THIN, MEAGRE = 0.5, 0.05
"""Exports that rise by so many USD million or more, and a net gain that is this share of it."""

SMALL = 0.01
"""Amounts (USD million) below which a change is no row of a table, and no panel of a figure."""

PRINTED = 5e-4
"""Amounts (USD million) below which a bar would be labelled 0."""

BAR = 0.36
"""Height of a bar, inches."""

PARTS: dict[str, tuple[str, ...]] = {
    "resource": ("gain_resource",), "formalities": ("gain_formalities",),
    "tax": ("gain_tax",), "treasury": ("tariff_revenue",), "rent": ("quota_rent",),
    "terms": ("gain_supplier_price", "exporter_surplus"),
    "home_buyers": ("gain_home_price",), "home_producers": ("producer_surplus",),
    "choice": ("gain_choice",)}
"""Parts of a country's gain in the order of table and figure, with the variables they add up."""


def parts(view: ResultsView, importer: str, case: str = "if_implemented",
          year: int | None = None) -> dict[str, Array]:
    """Parts of a country's gain by draw, USD million, that add up to its net gain, and that.

    What a shift of the reference path does to border revenue is no gain and is left out.
    """
    where = {"importer": importer, "year": view.moment if year is None else year}
    if closed(view):
        return {"net": view.change("welfare", case, **where)}
    sums = {part: sum((view.change(name, case, **where) for name in names),
                      start=np.zeros(view.draw_count)) for part, names in PARTS.items()}
    net = view.change("welfare", case, **where)
    sums["treasury"] = net - sum(values for part, values in sums.items() if part != "treasury")
    return {part: values for part, values in sums.items()
            if np.abs(values).max() >= NOTHING} | {"net": net}


def assumed_part(view: ResultsView, effect: float) -> dict[str, Any] | None:
    """Give the part of the effect on turnover that is an assumed cut of non-tariff cost, if any.

    Where the rest may go either way (``mixed``) a share of the whole would mean nothing.
    """
    if ASSUMED not in view.dataset or abs(effect) < NOTHING:
        return None
    part = view.draws(ASSUMED, "if_implemented", count=view.count, year=view.last)
    rest = view.last_turnover("if_implemented") - view.last_turnover("reference") - part
    low, high = np.quantile(rest, [0.1, 0.9])
    share = float(part.mean()) / effect
    return {"change": Change.of(part), "percent": [100 * share], "most": share > 0.5,
            "mixed": low * part.mean() < 0.0 or high * part.mean() < 0.0,
            "rest": [abs(float(rest.mean()))], "adds": float(rest.mean()) >= 0.0}


def closed(view: ResultsView) -> bool:
    """Whether a closure measured welfare, so that the partial accounts are left out."""
    return "consumer_surplus" not in view.dataset


def accounts(view: ResultsView, *, priced: bool = True) -> dict[str, Any]:
    """Tables and facts of the section on accounts.

    Gains are compared with costs only where every lever of the scenario states a cost (`priced`);
    ``benefit`` is None where no lever carries one. ``corridor`` has
    the facts on the exposure to the shared corridor.
    """
    pair = view.pair
    importers = pair.importers if view.changes else ()
    return {
        "unmoved": unmoved(view) if view.changes else [],
        "gains": [{"table": _gains(view, importer), **_gain_facts(view, importer)}
                  for importer in importers],
        "products": home_table(view) if view.changes and view.followed() else None,
        "food": _food(view) if view.followed(food=True) else None,
        "dependence": [_dependence(view, importer) for importer in pair.importers],
        "corridor": [_exposure(view, importer) for importer in importers],
        "exports": [_export_dependence(view, country) for country in pair.importers
                    if "exports" in view.dataset],
        "services": _services(view) if view.dataset["services"].size else None,
        "closed": closed(view), "revenue": _revenue(view), "projects": _projects(view),
        "benefit": _benefit(view, priced) if costly(view.dataset) else None}


def _gains(view: ResultsView, importer: str) -> dict[str, Any]:
    risky = parts(view, importer, "scenario")
    phrases, rows = words("accounts"), []
    for part, values in parts(view, importer).items():
        row = [phrases["parts"][part].format(country=view.pair.name(importer)),
               changed(Change.of(values), "short")]
        if not view.point:
            mean = risky.get(part, np.zeros(1)).mean()
            row.append(pretty(float(mean)))
        rows.append(row)
    columns = ["part", "gain", *([] if view.point else ["risky"])]
    return _table(view, "gains", rows, columns, total=True, country=view.pair.name(importer))


def _gain_facts(view: ResultsView, importer: str) -> dict[str, Any]:
    by_part = parts(view, importer)
    mean = {part: float(values.mean()) for part, values in by_part.items()}
    lost = -mean.get("treasury", 0.0)
    sold = float(view.change("trade", "if_implemented", count=view.count, year=view.moment,
                             importer=view.pair.partner(importer)).sum(axis=-1).mean())
    return {"thin": sold >= THIN and abs(mean["net"]) < MEAGRE * sold, "exports": [sold],
            "country": view.pair.name(importer), "net": Change.of(by_part["net"]),
            "resource": [mean.get("resource", 0.0)], "tax": [mean.get("tax", 0.0)],
            "formalities": [mean.get("formalities", 0.0)],
            "lost": [lost], "triangle": [mean.get("tax", 0.0) - lost]}


def _food(view: ResultsView) -> dict[str, Any]:
    rows = [_row(view, f"{view.pair.name(name)}, {view.pair.name(importer)}", "self_sufficiency",
                 WEIGHT, product=name, importer=importer)
            for importer, name in view.followed(food=True)]
    return _table(view, "food", rows, _columns(view))


def _dependence(view: ResultsView, importer: str) -> dict[str, Any]:
    phrases, where = words("accounts"), {"importer": importer}
    order = [code for code in view.exporters if code != importer]
    rows = [_row(view, phrases["share"].format(country=view.pair.name(code)), "import_share",
                 WEIGHT, exporter=code, **where) for code in order]
    rows.append(_row(view, phrases["concentration"], "import_concentration", WEIGHT, **where))
    rows.append(_row(view, phrases["corridor"].format(partner=view.flow(importer)["exporter"]),
                     "corridor_share", WEIGHT, **where))
    return _table(view, "dependence", rows, _columns(view),
                  country=view.pair.name(importer))


def _export_dependence(view: ResultsView, country: str) -> dict[str, Any]:
    phrases, where = words("accounts"), {"country": country}
    rows = [_row(view, phrases["export_share"].format(country=view.pair.name(code)),
                 "export_share", WEIGHT, market=code, **where)
            for code in view.exporters if code != country]
    rows.append(_row(view, phrases["export_concentration"], "export_concentration", WEIGHT,
                     **where))
    rows.append(_row(view, phrases["trade_share"].format(
        partner=view.pair.name(view.pair.partner(country)), country=view.pair.name(country)),
        "trade_share", WEIGHT, **where))
    return _table(view, "exports", rows, _columns(view), country=view.pair.name(country))


def _services(view: ResultsView) -> dict[str, Any]:
    titles = words("accounts")["services"]
    rows = [_row(view, titles["row"].format(service=titles.get(name, name).format(
                partner=view.pair.name(view.pair.partner(country))),
                country=view.pair.name(country)), "services", 1.0, service=name, country=country)
            for name in map(str, view.dataset["service"].values)
            for country in view.pair.importers
            if view.draws("services", "reference", service=name, country=country).any()]
    return _table(view, "services", rows, _columns(view, "usd"))


def _exposure(view: ResultsView, importer: str) -> dict[str, Any]:
    """Trade that a closed corridor would stop: its share, and its value."""
    where = {"importer": importer, "year": view.moment}
    medians, exposed = {}, []
    for case in ("reference", "if_implemented"):
        share = MILLION * view.draws("corridor_share", case, **where)
        trade = view.draws("trade", case, count=view.count, **where).sum(axis=-1)
        exposed.append(share * trade)
        medians[case] = [100 * float(np.median(share))]
    moved = medians["if_implemented"][0] - medians["reference"][0]
    return view.flow(importer) | medians | {
        "rise": Change.of(exposed[1] - exposed[0]), "higher": moved > 0.0,
        "moved": abs(moved) >= VISIBLE}


def _revenue(view: ResultsView) -> dict[str, Any]:
    phrases = words("accounts")
    rows = []
    for importer in view.pair.importers:
        def row(name: str, label: str, country: str = importer,
                **where: Any) -> list[str] | None:
            label = phrases[label].format(country=view.pair.name(country),
                                          group=view.pair.name(where.get("group", "")))
            return _row(view, label, name, 1.0, importer=country, **where)

        rows.append(row("tariff_revenue", "tariff_revenue"))
        if view.changes:
            rows.append(row("tariff_revenue_by_group", "of_which",
                            group=_group_that_pays_most(view, importer)))
        rows += [row(name, name) for name in ("excise_revenue", "vat_revenue")
                 if view.draws(name, "reference", importer=importer).any()]
    return _table(view, "revenue", rows, _columns(view, "usd"))


def _group_that_pays_most(view: ResultsView, importer: str) -> str:
    """Group of goods whose border revenue changes most, on average."""
    changes = {group: abs(float(view.change("tariff_revenue_by_group", "if_implemented",
                                            importer=importer, group=group,
                                            year=view.moment).mean()))
               for group in map(str, view.dataset["group"].values)}
    return max(changes, key=lambda group: changes[group])


def _projects(view: ResultsView) -> list[dict[str, Any]]:
    """Flows of projects in the year shown, where there are any."""
    if not view.changes:
        return []
    rows = []
    for importer in view.pair.importers:
        added = view.change("project_trade", "if_implemented", importer=importer,
                            year=view.moment)
        if np.abs(added).max() >= NOTHING:
            rows.append(view.flow(importer) | {"change": Change.of(added)})
    return rows


def _benefit(view: ResultsView, priced: bool) -> dict[str, Any]:
    """Present values of gains and cost over the life of what is built, USD million."""
    phrases, values = words("accounts"), {}
    for case in ("if_implemented", "scenario"):
        values[case] = {name: one / MILLION
                        for name, one in present_values(view.dataset, case).items()}
    cases = ["if_implemented", *([] if view.point else ["scenario"])]
    rows = []
    for name in values["if_implemented"]:
        if name == "net" and not priced:
            continue
        label = phrases["benefit"].get(name) or phrases["benefit"]["country"].format(
            country=view.pair.name(name))
        rows.append([label, *(changed(Change.of(values[case][name]), "short") for case in cases)])
    if priced:
        rows.append([phrases["benefit"]["ratio"],
                     *(pretty(benefit_cost_ratio(values[case]), 2) for case in cases)])
    if priced and not view.point:
        rows.append([phrases["benefit"]["pays"], *(probability(float(
            (values[case]["net"] > 0).mean()), "short") for case in cases)])
    sure = values["if_implemented"]
    attrs = view.dataset["appraisal"].attrs
    rate = float(attrs["rate_of_return_if_implemented"])
    ratio = benefit_cost_ratio(sure)
    return {"table": _table(view, "benefit", rows, ["item", *cases], first=view.years[0],
                            end=int(attrs["last_year"])),
            "end": int(attrs["last_year"]), "draws": view.dataset.sizes["appraised"],
            "return": "" if np.isnan(rate) or rate < 0.0 else f"{pretty(100 * rate, 2)} %",
            "switch": pretty(1.0 / ratio, 2) if priced and ratio > 0 else "",
            "repaid": ratio >= 1.0,
            "rate": f"{100 * float(view.dataset.attrs['discount_rate']):g} %",
            "yearly": [float(view.change("welfare", "if_implemented", year=view.last)
                             .sum(axis=-1).mean())],
            "cost": [float(sure["cost"].mean())], "gain": [float(sure["joint"].mean())],
            "first": view.years[0],
            "ratio": pretty(ratio, 2) if priced else ""}


def _row(view: ResultsView, label: str, name: str, scale: float,
         **where: Any) -> list[str] | None:
    """Levels and change of one number; None where the change would be printed as nothing."""
    where = {"year": view.moment, **where}
    reference = scale * view.draws(name, "reference", **where)
    if not view.changes:
        return [label, pretty(float(np.median(reference)))]
    after = scale * view.draws(name, "if_implemented", **where)
    if abs(float((after - reference).mean())) < (VISIBLE if scale == WEIGHT else SMALL):
        return None
    risky = scale * view.change(name, "scenario", **where)
    row = [label, *(pretty(float(np.median(values))) for values in (reference, after)),
           changed(Change.of(after - reference), "short")]
    return row if view.point else [*row, pretty(float(risky.mean()))]


def _columns(view: ResultsView, unit: str = "share") -> list[str]:
    if not view.changes:
        return ["item", f"reference_{unit}"]
    return ["item", f"reference_{unit}", f"after_{unit}", f"change_{unit}",
            *([] if view.point else [f"risky_{unit}"])]


def _table(view: ResultsView, name: str, rows: Sequence[list[str] | None], columns: Sequence[str],
           *, total: bool = False, **names: Any) -> dict[str, Any]:
    """Table of the rows that have something to say; without any it is left out of the page."""
    phrases = words("accounts")
    known = phrases["columns"]["all"] | phrases["columns"][name]
    if view.point:
        known |= phrases["columns"]["point"]
    title = phrases["titles"][name].format(year=view.moment, case=view.case_words, **names)
    return {"title": title,
            "rows": [row for row in rows if row], "total": total,
            "columns": [known[key].format(case=view.case_words) for key in columns]}


def causes(view: ResultsView) -> Figure | None:
    """Draw the parts of each country's gain one after the other, and what they add up to.

    A country without a part of at least `SMALL` has no panel; without any panel there is no figure.
    """
    phrases, gains = words("accounts")["figure"], _drawn(view)
    if not gains:
        return None
    figure, panels = subplots(phrases["title"].format(year=view.moment, case=view.case_words),
                              1.2 + BAR * max(map(len, gains.values())), columns=len(gains))
    for axes, (importer, by_part) in zip(panels, gains.items(), strict=True):
        low, high = (float(end) for end in np.quantile(by_part["net"], [0.1, 0.9]))
        _waterfall(axes, {part: float(values.mean()) for part, values in by_part.items()},
                   max(high, 0.0))
        if not view.point:
            axes.hlines(len(by_part) - 1, low, high, color="black", linewidth=1.1)
        axes.set_title(words()["market"].format(importer=view.pair.name(importer)))
    return figure


def _drawn(view: ResultsView) -> dict[str, dict[str, Array]]:
    """Parts that have a bar, by country: those that would be labelled 0 have none."""
    gains = {importer: parts(view, importer) for importer in view.pair.importers}
    return {importer: {part: values for part, values in by_part.items()
                       if part == "net" or abs(float(values.mean())) >= PRINTED}
            for importer, by_part in gains.items()
            if max(abs(float(values.mean())) for values in by_part.values()) >= SMALL}


def unmoved(view: ResultsView) -> list[str]:
    """Countries without a panel: neither their gain nor any part of it reaches `SMALL`."""
    drawn = _drawn(view)
    return [view.pair.name(importer) for importer in view.pair.importers if importer not in drawn]


def _waterfall(axes: Axes, means: dict[str, float], reach: float) -> None:
    sizes = np.array(list(means.values()))
    ends = np.append(np.cumsum(sizes[:-1]), sizes[-1])
    starts = np.append(np.append(0.0, ends[:-2]), 0.0) if len(sizes) > 1 else np.zeros(1)
    colours = [REFERENCE if part == "net" else SCENARIO if size >= 0 else IMPLEMENTED
               for part, size in means.items()]
    rows = np.arange(len(sizes))
    axes.barh(rows, ends - starts, left=starts, height=0.62, color=colours, alpha=0.8)
    for row in rows[1:-1]:
        axes.vlines(starts[row], row - 0.69, row - 0.31, color=REFERENCE, linewidth=0.8)
    axes.axvline(0, color="black", linewidth=0.8)
    short = words("accounts")["short"]
    axes.set_yticks(rows, [wrapped(short[part], 16) for part in means], fontsize=8)
    for row, (end, start, size) in enumerate(zip(ends, starts, sizes, strict=True)):
        right = max(end, start, reach) if row == len(rows) - 1 else max(end, start)
        beside(axes, pretty(size), (right, row), fontsize=7.5, va="center", color=REFERENCE)
    low, high = min(0.0, *starts, *ends), max(0.0, reach, *starts, *ends)
    span = high - low or 1.0
    axes.set_xlim(low - 0.02 * span * (low < 0), high + 0.22 * span)
    horizontal_bars(axes, len(rows))
    axes.set_xlabel(words("accounts")["figure"]["axis"], fontsize=8)
