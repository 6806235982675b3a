"""Sweeps over what is uncertain, and what drives the answer."""

MAIN_INDEX = {"oat": "swing", "grid": "range_of_means", "lhs": "prcc", "morris": "mu_star",
              "sobol": "total"}
"""By design, the index by which factors are ranked."""

METHODS = tuple(MAIN_INDEX)
"""Designs: one at a time, grid, Latin hypercube, Morris screening, Sobol indices."""
