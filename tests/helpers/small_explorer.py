"""A small explorer that several test files share: few draws, few levers, few packages."""

from functools import cache

from tradesim.studies.explore.build import explore

LEVERS = ("eaeu_interim", "eaeu_fta", "altai_road", "veterinary_recognition", "investment",
          "oil_products", "corridor_closure")
DRAWS = 250


@cache
def small_explorer():
    return explore(levers=LEVERS, draws=DRAWS, packages=12)
