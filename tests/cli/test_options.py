"""Options: how they repeat a command, and that zero is a value."""

import shlex

import click
import pytest
from click.testing import CliRunner

from tradesim.cli.options import repeat_command
from tradesim.cli.sweep import _wish


@click.command()
@click.argument("scenario")
@click.option("--seed", type=int, default=1)
@click.option("--target", type=float)
@click.option("--set", "overrides", multiple=True)
@click.option("--pairs/--no-pairs", default=None)
@click.option("--keep", is_flag=True)
@click.option("--probability", type=float, default=0.5)
@click.option("--out")
def study(**_):
    click.echo(repeat_command("out", always=("probability",)))


@pytest.mark.parametrize(("given", "repeated"), [
    ("", ""), ("--seed 0", "--seed 0"), ("--seed 1 --out here", ""),
    ("--target 400e6 --keep", "--target 400000000 --keep"), ("--no-pairs", "--no-pairs"),
    ("--set a=1 --set 'b=two words'", "--set a=1 --set 'b=two words'")])
def test_a_command_is_repeated_with_what_was_given(given, repeated):
    done = CliRunner().invoke(study, ["my file.yaml", *shlex.split(given)])
    expected = f"tradesim study 'my file.yaml' {repeated}".rstrip() + " --probability 0.5"
    assert done.output == expected + "\n"


def test_a_seed_of_zero_is_a_seed_for_a_sweep():
    asked = {"over": (), "seed": 0, "method": "lhs", "second": None, "noise": False}
    assert _wish("base", asked, listing=False).seed == 0
