"""The explorer in a real browser: what a reader does, and what must not happen."""

import json
import re
import shlex
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner

from small_explorer import DRAWS
from tradesim.cli.app import cli
from tradesim.inputs.parameters import Cube
from tradesim.reports.explore.page import write
from tradesim.reports.language import speak
from tradesim.simulation.draws import SCENARIO, draw_all
from tradesim.simulation.model import ask, simulate
from tradesim.studies.explore.cards import Package, Pull
from tradesim.studies.explore.responses import ACCOUNT_DRAWS

PACKAGE = ("#1;growth=record;year=2035;target=400;eaeu_interim=0,2027,0.8,0.5;"
           "eaeu_fta=1,2030,0.5,;veterinary_recognition=0,2027,0.5,;investment=0,2028,0.4,12;"
           "oil_products=1,2030,0.6,100000;corridor_closure=1,2032,1,0.2")


api = pytest.importorskip("playwright.sync_api", reason="needs the package playwright")


def numbers(page):
    return page.evaluate("tradesim.page.numbers")


def hash_of(page):
    return page.evaluate("location.hash")


def settle(page):
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_the_page_computes_what_the_emulator_does(opened, explorer):
    found = numbers(opened(PACKAGE))
    package = Package({
        "eaeu_interim": Pull(0, 2027, 0.8, 0.5), "eaeu_fta": Pull(1, 2030, 0.5),
        "veterinary_recognition": Pull(0, 2027, 0.5), "investment": Pull(0, 2028, 0.4, 12.0),
        "oil_products": Pull(1, 2030, 0.6, 100_000.0),
        "corridor_closure": Pull(1, 2032, 1.0, 0.2)}, "record")
    without, turnover = (flows.sum(axis=0) for flows in explorer.emulator.flows(package))
    levels = [0.1, 0.25, 0.5, 0.75, 0.9]
    for name, values in (("level", turnover), ("reference", without),
                         ("change", turnover - without)):
        expected = np.column_stack([np.quantile(values, levels, axis=1).T, values.mean(axis=1)])
        np.testing.assert_allclose(found[name], expected, rtol=2e-4, atol=0.02)
    assert found["chance"] == pytest.approx((turnover[-1] >= 400).mean(), abs=1 / DRAWS)
    assert found["without"] == pytest.approx((without[-1] >= 400).mean(), abs=1 / DRAWS)


def test_a_lever_is_switched_on_and_its_handle_dragged(opened):
    page = opened()
    assert "Nothing is chosen yet" in page.inner_text("#more")
    page.check("#on-veterinary_recognition")
    settle(page)
    before = numbers(page)["change"][-1][5]
    handle = page.locator("[data-lever=veterinary_recognition] input[type=range]").nth(1)
    handle.scroll_into_view_if_needed()
    box = handle.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    seen = set()
    for step in range(1, 11):
        page.mouse.move(box["x"] + box["width"] * (0.5 + 0.05 * step),
                        box["y"] + box["height"] / 2)
        settle(page)
        seen.add(page.inner_text("#tile-change"))
    page.mouse.up()
    settle(page)
    assert len(seen) > 5
    assert numbers(page)["change"][-1][5] > 1.5 * before
    assert "veterinary_recognition=0,2027,1," in hash_of(page)


def test_everything_can_be_done_from_the_keyboard(opened):
    page = opened()
    page.focus("#on-altai_road")
    page.keyboard.press("Space")
    settle(page)
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    settle(page)
    assert "altai_road=0,2032,0.3," in hash_of(page)
    page.keyboard.press("Control+z")
    settle(page)
    assert "altai_road=0,2031,0.3," in hash_of(page)
    page.keyboard.press("Control+Shift+z")
    settle(page)
    assert "altai_road=0,2032,0.3," in hash_of(page)
    page.focus("#growth-published")
    page.keyboard.press("ArrowDown")
    settle(page)
    assert "growth=record" in hash_of(page)
    for control in page.query_selector_all("button, select, summary, input"):
        if control.is_visible() and control.is_enabled():
            control.focus()
            assert control.evaluate("(one) => one === document.activeElement")


