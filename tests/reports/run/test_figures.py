from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg

import fake_results
from tradesim.common.files import calibration_folder
from tradesim.inputs.pair import read_pair
from tradesim.reports.figure_style import save, style, styled
from tradesim.reports.run.figures import FIGURES, figures
from tradesim.reports.run.view import ResultsView

# Share of a label's own area that a neighbour may cover: boxes are drawn a little larger than ink.
OVERLAP = 0.15


@pytest.fixture(scope="module")
def pair():
    return read_pair(calibration_folder())


def make(pair, **settings) -> ResultsView:
    history, posterior = fake_results.past(pair.importers, pair.reporters)
    data = fake_results.dataset(list(pair.importers), list(pair.exporters), list(pair.groups),
                                list(pair.counts), **settings)
    return ResultsView(data, pair, history, posterior)


def draw(view, *names):
    """Draw some figures of a run, or all."""
    return {name: styled(one, view.run_id) for name, one in figures(view).items()
            if name in names or not names}


@pytest.fixture(scope="module")
def view(pair):
    """A run with everything in it, which no test changes."""
    return make(pair)


@pytest.fixture(scope="module")
def drawn(view):
    return draw(view)


@pytest.fixture(scope="module")
def shown(drawn):
    """Texts of each figure with the boxes that they take; each figure is drawn once."""
    return {name: texts(figure) for name, figure in drawn.items()}


def texts(figure):
    with style():
        figure.set_dpi(100)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        found = [text for text in figure.findobj(mpl.text.Text)
                 if text.get_visible() and text.get_text().strip()]
        boxes = [(text, text.get_window_extent(canvas.get_renderer())) for text in found]
    return [(text, box) for text, box in boxes if box.width * box.height > 0]


