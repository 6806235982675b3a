"""Write the expected files beside the scenarios again, and what is made from them.

That is the same results with few draws (tests/end_to_end/few_draws.csv), the table of results in
README and CHANGELOG, the answers in scenarios/README.md and the agreements in docs/differences.md.

Run ``python tests/refresh_expected.py`` after a change that is meant to move results, look at
the difference, and say in CHANGELOG.md under Numbers what moved and why.
"""

import sys
from pathlib import Path

import pandas as pd

sys.path.insert(0, str(Path(__file__).parent / "helpers"))

import differences_table
import readme_table
import scenario_answers
from expected import FEW_DRAWS, compute, compute_few, expected_file, scenarios


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table and print its name."""
    table.to_csv(path, index=False, float_format="%.10g", lineterminator="\n")
    print(path)


def main() -> None:
    """Write every file."""
    write(compute_few(), FEW_DRAWS)
    for scenario in scenarios():
        write(compute(scenario), expected_file(scenario))
    print(*readme_table.refresh(), scenario_answers.refresh(), differences_table.refresh(),
          sep="\n")


if __name__ == "__main__":
    main()
