"""What the page holds, as plain numbers and texts."""

from __future__ import annotations

import base64
import json
import shlex
from collections.abc import Mapping
from typing import Any

import numpy as np

from tradesim.common.arrays import Array
from tradesim.common.extras import version_of
from tradesim.common.files import calibration_folder
from tradesim.inputs.geography import read_geography
from tradesim.inputs.growth import HIGHEST, LOWEST, NAMED, decade_rates, outlook
from tradesim.inputs.levers import Lever
from tradesim.inputs.parameters import Parameter
from tradesim.reports.language import language, titled
from tradesim.reports.projection import projected, smooth
from tradesim.reports.wording import words
from tradesim.studies.explore.build import Explorer
from tradesim.studies.explore.cards import Card, Preset, Pull, Strength
from tradesim.studies.explore.emulator import Effect, Growth, Packed
from tradesim.studies.explore.responses import MOST, Sides

TARGETS = (1.0, 100_000.0)
"""Targets that a reader may name, USD million."""

UNSEEN = 5e-3
"""Change of trade in a product that is too small to be shown, USD million."""

RATES = (-5.0, 15.0)
"""Rates of growth that sliders show, per cent a year."""


def data(explorer: Explorer, command: str) -> dict[str, Any]:
    """Give everything on the page, in the language in use."""
    pair, emulator = titled(explorer.base.pair), explorer.emulator
    reference = np.exp(emulator.reference.values).sum(axis=0).mean(axis=-1)
    return {
        "years": list(emulator.years), "draws": emulator.reference.codes.shape[-1],
        "seed": explorer.scenario.seed, "base": explorer.scenario.name,
        "countries": [{"code": code, "name": pair.name(code)} for code in pair.importers],
        "count": pair.counts[explorer.count].title,
        "groups": [group.title for group in pair.groups.values()],
        "products": [pair.name(product) for product in pair.products],
        "target": {"low": TARGETS[0], "high": TARGETS[1]},
        "reported": [[year, _digits(value)] for year, value in explorer.reported.items()],
        "reference": packed(emulator.reference), "open_goods": packed(emulator.open_goods),
        "open_effect": packed(emulator.open_effect), "mean_reference": _list(reference),
        "growth": _growth(explorer, emulator.growth), "most": MOST,
        "levers": [_lever(explorer, name, card) for name, card in emulator.cards.items()],
        "pairs": [[one, other, _list(factor)] for (one, other), factor in emulator.pairs.items()],
        "sides": _side_titles(explorer), "map": _map(explorer),
        "side_draws": next(iter(explorer.sides.values()))[0].sides.shape[-1],
        "presets": [_preset(found) for found in explorer.presets],
        "style": {"point": language().point, "thousands": language().thousands},
        "made": {"version": version_of("tradesim"), "command": command,
                 "options": _options(explorer)},
        "words": words("explore"),
    }


def _options(explorer: Explorer) -> list[str]:
    """Options that a command needs beside settings, to answer from the same numbers."""
    folder = explorer.base.folder
    return [] if folder == calibration_folder() else ["--calibration", shlex.quote(str(folder))]


def as_script(values: Mapping[str, Any]) -> str:
    """Write JSON that no text in it can break out of its element."""
    text = json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return text


def packed(numbers: Packed) -> dict[str, Any]:
    """Give whole numbers in base 64, least significant byte first, with their scale."""
    raw = numbers.codes.astype("<i2").tobytes()
    return {"b": base64.b64encode(raw).decode("ascii"), "s": numbers.scale}


def _digits(value: float) -> float:
    return float(f"{value:.5g}")


def _list(values: Array) -> Any:
    """Give nested lists of numbers with five digits."""
    return [_list(row) for row in values] if values.ndim > 1 else [_digits(one) for one in values]


def _growth(explorer: Explorer, growth: Growth) -> dict[str, Any]:
    history, years = explorer.base.history, len(explorer.emulator.years)
    rates = decade_rates(history)
    yearly = {name: 100.0 * np.expm1((outlook(history, name).log_gdp[years - 1]
                                      - history.log_gdp[-1]) / years) for name in NAMED}
    return {"size": packed(growth.loading_size), "rate": packed(growth.loading_rate),
            "named": {name: _list(growth.named[name]) for name in NAMED},
            "own": {code: _list(moved) for code, moved in growth.own.items()},
            "rates": {name: _list(rate) for name, rate in yearly.items()},
            "low": LOWEST, "high": HIGHEST, "shown": RATES,
            "usual": {code: round(float(np.clip(rate, *RATES)), 1) for code, rate in
                      zip(explorer.base.pair.importers, rates, strict=True)}}