def on_an_axis_in_view(figure, text, box):
    """Whether a text is drawn: tick labels outside their axes are not."""
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            labels = [*axis.get_ticklabels(), *axis.get_ticklabels(minor=True)]
            if text in labels:
                centre = ((box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2)
                frame = axes.get_window_extent()
                return (frame.x0 - 1 <= centre[0] <= frame.x1 + 1 if axis is axes.xaxis
                        else frame.y0 - 1 <= centre[1] <= frame.y1 + 1)
    return True


@pytest.mark.parametrize("name", FIGURES)
def test_value_axes_name_their_unit(drawn, name):
    for axes in drawn[name].axes:
        labels = f"{axes.get_ylabel()} {axes.get_xlabel()}"
        shared = " ".join(other.get_ylabel() + other.get_xlabel() for other in drawn[name].axes)
        assert "USD million" in (labels + shared) or "%" in labels


@pytest.mark.parametrize("name", ["fan", "history", "effect", "groups", "probability",
                                  "directions"])
def test_counts_are_named(shown, name, pair):
    words = " ".join(" ".join(text.get_text().split()) for text, _ in shown[name])
    assert next(iter(pair.counts.values())).title in words


@pytest.mark.parametrize("name", FIGURES)
def test_no_text_overlaps_another_or_leaves_the_page(drawn, shown, name):
    figure = drawn[name]
    seen = [(text, box) for text, box in shown[name] if on_an_axis_in_view(figure, text, box)]
    page = figure.bbox
    for i, (text, box) in enumerate(seen):
        assert box.x0 >= page.x0 - 2, text.get_text()
        assert box.x1 <= page.x1 + 2, text.get_text()
        assert box.y0 >= page.y0 - 2, text.get_text()
        assert box.y1 <= page.y1 + 2, text.get_text()
        for other, second in seen[i + 1:]:
            width = min(box.x1, second.x1) - max(box.x0, second.x0)
            height = min(box.y1, second.y1) - max(box.y0, second.y0)
            if width > 0 and height > 0:
                smaller = min(box.width * box.height, second.width * second.height)
                assert width * height < OVERLAP * smaller, (text.get_text(), other.get_text())


@pytest.mark.parametrize("name", FIGURES)
def test_letters_can_be_read_at_half_a_page(drawn, shown, name):
    width = drawn[name].get_size_inches()[0]
    for text, _ in shown[name]:
        assert text.get_fontsize() * 6.7 / width >= 7


def test_bytes_depend_on_nothing_but_the_results(view, tmp_path):
    for folder, setting in (("one", {}), ("two", {"font.size": 20, "svg.fonttype": "path"})):
        (tmp_path / folder).mkdir()
        with mpl.rc_context(setting):
            for name in ("fan", "groups"):
                save(draw(view, name)[name], name, tmp_path / folder)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes(), path.name


def test_readers_settings_stay_as_they_were(pair):
    before = dict(mpl.rcParams)
    draw(make(pair, draws=20))
    assert dict(mpl.rcParams) == before


def test_nothing_to_show_without_a_change(pair):
    assert list(figures(make(pair, size=0.0))) == ["fan", "history", "probability", "directions"]


def test_fan_shows_quantiles_target_and_reported_values(drawn, view):
    axes = drawn["fan"].axes[0]
    middle = np.median(view.draws("turnover", "reference", count=view.count), axis=0)
    assert any(len(line.get_ydata()) == len(middle) + 1
               and np.allclose(line.get_ydata()[1:], middle) for line in axes.lines)
    assert any(np.allclose(line.get_ydata(), 500.0) for line in axes.lines)
    assert any(np.allclose(line.get_ydata(), view.reported(view.count).sum(axis=1))
               for line in axes.lines if len(line.get_ydata()) == len(view.history.years))
    assert axes.get_ylim()[1] > 500


def test_the_other_count_can_lead(pair):
    view = make(pair)
    other = view.counts[1]
    view.dataset.attrs["count"] = other
    figure = draw(view, "fan")["fan"]
    assert figure.axes[0].get_title(loc="left") == pair.counts[other].title


def test_missing_reports_and_a_short_horizon_can_be_drawn(pair):
    view = make(pair, draws=20, horizon=2028)
    view.history.log_value[3, :, 1] = np.nan
    for figure in draw(view).values():
        FigureCanvasAgg(figure).draw()


def test_labels_at_line_ends_keep_apart(pair):
    figure = draw(make(pair, size=0.01, draws=50), "probability")["probability"]
    heights = sorted(text.xy[1] for text in figure.axes[0].texts)
    assert min(np.diff(heights)) > 0.1


def test_groups_are_ranked_by_their_average_and_empty_ones_left_out(pair):
    view = make(pair, draws=60)
    for axes, importer in zip(draw(view, "groups")["groups"].axes, pair.importers,
                              strict=True):
        widths = [bar.get_width() for bar in axes.patches]
        change = view.change("trade", "if_implemented", count=view.count, year=view.last,
                              importer=importer).mean(axis=0)
        own = widths[:-1] if len(widths) <= (np.abs(change) > 0).sum() - 1 else widths
        assert np.allclose(np.abs(own), np.sort(np.abs(change))[::-1][:len(own)])
        assert sum(widths) == pytest.approx(change.sum())
        assert all(widths)


def test_a_direction_without_change_has_no_bars(pair):
    view = make(pair, draws=20)
    trade = view.dataset["trade"]
    trade[{"importer": 1}] = trade[{"importer": 1, "case": 0}]
    axes = draw(view, "groups")["groups"].axes[1]
    assert not axes.patches
    assert "no group changes" in [text.get_text() for text in axes.texts]


@pytest.mark.parametrize("size", [1e-3, 0.05, 1.0, 20.0])
def test_bars_have_few_ticks(pair, size):
    for figure in draw(make(pair, draws=20, size=size), "groups", "gains").values():
        for axes in figure.axes:
            low, high = axes.get_xlim()
            assert sum(low <= tick <= high for tick in axes.get_xticks()) <= 4


def test_one_draw_shows_no_ranges_and_no_probability(pair):
    point = make(pair, draws=1)
    assert "probability" not in figures(point)
    for figure in draw(point, "fan", "effect", "directions").values():
        assert not [text for text, _ in texts(figure) if "range" in text.get_text()]


def test_both_lines_of_the_effect_are_averages(drawn, view):
    lines = [line.get_ydata() for line in drawn["effect"].axes[0].lines]
    for case in ("scenario", "if_implemented"):
        mean = view.change("turnover", case, count=view.count).mean(axis=0)
        assert any(len(line) == len(mean) and np.allclose(line, mean) for line in lines)
