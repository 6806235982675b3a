"""Which kinds of lever there are, what each needs, and whether the levers of the data fit them.

A kind is one function from settings to a shock. It knows nothing of any country, group or route:
those come with the lever's entry in ``levers.yaml``. Each takes the economy, the strength of the
lever by draw and year, and keyword arguments that are both its structural names (``applies``) and
its settings, in their units; it returns the `Shock` of the lever if it succeeds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tradesim.common.errors import InputError, Problem, nearest
from tradesim.economy.levers import duties, frictions, macro, supply, transport
from tradesim.economy.levers.timing import TIMING
from tradesim.economy.shocks import Shock
from tradesim.inputs.levers import COST, Choice, Lever
from tradesim.inputs.pair import Pair
from tradesim.inputs.strict_yaml import Document, kind, load_document

KINDS: Mapping[str, Callable[..., Shock]] = {function.__name__: function for function in (
    duties.tariff_agreement, transport.route_improvement, duties.free_zone, transport.air_link,
    transport.border_facilitation, frictions.recognition, frictions.payment_relief,
    transport.visits, transport.route_service, supply.plants, frictions.contacts, supply.project,
    transport.route_closure, frictions.payment_friction, supply.supply_loss, supply.export_ban,
    macro.currency_move, macro.growth_path, duties.tariff_change)}

GIVEN = ("lever", "lifetime", "years_on", "calendar", "levels", "extra_goods")
"""Arguments that the model supplies where a kind asks for them."""

NAMES: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("members", "exporters", "exporter", "rivals", "country"),
                    ("exporters", "country")),
    **dict.fromkeys(("importers", "importer", "rival_importers", "host", "partner"),
                    ("importers", "member of the pair")),
    **dict.fromkeys(("groups", "group", "without", "input_groups", "output_groups"),
                    ("lines", "group or product")),
    **dict.fromkeys(("routes", "route"), ("routes", "route")),
}
"""Arguments of kinds that name something: what of the pair, and the word for one of it."""

SINGLE = ("exporter", "importer", "host", "country", "partner", "group", "route")
"""Those of `NAMES` that hold one name; the others hold a list."""


@cache
def arguments(kind: str) -> tuple[str, ...]:
    """Names a lever of this kind may give, in ``applies`` or ``settings``."""
    return tuple(parameter.name for parameter in _parameters(kind))


def required(kind: str) -> tuple[str, ...]:
    """Those of `arguments` that it must give: the kind has no default for them."""
    return tuple(parameter.name for parameter in _parameters(kind)
                 if parameter.default is parameter.empty)


def _parameters(kind: str) -> list[inspect.Parameter]:
    parameters = inspect.signature(KINDS[kind]).parameters.values()
    return [parameter for parameter in parameters
            if parameter.kind is parameter.KEYWORD_ONLY and parameter.name not in GIVEN]


def check_levers(levers: Mapping[str, Lever], path: Path, pair: Pair | None = None) -> None:
    """Check that every lever gives just what its kind asks for, with names that exist.

    Parameters
    ----------
    levers
        Levers by name.
    path
        File they were read from, named in the error.
    pair
        Names of countries, groups and routes; without it names are not checked.

    Raises
    ------
    InputError
        With every unknown kind, every missing or superfluous setting, and every name that the
        pair does not have.
    """
    problems = [found for name, lever in levers.items()
                for found in _problems(name, lever, levers, pair)]
    if problems:
        document = load_document(path) if path.is_file() else Document({}, {}, str(path))
        raise InputError([document.problem(found.key, found.message, found.hint)
                          for found in problems])


def _problems(name: str, lever: Lever, levers: Mapping[str, Lever],
              pair: Pair | None) -> Iterator[Problem]:
    if lever.kind not in KINDS:
        yield Problem("", f"{name}.kind", f"unknown kind '{lever.kind}'; known: "
                      f"{', '.join(KINDS)}", nearest(lever.kind, KINDS))
        return
    known = {*arguments(lever.kind), *TIMING}
    needed = {*required(lever.kind), *TIMING}
    for part, given in (("applies", set(lever.applies)), ("settings", set(lever.settings))):
        for key in sorted(given - known - {*COST}):
            yield Problem("", f"{name}.{part}.{key}", f"kind '{lever.kind}' has no such name",
                          nearest(key, known))
    first = levers[lever.follows] if lever.follows else lever
    given = {*lever.applies, *lever.settings, *first.applies, *first.settings}
    for key in sorted(needed - given):
        yield Problem("", f"{name}.{key}", f"missing: kind '{lever.kind}' needs it in applies or "
                      "settings")
    for key in sorted({*lever.applies} & {*lever.settings}):
        yield Problem("", f"{name}.applies.{key}", "stands in settings too; one of them must go")
    if pair is None:
        return
    for key, value in lever.applies.items():
        if key in NAMES:
            yield from _names(f"{name}.applies.{key}", key, value, pair)
    for key, setting in lever.settings.items():
        if key in NAMES and isinstance(setting, Choice):
            yield from _unknown(f"{name}.settings.{key}.allowed", key, setting.values, pair)


def _names(at: str, key: str, value: Any, pair: Pair) -> Iterator[Problem]:
    """Check the names that ``applies`` gives for one argument."""
    if key in SINGLE:
        if isinstance(value, str):
            yield from _unknown(at, key, [value], pair)
        else:
            yield Problem("", at, f"must be the name of one {NAMES[key][1]}, not {kind(value)}")
    elif isinstance(value, list) and all(isinstance(part, str) for part in value):
        yield from _unknown(at, key, value, pair)
    else:
        yield Problem("", at, f"must be a list of names, not {kind(value)}")


def _unknown(at: str, key: str, values: Sequence[str], pair: Pair) -> Iterator[Problem]:
    what, word = NAMES[key]
    known = tuple(getattr(pair, what))
    for value in values:
        if value not in known:
            yield Problem("", at, f"'{value}' is no {word} of pair.yaml; known: "
                          f"{', '.join(known)}", nearest(value, known))
