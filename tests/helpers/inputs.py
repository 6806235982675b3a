"""A small made-up calibration for the tests of reading: two countries that do not exist."""

from pathlib import Path

PAIR = """
title: Goods trade between Avalon and Borduria
countries:
  AVA: {name: Avalon, adjective: Avalonian}
  BOR: {name: Borduria, adjective: Bordurian}
  ROW: {name: Rest of the world}
pair: [AVA, BOR]
counts:
  bordurian: {reporter: BOR, title: Borduria's count}
  avalonian: {reporter: AVA, title: Avalon's count}
groups:
  grain: {title: Grain, hs: "01-40"}
  hides: {title: Hides, hs: "41-97"}
routes:
  road: {title: Road, corridor: true}
  air: {title: Air, corridor: false}
corridor: {title: Transit}
target: {value_usd: 500000000, count: bordurian, title: Turnover of USD 500 million a year}
base_year: 2020
first_year: 2011
last_year: 2024
horizon: 2035
"""

PARAMETERS = """
adjustment.speed:
  title: Share of the remaining response reached each year
  unit: share
  distribution: {kind: beta, a: 13, b: 30}
  bounds: [0, 1]
  source: A study
  locator: table 2
  grade: B
elasticity.demand:
  title: Price elasticity of demand for a group
  unit: elasticity
  distribution: {kind: triangular, low: 0.5, mode: 0.9, high: 1.3}
  bounds: [0, 3]
  source: judgement
  grade: C
  note: no estimate for this pair
"""

COMMON = """
      start: {title: First year, unit: year, default: 2028, bounds: [2020, 2035],
              source: the agreement, locator: article 9, grade: B}
      delay:
        title: Years by which the start slips
        unit: years
        distribution: {kind: triangular, low: 0, mode: 0, high: 3}
        bounds: [0, 10]
        source: judgement
        grade: C
      phase_in: {title: Years until the full effect, unit: years, default: 3, bounds: [1, 20],
                 source: judgement, grade: C}
      probability: {title: Probability that it happens, unit: share, default: 0.5,
                    bounds: [0, 1], source: judgement, grade: C}
"""

LEVERS = f"""
pact:
  title: Tariff agreement
  kind: tariff_agreement
  state: Signed, not in force.
  applies: {{members: [BOR], partner: AVA}}
  needs_corridor: false
  sources: [{{title: The agreement, url: "https://example.org/pact"}}]
  settings: {COMMON}
      scope: {{title: How much it covers, default: partial, allowed: [partial, full],
              source: the agreement, grade: A}}
pass_road:
  title: Road over the pass
  kind: route_improvement
  state: Planned.
  applies: {{route: road}}
  needs_corridor: true
  sources: [A ministry]
  settings: {COMMON}
      km_saved:
        title: Distance saved
        unit: km
        distribution: {{kind: uniform, low: 430, high: 767}}
        bounds: [0, 1000]
        source: A ministry
        grade: B
"""

FILES = {"pair.yaml": PAIR, "parameters.yaml": PARAMETERS, "levers.yaml": LEVERS}


def write_calibration(folder: Path, **changed: str) -> Path:
    """Write the calibration's YAML files; `levers="..."` replaces that file's text."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in FILES.items():
        (folder / name).write_text(changed.get(name.removesuffix(".yaml"), text), encoding="utf-8")
    return folder