def test_every_control_has_a_name(opened):
    page = opened(PACKAGE)
    assert page.evaluate("""[...document.querySelectorAll('input, select')].filter((one) =>
        !(one.labels?.length && one.labels[0].textContent.trim())).map((one) => one.id)""") == []
    assert page.evaluate("""[...document.querySelectorAll('[role=img]')].filter((one) =>
        !one.getAttribute('aria-label')).length""") == 0


def test_undo_redo_and_reset(opened):
    page = opened()
    first = page.inner_text("#headline")
    page.check("#on-investment")
    page.check("#growth-record")
    settle(page)
    last = hash_of(page)
    page.click("#undo")
    page.click("#undo")
    settle(page)
    assert page.inner_text("#headline") == first
    assert page.is_disabled("#undo")
    page.click("#redo")
    page.click("#redo")
    settle(page)
    assert hash_of(page) == last
    page.click("#reset")
    settle(page)
    assert page.inner_text("#headline") == first


def test_a_later_stage_brings_the_first_and_goes_with_it(opened):
    page = opened()
    page.check("#on-eaeu_fta")
    settle(page)
    assert page.is_checked("#on-eaeu_interim")
    page.uncheck("#on-eaeu_interim")
    settle(page)
    assert not page.is_checked("#on-eaeu_fta")


def test_a_link_opens_the_same_page(opened):
    page = opened(PACKAGE)
    page.check("#on-altai_road")
    settle(page)
    again = opened(hash_of(page))
    assert numbers(again) == numbers(page)
    assert again.is_checked("#on-altai_road")


@pytest.mark.parametrize(("link", "reason"), [
    ("#1;growth=published;rubbish=1", "unknown lever rubbish"),
    ("#1;eaeu_interim=0,2026,7,", "eaeu_interim is out of range"),
    ("#1;eaeu_interim=5,2026,0.5,", "eaeu_interim is out of range"),
    ("#1;eaeu_interim=0,1999,0.5,", "eaeu_interim is out of range"),
    ("#1;growth=MNG:99", "growth MNG is out of range"),
    ("#1;target=-5", "target is out of range"),
    ("#1;altai_road", "unknown lever"),
    ("#2;growth=record", "newer version"),
    ("#%E0%A4%A", "not a link of this page"),
    ("#<script>alert(1)</script>", "not a link of this page")])
def test_a_bad_link_opens_the_default_and_says_so(opened, link, reason):
    page = opened(link)
    assert reason in page.inner_text("#notice")
    assert "Nothing is chosen yet" in page.inner_text("#more")


def test_a_link_without_some_parts_still_opens(opened):
    page = opened("#1;altai_road=0,2031,0.4,")
    assert page.is_hidden("#notice")
    assert numbers(page)["change"][-1][5] > 0


def test_the_scenario_downloaded_runs_and_agrees(opened, explorer, tmp_path):
    page = opened(PACKAGE)
    page.click(".menu summary")
    with page.expect_download() as download:
        page.click("#yaml")
    path = tmp_path / "scenario.yaml"
    download.value.save_as(path)
    assert CliRunner().invoke(cli, ["check", str(path)]).exit_code == 0

    scenario, described = ask(explorer.base, path)
    assert (scenario.draws, scenario.target_usd) == (DRAWS, 400e6)
    draws = draw_all(explorer.base, scenario, Cube.random(DRAWS, scenario.seed))
    run = simulate(explorer.base, scenario, draws, variables=("turnover",))["turnover"].sel(
        count=described["count"], year=2035) / 1e6
    found = numbers(page)
    for case, name in (("reference", "reference"), (SCENARIO, "level")):
        quantiles = np.quantile(run.sel(case=case), [0.1, 0.25, 0.5, 0.75, 0.9])
        np.testing.assert_allclose(found[name][-1][:5], quantiles, rtol=0.03)
    assert found["without"] == float((run.sel(case="reference") >= 400).mean())
    assert found["chance"] == pytest.approx(float((run.sel(case=SCENARIO) >= 400).mean()),
                                            abs=0.012)


