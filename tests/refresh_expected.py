"""Write the expected files beside the scenarios again, and what is made from them.

That is the table of results in README and CHANGELOG, the answers in scenarios/README.md and the
agreements in docs/differences.md.

Run ``python tests/refresh_expected.py`` after a change that is meant to move results, look at
the difference, and say in CHANGELOG.md under Numbers what moved and why.
"""

import differences_table
import readme_table
import scenario_answers
from expected import compute, expected_file, scenarios


def main() -> None:
    """Write every file and print its name."""
    for scenario in scenarios():
        path = expected_file(scenario)
        compute(scenario).to_csv(path, index=False, float_format="%.10g", lineterminator="\n")
        print(path)
    print(*readme_table.refresh(), scenario_answers.refresh(), differences_table.refresh(),
          sep="\n")


if __name__ == "__main__":
    main()
