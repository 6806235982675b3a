"""Synthetic folders of sweeps: what `tradesim sweep` leaves, with an answer that is known."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

FACTORS = [
    ("growth.elasticity", "Elasticity of trade to both economies", "elasticity", "world"),
    ("pact.utilisation", "Share of eligible trade that claims the preference", "share", "policy"),
    ("pact.start", "Year in which the pact enters into force", "year", "policy"),
    ("pact.happens", "The pact happens", "0 no, 1 yes", "policy"),
    ("noise.first", "A number without influence", "USD per tonne", "data"),
    ("noise.second", "Another number without influence", "ratio", "data"),
]
YEARS = (2030, 2033, 2035)
KINDS = {"oat": ("at_low", "at_high", "swing"), "grid": ("range_of_means",), "lhs": ("prcc",),
         "morris": ("mu_star", "mu", "sigma"), "sobol": ("first", "total", "second")}


def inputs(rows: int, seed: int = 1) -> pd.DataFrame:
    """Draw the factors."""
    rng = np.random.default_rng(seed)
    u = rng.random((rows, len(FACTORS)))
    return pd.DataFrame({
        "growth.elasticity": 0.4 + 0.8 * u[:, 0], "pact.utilisation": u[:, 1],
        "pact.start": np.floor(2026 + 8 * u[:, 2]), "pact.happens": (u[:, 3] > 0.5).astype(float),
        "noise.first": 100 * u[:, 4], "noise.second": u[:, 5]})


def turnover(table: pd.DataFrame, seed: int = 1, mixed: float = 0.08) -> np.ndarray:
    """Above 500 million where growth and use are high, but for a few cases at random."""
    rng = np.random.default_rng(seed + 1)
    inside = (table["growth.elasticity"] > 0.84) & (table["pact.utilisation"] > 0.7)
    hit = inside.to_numpy() ^ (rng.random(len(table)) < mixed)
    return np.where(hit, 600e6, 300e6) + 50e6 * rng.random(len(table))


def write(folder: Path, method: str = "lhs", rows: int = 1000, seed: int = 1,
          failed: int = 0) -> Path:
    """Write the folder of a sweep."""
    folder.mkdir(parents=True, exist_ok=True)
    table = inputs(rows, seed)
    value = turnover(table, seed)
    outputs = []
    for case, year in product(("reference", "scenario", "effect"), YEARS):
        column = value if case == "scenario" else value - 100e6 if case == "reference" else \
            100e6 * table["pact.utilisation"] * table["pact.happens"]
        outputs.append({"name": f"turnover|right|{case}|{year}", "title": "Turnover",
                        "unit": "USD"})
        table[outputs[-1]["name"]] = np.asarray(column)
    if method == "grid":
        table = table.assign(**{name: np.round(3 * table[name]) for name in
                                ("pact.utilisation", "noise.second")})
    if failed:
        table.loc[:failed - 1, [item["name"] for item in outputs]] = np.nan
    table.insert(0, "row", np.arange(rows))
    table.insert(1, "block", np.arange(rows))
    table.to_csv(folder / "table.csv.gz", index=False)
    about = {
        "format": 1, "method": method, "n": rows, "rows": rows, "seed": seed, "blocks": rows,
        "run_id": "feedbeefcafe0123", "command": f"tradesim sweep mine --method {method}",
        "scenario": {"name": "mine", "title": "A pact", "question": "Does it pay?"},
        "noise": False, "target": {"value": 500e6, "count": "right"},
        "counts": {"right": "Right's count"}, "outputs": outputs,
        "factors": [{"name": name, "title": title, "unit": unit, "group": group,
                     "low": float(table[name].min()), "high": float(table[name].max()),
                     "source": "made up", "grade": "C"} for name, title, unit, group in FACTORS],
        "failed": [{"row": row, "reason": "no solution", "inputs": {"noise.first": 1.5}}
                   for row in range(failed)]}
    (folder / "sweep.json").write_text(json.dumps(about), encoding="utf-8")
    indices(method, [item["name"] for item in outputs]).to_csv(folder / "indices.csv", index=False)
    return folder


def indices(method: str, outputs: list[str]) -> pd.DataFrame:
    """Give plausible indices, falling from factor to factor; the last is noise."""
    names = [name for name, *_ in FACTORS]
    scale = 100e6 if method in ("oat", "grid", "morris") else 0.8
    rows = []
    for output, kind in product(outputs, KINDS.get(method, ())):
        if kind == "second":
            rows.append((method, output, f"{names[0]} × {names[1]}", kind, 0.2, 0.1, 0.3, "yes"))
            continue
        for place, name in enumerate(names):
            value = scale * 0.5**place
            clear = place < len(names) - 1
            half = 0.3 * value if clear else 2 * value
            rows.append((method, output, name, kind, value, value - half, value + half,
                         "yes" if clear else "no"))
    return pd.DataFrame(rows, columns=["method", "output", "factor", "index", "value", "low",
                                       "high", "distinguishable"]).assign(more_runs_needed=1200)