def test_the_command_copied_asks_for_the_same(opened, explorer, tmp_path):
    page = opened(PACKAGE)
    yaml = page.evaluate("tradesim.yaml()")
    path = tmp_path / "scenario.yaml"
    path.write_text(yaml, encoding="utf-8")
    words = shlex.split(page.evaluate("tradesim.command()"))
    assert words[:3] == ["tradesim", "run", "base"]
    sets = [word for word in words[3:] if word != "--set"]
    by_command, by_file = ask(explorer.base, "base", sets)[0], ask(explorer.base, path)[0]
    for key in ("levers", "growth", "draws", "seed", "target_usd", "horizon"):
        assert getattr(by_command, key) == getattr(by_file, key)


def test_pictures_are_made(opened, tmp_path):
    page = opened(PACKAGE)
    page.click(".menu summary")
    for name, start in (("png", b"\x89PNG"), ("svg", b"<svg")):
        with page.expect_download() as download:
            page.click(f"#{name}")
        path = tmp_path / name
        download.value.save_as(path)
        assert path.read_bytes().startswith(start)
        assert path.stat().st_size > 5000


def test_a_phone_has_one_column_and_the_three_numbers_stay(opened):
    page = opened(PACKAGE, 390, 844, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.evaluate("document.querySelector('[data-lever=investment]').scrollIntoView()")
    settle(page)
    tiles = page.locator(".tiles").bounding_box()
    assert -2 <= tiles["y"] <= 10
    assert tiles["height"] < 100
    for name in ("chance", "level", "change"):
        assert page.locator(f"#tile-{name}").is_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(opened, scheme):
    page = opened(PACKAGE, color_scheme=scheme)
    ratios = page.evaluate("""(() => {
        const style = getComputedStyle(document.documentElement);
        const light = (name) => {
            const hex = style.getPropertyValue(name).trim().slice(1);
            const full = hex.length === 3 ? [...hex].map((c) => c + c).join('') : hex;
            const [r, g, b] = [0, 2, 4].map((i) => parseInt(full.slice(i, i + 2), 16) / 255)
                .map((v) => (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
        };
        return Object.fromEntries(['--ink', '--quiet', '--main', '--loss'].map((name) => {
            const [a, b] = [light(name), light('--soft')].sort((x, y) => y - x);
            return [name, (a + 0.05) / (b + 0.05)];
        }));
    })()""")
    assert min(ratios.values()) >= 4.5, ratios


def test_the_answer_is_read_out_when_the_hand_rests(opened):
    page = opened()
    page.check("#on-investment")
    api.expect(page.locator("#spoken")).to_contain_text("without")
    assert page.get_attribute("#spoken", "aria-live") == "polite"


def test_who_gains_and_which_goods_add_up(opened):
    page = opened(PACKAGE)
    total = page.evaluate("tradesim.page.answers.groups().flat().reduce((a, b) => a + b, 0)")
    assert total == pytest.approx(numbers(page)["change"][-1][5], rel=0.01)
    gains = page.evaluate("tradesim.page.answers.gains()")
    assert len(gains) == 8
    assert all(one["low"] <= one["mean"] <= one["high"] for one in gains)


def test_products_are_shown_when_asked_for(opened, explorer):
    page = opened(PACKAGE)
    page.click("#by-product summary")
    settle(page)
    shown = page.locator("#products .row:visible")
    assert 0 < shown.count() < 2 * len(explorer.base.pair.products)
    changes = page.evaluate("tradesim.page.answers.products()")
    assert max(abs(value) for row in changes for value in row) > 0.1


def test_who_gains_is_what_the_accounts_say(opened, explorer):
    page = opened("#1;eaeu_interim=0,2026,0.9,;eaeu_fta=0,2029,0.5,")
    found = page.evaluate("tradesim.page.answers.gains().map((one) => one.mean)")
    scenario, _ = ask(explorer.base, "eaeu_fta", draws=DRAWS)
    drawn = draw_all(explorer.base, scenario, Cube.random(DRAWS, scenario.seed))
    few = {name: values[:ACCOUNT_DRAWS] for name, values in drawn.items()}
    run = simulate(explorer.base, scenario, few, variables=("welfare", "tariff_revenue"))
    change = (run.sel(case=SCENARIO) - run.sel(case="reference")).sel(year=2035).mean("draw") / 1e6
    accounts = [*change["welfare"].to_numpy(), *change["tariff_revenue"].to_numpy()]
    np.testing.assert_allclose(found[:4], accounts, rtol=0.02, atol=0.05)


def test_hostile_texts_are_shown_and_never_run(opened, explorer, tmp_path):
    evil = "</script><script>window.hurt = 1</script><img src=x onerror='window.hurt = 1'>"
    card = explorer.emulator.cards["investment"]
    source = card.lever.sources[0].model_copy(
        update={"title": evil, "url": "javascript:window.hurt=1"})
    lever = card.lever.model_copy(update={"title": evil, "state": evil, "sources": [source]})
    cards = {**explorer.emulator.cards, "investment": replace(card, lever=lever)}
    presets = (replace(explorer.presets[0], title=evil, question=evil), *explorer.presets[1:])
    pair = explorer.base.pair.model_copy(update={"title": evil})
    path = tmp_path / "evil.html"
    write(replace(explorer, emulator=replace(explorer.emulator, cards=cards), presets=presets,
                  base=replace(explorer.base, pair=pair)), path, evil)
    page = opened(file=path)
    page.check("#on-investment")
    page.click("[data-lever=investment] summary")
    assert page.evaluate("window.hurt") is None
    assert evil in page.inner_text("[data-lever=investment] .head label")
    assert page.locator("[data-lever=investment] details a").count() == 0
    assert page.evaluate("document.images.length") == 0


def test_data_of_the_page_are_json_without_marks(page_file):
    text = page_file.read_text(encoding="utf-8")
    data = text.split('id="data">')[1].split("</script>")[0]
    assert "<" not in data
    assert json.loads(data)["draws"] == DRAWS
    code = text.split("<script>")[1]
    for known in ("http://www.w3.org/2000/svg", "https?:"):  # a name, and a test of addresses
        code = code.replace(known, "")
    assert "http" not in code


@pytest.mark.parametrize(("code", "word", "number"), [
    ("ru", "вероятность", r"[−+]\d+,\d"), ("kk", "ықтималдығы", r"[−+]\d+,\d"),
    ("mn", "магадлал", r"[−+]\d+\.\d")])
def test_other_languages_write_their_own_numbers(opened, explorer, tmp_path, code, word, number):
    path = tmp_path / "page.html"
    with speak(code):
        write(explorer, path, "tradesim explore")
    page = opened(PACKAGE, file=path)
    assert word in page.inner_text("#headline")
    assert re.fullmatch(number, page.inner_text("#tile-change"))
    assert page.get_attribute("html", "lang") == code


def test_the_page_is_light(page_file):
    """A page with every lever and four times the draws must stay below 1.2 MB."""
    assert page_file.stat().st_size < 400_000


def test_the_map_shows_what_each_route_carries(opened, explorer):
    page = opened(PACKAGE)
    rows = page.locator("#map-key li").all_inner_texts()
    assert len(rows) == len(explorer.base.pair.routes)
    loads = page.evaluate("tradesim.page.answers.routes()")
    for place, key in enumerate(("reference", "level")):
        assert sum(load[place] for load in loads) == pytest.approx(numbers(page)[key][-1][5],
                                                                   rel=0.01)