def _lever(explorer: Explorer, name: str, card: Card) -> dict[str, Any]:
    lever, emulator = titled(card.lever), explorer.emulator
    return {
        "name": name, "title": lever.title, "family": lever.family, "state": lever.state,
        "follows": lever.follows, "corridor": lever.needs_corridor, "consent": lever.needs_consent,
        "sources": [source.model_dump() for source in lever.sources],
        "grades": _grades(lever, card.strength), "first": card.first,
        "start": card.start, "solved": card.solved, "chance": card.chance,
        "strength": _strength(lever, card.strength) if card.strength else None,
        "variants": [{"title": titled(variant.title), "settings": dict(variant.settings)}
                     for variant in card.variants],
        "success": packed(emulator.success[name]),
        "effects": [_effect(effect) for effect in emulator.effects[name]],
        "sides": [_sides(found) for found in explorer.sides[name]]}


def _grades(lever: Lever, strength: Strength | None) -> list[dict[str, str]]:
    """Give where the numbers on the card come from."""
    keys = ["start", "probability", *([strength.key] if strength else [])]
    return [{"title": item.title.rstrip("."), "grade": item.grade, "source": item.source}
            for item in (lever.settings[key] for key in keys)]


def _strength(lever: Lever, strength: Strength) -> dict[str, Any]:
    item = lever.settings[strength.key]
    unit = item.unit if isinstance(item, Parameter) else ""
    return {"key": strength.key, "title": item.title.rstrip("."), "unit": unit,
            "low": strength.low, "high": float(f"{strength.high:.10g}"),
            "usual": float(f"{strength.usual:.4g}"), "drawn": strength.drawn,
            "nodes": list(strength.nodes)}


def _effect(effect: Effect) -> dict[str, Any]:
    return {"given": effect.given, "sizes": _list(effect.sizes.T),
            "paths": [path and {"c": _list(path.courses), "m": packed(path.mix)}
                      for path in effect.paths],
            "drawn": [size and packed(size) for size in effect.drawn]}


def _sides(found: Sides) -> dict[str, Any]:
    return {"amounts": packed(Packed.of(found.sides)), "course": _list(found.course),
            "groups": _list(found.groups), "routes": _list(found.routes),
            "products": _list(np.where(np.abs(found.products) < UNSEEN, 0.0, found.products))}


def _map(explorer: Explorer) -> dict[str, Any] | None:
    """Give outlines, places and ways, projected, with the shares that routes carry today."""
    pair = explorer.base.pair
    geography = read_geography(explorer.base.folder, pair)
    if geography is None:
        return None
    return {
        "outlines": [{"ours": code in pair.importers, "rings": [_points(ring) for ring in rings]}
                     for code, rings in geography.outlines.items()],
        "places": [{"kind": place.kind, "side": place.side or "right",
                    "title": titled(pair).name(place.name) if place.kind == "country"
                    else titled(place.title),
                    "at": _points(np.array([[place.lon, place.lat]]))[0]}
                   for place in geography.places],
        "routes": [{"title": titled(pair).name(route), "shares": _list(shares),
                    "way": _points(smooth(geography.ways[route])) if route in geography.ways
                    else None} for route, shares in zip(pair.routes, explorer.routes, strict=True)]}


def _points(points: Array) -> list[list[float]]:
    """Project longitudes and latitudes to thousandths of the earth's radius, y downwards."""
    return [[round(1000.0 * x, 1), round(-1000.0 * y, 1)] for x, y in projected(points)]


def _preset(found: Preset) -> dict[str, Any]:
    return {"name": found.name, "title": titled(found.title), "question": titled(found.question),
            "target": found.target / 1e6, "growth": found.package.growth,
            "pulls": {name: _pull(pull) for name, pull in found.package.pulls.items()}}


def _pull(pull: Pull) -> dict[str, Any]:
    return {"variant": pull.variant, "start": pull.start, "chance": pull.chance,
            "strength": pull.strength}


def _side_titles(explorer: Explorer) -> list[str]:
    pair, phrases = titled(explorer.base.pair), words("explore")["gains"]
    return [*(phrases[kind].format(country=pair.name(code))
              for kind in ("country", "treasury", "farms") for code in pair.importers),
            *(phrases["sellers"].format(country=pair.name(code)) for code in explorer.others)]


def trust(explorer: Explorer, command: str, date: str) -> list[str]:
    """Say how near the page is to the model, what it leaves out, and who made it."""
    phrases, accuracy = words("explore")["trust"], explorer.accuracy
    point = language().point

    def shown(value: float, places: int) -> str:
        return f"{value:.{places}f}".replace(".", point)

    lines = [phrases["text"].format(
        draws=f"{explorer.emulator.reference.codes.shape[-1]:,}".replace(",", language().thousands),
        packages=len(accuracy.packages), quantile=shown(accuracy.mean[0], 1),
        chance=shown(accuracy.mean[1], 2), quantile_most=shown(accuracy.usual[0], 1),
        chance_most=shown(accuracy.usual[1], 2)), phrases["limits"], phrases["levels"]]
    if explorer.left_out:
        lines.append(phrases["left_out"].format(names=", ".join(explorer.left_out)))
    lines.append(phrases["made"].format(version=version_of("tradesim"), date=date, command=command,
                                        data=explorer.base.history.years[-1]))
    return lines
