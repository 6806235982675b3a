"""Write the expected files beside the scenarios again, and the tables of results from them.

Run ``python tests/refresh_expected.py`` after a change that is meant to move results, look at
the difference, and say in CHANGELOG.md under Numbers what moved and why.
"""

from expected import compute, expected_file, scenarios
from readme_table import refresh


def main() -> None:
    """Write every file and print its name."""
    for scenario in scenarios():
        path = expected_file(scenario)
        compute(scenario).to_csv(path, index=False, float_format="%.10g", lineterminator="\n")
        print(path)
    print(*refresh(), sep="\n")


if __name__ == "__main__":
    main()
