"""The explorer with the model behind it: a server on this machine that answers as a run does."""

import json
import socket
import threading
import time
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import numpy as np
import pytest

from small_explorer import DRAWS
from tradesim.common.errors import InputError
from tradesim.inputs.parameters import Cube
from tradesim.reports.explore import live
from tradesim.simulation.draws import SCENARIO, draw_all
from tradesim.simulation.model import ask, simulate
from tradesim.studies.explore.exact import asked

uvicorn = pytest.importorskip("uvicorn", reason="needs the extra [web]")
pytest.importorskip("starlette", reason="needs the extra [web]")

PULLS = {"eaeu_interim": {"variant": 0, "start": 2026, "chance": 0.9, "strength": None},
         "eaeu_fta": {"variant": 0, "start": 2029, "chance": 0.5, "strength": None}}
QUESTION = {"growth": "published", "year": 2035, "target": 500.0, "pulls": PULLS}


@pytest.fixture(scope="module")
def address(explorer):
    listener = socket.socket()
    listener.bind((live.HOST, 0))
    server = uvicorn.Server(uvicorn.Config(live.application(explorer, "tradesim explore --live"),
                                           log_level="error"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://{live.HOST}:{listener.getsockname()[1]}/"
    server.should_exit = True
    thread.join(10)
    listener.close()


def post(address, question, **headers):
    body = question if isinstance(question, bytes) else json.dumps(question).encode()
    request = Request(f"{address}answer", body, {"Content-Type": "application/json", **headers})
    with urlopen(request, timeout=60) as answer:
        return json.load(answer)


def refusal(address, question, **headers):
    with pytest.raises(HTTPError) as error:
        post(address, question, **headers)
    with error.value as answer:
        return answer.code, answer.read().decode()


def test_the_server_answers_as_a_run_does(explorer, address):
    found = post(address, QUESTION)
    scenario, described = ask(explorer.base, "eaeu_fta", draws=DRAWS)
    draws = draw_all(explorer.base, scenario, Cube.random(DRAWS, scenario.seed))
    run = simulate(explorer.base, scenario, draws, variables=("turnover",))["turnover"].sel(
        count=described["count"], case=SCENARIO).transpose("year", "draw").to_numpy() / 1e6
    levels = [0.1, 0.25, 0.5, 0.75, 0.9]
    np.testing.assert_allclose(np.array(found["level"])[:, :5],
                               np.quantile(run, levels, axis=1).T, rtol=1e-9)
    assert found["chance"] == (run[-1] >= 500.0).mean()


@pytest.mark.parametrize(("change", "said"), [
    ({"pulls": {"nothing": PULLS["eaeu_fta"]}}, "unknown lever"),
    ({"pulls": {"eaeu_fta": PULLS["eaeu_fta"]}}, "needs the lever 'eaeu_interim'"),
    ({"pulls": {"eaeu_interim": {**PULLS["eaeu_interim"], "chance": 2}}}, "eaeu_interim"),
    ({"pulls": {"eaeu_interim": {**PULLS["eaeu_interim"], "strength": 9}}}, "eaeu_interim"),
    ({"pulls": {"eaeu_interim": {}}}, "cannot be read"),
    ({"pulls": []}, "cannot be read"),
    ({"growth": "wild"}, "growth"), ({"growth": {"KAZ": 900}}, "growth"),
    ({"year": 1999}, "year"), ({"target": "much"}, "cannot be read")])
def test_what_the_page_may_not_ask_is_refused(explorer, address, change, said):
    code, text = refusal(address, QUESTION | change)
    assert (code, said in text) == (400, True)
    with pytest.raises(InputError, match=said):
        asked(QUESTION | change, explorer.emulator.cards, explorer.base.pair.importers,
              explorer.emulator.years)


def test_strangers_are_not_answered(address):
    assert refusal(address, QUESTION, Host="evil.example")[0] == 400
    assert refusal(address, QUESTION, **{"Content-Type": "text/plain"})[0] == 415
    assert refusal(address, b"{" * 10)[0] == 400
    assert refusal(address, b"[" * 200_000)[0] == 400


def until_checked(page):
    """Wait for the mark, 20 seconds at most."""
    mark = page.locator("#mark")
    for _ in range(200):
        if mark.inner_text() == "checked by the model":
            break
        page.wait_for_timeout(100)
    assert mark.inner_text() == "checked by the model"


def test_the_page_marks_what_the_model_has_checked(browser, address):
    page = browser.new_page()
    wrong, asked_for = [], []
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error"
            else None)
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(address)
    until_checked(page)  # the start is checked too
    with page.expect_response("**/answer"):
        page.check("#on-eaeu_fta")
    until_checked(page)
    page.evaluate("new Promise((done) => requestAnimationFrame(done))")
    found = page.evaluate("tradesim.page.numbers")
    exact = post(address, QUESTION | {"pulls": {
        name: {**pull, "chance": {"eaeu_interim": 0.9, "eaeu_fta": 0.5}[name]}
        for name, pull in PULLS.items()}})
    assert found["level"] == exact["level"]
    assert wrong == []
    assert {url.split("/")[2] for url in asked_for if url.startswith("http")} == {
        address.split("/")[2]}
    page.close()
