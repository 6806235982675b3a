"""A server on this machine that hands out the page and lets the model check its numbers."""

from __future__ import annotations

import json
import socket
import webbrowser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Any

from tradesim.common.errors import InputError, Problem
from tradesim.common.extras import install
from tradesim.reports.explore.page import page
from tradesim.studies.explore.build import Explorer
from tradesim.studies.explore.cards import Package
from tradesim.studies.explore.exact import answer, asked, prepared

HOST = "127.0.0.1"
LARGEST = 100_000
"""Bytes of a question beyond which it is not read."""


def needed() -> None:
    """Look for what the server is made of.

    Raises
    ------
    InputError
        When it is not installed.
    """
    try:
        import starlette
        import uvicorn
    except ImportError as error:
        raise InputError([Problem("--live", "", "needs Starlette and uvicorn",
                                  install("web"))]) from error
    del starlette, uvicorn


def application(explorer: Explorer, command: str) -> Any:
    """Make the server: the page at ``/``, the model at ``/answer``; for this machine only."""
    from starlette.applications import Starlette
    from starlette.concurrency import run_in_threadpool
    from starlette.middleware import Middleware
    from starlette.middleware.trustedhost import TrustedHostMiddleware
    from starlette.requests import Request
    from starlette.responses import HTMLResponse, JSONResponse, Response
    from starlette.routing import Route

    text, cards = page(explorer, command, live=True), explorer.emulator.cards
    ready, one_at_a_time = prepared(explorer), Lock()

    def solved(package: Package, target: float, year: int) -> dict[str, Any]:
        with one_at_a_time:
            return answer(explorer, ready, package, target, year)

    async def home(_: Request) -> Response:
        return HTMLResponse(text)

    async def model(request: Request) -> Response:
        # A page of another site cannot send this type without asking first, and is not answered.
        if request.headers.get("content-type", "").split(";")[0] != "application/json":
            return JSONResponse({"error": "JSON is expected"}, status_code=415)
        body = await request.body()
        try:
            if len(body) > LARGEST:
                raise ValueError("too long")
            package, target, year = asked(json.loads(body), cards, explorer.base.pair.importers,
                                          explorer.emulator.years)
        except (ValueError, InputError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        return JSONResponse(await run_in_threadpool(solved, package, target, year))

    return Starlette(
        routes=[Route("/", home), Route("/answer", model, methods=["POST"])],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])])


@contextmanager
def listening(port: int) -> Iterator[socket.socket]:
    """Hold `port`, or any free one where it is zero.

    Raises
    ------
    InputError
        When the port is taken.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as listener:
        try:
            listener.bind((HOST, port))
        except OSError as error:
            raise InputError([Problem("--port", str(port), f"cannot be used: {error.strerror}",
                                      "leave it out for any free port")]) from error
        yield listener


def serve(explorer: Explorer, command: str, listener: socket.socket, *, open_page: bool,
          say: Callable[[str], None]) -> None:
    """Serve until interrupted, on the port that `listening` holds."""
    import uvicorn

    application_ = application(explorer, command)
    address = f"http://{HOST}:{listener.getsockname()[1]}/"
    say(f"The explorer is at {address} (end with Ctrl-C)")
    if open_page:
        webbrowser.open(address)
    server = uvicorn.Server(uvicorn.Config(application_, log_level="warning"))
    server.run(sockets=[listener])
