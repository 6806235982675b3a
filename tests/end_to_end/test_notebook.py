"""The page for notebooks runs as written, block after block."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "notebook.md"


def test_the_page_runs_as_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^```python\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) >= 6
    names: dict[str, object] = {}
    for block in blocks:
        *lines, last = block.strip().split("\n")
        exec("\n".join(lines), names)
        try:
            shown = eval(last, names)
        except SyntaxError:
            exec(last, names)
        else:
            if shown is not None:
                print(repr(shown))
    printed = capsys.readouterr().out
    assert "'base'" in printed
    assert "Turnover, USD million" in printed
    assert re.search(r"^\d+\.\d million USD$", printed, re.M)
    assert "tradesim.Comparison" in printed
    assert "reference.elasticity_gdp" in printed
    assert (tmp_path / "results" / "fta" / "summary.csv").is_file()
