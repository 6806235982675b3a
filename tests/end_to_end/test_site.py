"""The site: equations are drawn, in pages and in docstrings, and links that leave it are names."""

import importlib.util
import re
from pathlib import Path

import pytest

pytest.importorskip("latex2mathml", reason="needs the packages of the site: pip install '.[docs]'")
pytest.importorskip("griffe", reason="needs the packages of the site: pip install '.[docs]'")

ROOT = Path(__file__).parents[2]


def load(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "docs" / "site" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_block_keeps_its_number_and_leaves_no_latex():
    drawn = load("hooks").on_page_content(
        r'<div class="arithmatex">\[a_{i} = \frac{b}{c} &lt; 1 \tag{4}\]</div>')
    assert drawn.startswith('<div class="equation"><math')
    assert "<mfrac>" in drawn
    assert '<span class="number">(4)</span>' in drawn
    assert "\\" not in drawn


def test_an_equation_inside_a_line():
    drawn = load("hooks").on_page_content(r'<p>where <span class="arithmatex">\(\tau\)</span></p>')
    assert re.fullmatch(r"<p>where <math .*τ.*</math></p>|<p>where <math .*&#x003C4;.*</math></p>",
                        drawn)


@pytest.mark.parametrize("page", sorted((ROOT / "docs").glob("**/*.md")), ids=lambda p: p.stem)
def test_every_equation_of_a_page_can_be_drawn(page):
    convert = load("hooks").convert
    text = page.read_text(encoding="utf-8")
    for block in re.findall(r"\$\$(.+?)\$\$", text, re.S):
        assert "<math" in convert(re.sub(r"\\tag\{[^}]+\}", "", block))


def test_links_that_leave_the_site_are_names():
    mend = load("hooks").on_page_markdown
    assert mend("see [this](../scenarios/README.md)") == "see this (`scenarios/README.md`)"
    assert mend("see [that](model.md)") == "see [that](model.md)"


def test_equations_of_docstrings_are_written_as_those_of_pages():
    rewritten = load("docstring_math").rewritten
    text = "Give :math:`x`.\n\n    .. math:: a = b\n        + c\n\n    Then more."
    assert rewritten(text) == "Give $x$.\n\n    $$a = b + c$$\n\n    Then more."
    assert rewritten("With\n\n.. math::\n\n    a = b\n\nand") == "With\n\n$$a = b$$\n\nand"
