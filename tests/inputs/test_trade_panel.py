"""Panels of other countries' trade: both layouts, and every mistake with its message."""

import numpy as np
import pandas as pd
import pytest

import made_up_panel as made
from tradesim.common.errors import InputError
from tradesim.inputs.trade_panel import read_panel

EXACT = 1e-9  # sums and logs of numbers written with all digits


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    return read_panel(made.write(tmp_path_factory.mktemp("panel")))


def refused(tmp_path, message, table=None, sizes=None, **options):
    with pytest.raises(InputError, match=message) as caught:
        read_panel(made.write(tmp_path, table, sizes), **options)
    return caught.value.problems


def test_turnover_is_both_directions_in_dollars_and_gdp_the_sum_of_logs(panel):
    table, size = made.trade(), made.gdp().set_index(["code", "year"])["gdp_usd"]
    row = table[(table["country_1"] == "CAA") & (table["country_2"] == "CCC")
                & (table["year"] == 1990)].iloc[0]
    place = panel.pairs.index(("CAA", "CCC")), panel.years.index(1990)
    total = 1e6 * (row["imports_1_from_2"] + row["imports_2_from_1"])
    assert panel.log_turnover[place] == pytest.approx(np.log(total), abs=EXACT)
    assert panel.log_gdp[place] == pytest.approx(
        np.log(size["CAA", 1990]) + np.log(size["CCC", 1990]), abs=EXACT)


def test_reported_flows_give_the_same_turnover(tmp_path, panel):
    other = read_panel(made.write(tmp_path, made.flows(made.trade())))
    assert len(other.pairs) == 2 * len(panel.pairs)
    rows = [other.pairs.index(pair) for pair in panel.pairs]
    np.testing.assert_allclose(other.log_turnover[rows], panel.log_turnover, atol=EXACT)


def test_groups_of_countries_that_never_report_are_left_out(tmp_path):
    table = made.flows(made.trade())
    world = table[table["reporter"] == "CAA"].groupby(
        ["year", "reporter", "flow", "unit"], as_index=False)["value"].sum().assign(partner="WLD")
    sizes = pd.concat([made.gdp(), made.gdp().query("code == 'CAA'").assign(code="WLD")])
    found = read_panel(made.write(tmp_path, pd.concat([table, world]), sizes))
    assert not any("WLD" in pair for pair in found.pairs)


def test_a_column_unit_is_believed(tmp_path, panel):
    table = made.trade().assign(unit="thousand USD")
    for name in ("imports_1_from_2", "imports_2_from_1"):
        table[name] *= 1000
    np.testing.assert_allclose(read_panel(made.write(tmp_path, table)).log_turnover,
                               panel.log_turnover, atol=EXACT)


def test_columns_that_are_missing_are_named_with_the_nearest(tmp_path):
    table = made.trade().rename(columns={"imports_1_from_2": "imports_1_2"}).drop(columns="year")
    problems = refused(tmp_path, r"imports_1_from_2: column missing; did you mean 'imports_1_2'\?",
                       table)
    assert {problem.key for problem in problems} == {"year", "imports_1_from_2"}


def test_cells_that_are_no_numbers_are_listed_with_their_line(tmp_path):
    table = made.trade().astype({"imports_1_from_2": object})
    table.loc[3, "imports_1_from_2"], table.loc[5, "imports_1_from_2"] = "n/a", -1.0
    problems = refused(tmp_path, "'n/a' is not a number", table)
    assert [(problem.line, problem.key) for problem in problems] == [
        (5, "imports_1_from_2"), (7, "imports_1_from_2")]


@pytest.mark.parametrize("turned", [False, True])
def test_a_pair_that_stands_twice_in_a_year_is_refused(tmp_path, turned):
    again = made.trade().iloc[[40]]
    if turned:
        again = again.rename(columns={"country_1": "country_2", "country_2": "country_1"})
    refused(tmp_path, "'1974, CAA, CCC' stands twice", pd.concat(
        [made.trade().sort_values(["country_1", "country_2"]), again]).reset_index(drop=True))


def test_a_file_given_twice_over_lists_some_rows_and_counts_the_rest(tmp_path):
    twice = pd.concat([made.trade(), made.trade()], ignore_index=True)
    problems = refused(tmp_path, f"and {len(made.trade()) - 10} more such cells", twice)
    assert len(problems) == 11


def test_two_states_under_one_code_before_it_has_a_gdp_do_no_harm(tmp_path):
    sizes = made.gdp()
    sizes = sizes[(sizes["code"] != "CAA") | (sizes["year"] >= 1980)]
    old = made.trade()
    old = old[(old["country_1"] == "CAA") & (old["year"] < 1980)]
    found = read_panel(made.write(tmp_path, pd.concat([made.trade(), old]), sizes))
    rows = [k for k, pair in enumerate(found.pairs) if "CAA" in pair]
    assert np.isnan(found.log_turnover[rows, :found.years.index(1980)]).all()


@pytest.mark.parametrize("factor", [1e3, 1e-3])
def test_trade_in_another_unit_than_expected_is_noticed_by_gdp(tmp_path, factor):
    table = made.trade()
    table[["imports_1_from_2", "imports_2_from_1"]] *= factor
    refused(tmp_path, "times its GDP .* about 0.5 is usual; one file is in another unit", table)


def test_a_gdp_in_millions_is_noticed_too(tmp_path):
    sizes = made.gdp()
    sizes["gdp_usd"] /= 1e6
    refused(tmp_path, "one file is in another unit", sizes=sizes)


def test_an_unknown_unit_and_flow_are_refused(tmp_path):
    refused(tmp_path, "unit: 'EUR' is unknown; known: USD, thousand USD, million USD",
            made.trade().assign(unit="EUR"))
    refused(tmp_path, "flow: 'balance' is unknown; known: export, import",
            made.flows(made.trade()).assign(flow="balance"))


def test_a_gdp_with_a_year_twice_is_refused(tmp_path):
    refused(tmp_path, "code, year: 'CAA, 1970' stands twice",
            sizes=pd.concat([made.gdp(), made.gdp().iloc[:1]], ignore_index=True))


def test_codes_of_another_kind_leave_nothing(tmp_path):
    refused(tmp_path, "no row has the GDP of both countries",
            sizes=made.gdp().assign(code=made.gdp()["code"].str.lower()))


def test_files_that_are_not_there_or_no_table(tmp_path):
    path, size = made.write(tmp_path), tmp_path / "gdp_current_usd.csv"
    for name, content, message in (("nowhere.csv", None, "nowhere.csv: --panel: file not found"),
                                   ("broken.csv.gz", b"no gzip", "is no CSV table"),
                                   ("empty.csv", b"", "the file is empty")):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match=message):
            read_panel(tmp_path / name, size)
    size.unlink()
    with pytest.raises(InputError, match=r"--gdp: no gdp_current_usd.csv.gz beside .*"
                                         "columns code, year, gdp_usd"):
        read_panel(path)


def test_a_pair_that_the_panel_lacks_is_named_with_the_nearest_code(panel):
    assert panel.rows_of("CCC", "CAA") == [panel.pairs.index(("CAA", "CCC"))]
    assert len(panel.without("CCC", "CAA").pairs) == len(panel.pairs) - 1
    with pytest.raises(InputError, match=r"CAA-CCB: the panel lacks this pair; did you mean "):
        panel.rows_of("CAA", "CCB")
