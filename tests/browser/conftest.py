"""Servers and a Chromium, which all browser tests share; each test is a new visitor."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from shared_data import shared

expect.set_options(timeout=30_000)  # a machine may be busy

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


@dataclass(frozen=True)
class Server:
    """A running server of the app."""

    url: str
    process: subprocess.Popen[bytes]

    def close(self) -> None:
        """End it."""
        self.process.terminate()
        self.process.wait(30)


def with_weights(home: Path) -> dict[str, str]:
    """A machine with the ImageNet weights."""
    return {"CAMCORE_WEIGHTS": str(shared("weights")), "CAMCORE_HOME": str(home), "CAMCORE_CACHE": str(home)}


def bare(home: Path) -> dict[str, str]:
    """A machine that has the bundled network, two Python functions that make networks, and nothing else."""
    places = ("CAMCORE_HOME", "CAMCORE_WEIGHTS", "KERAS_HOME", "CAMCORE_CACHE")
    functions = "shapes=own_models:page_subclassed,raises=own_models:raises"
    return {**dict.fromkeys(places, str(home)), "CAMCORE_MODELS": functions, "PYTHONPATH": str(ROOT / "tests")}


Machine = Callable[[Path], dict[str, str]]


def started(environment: dict[str, str]) -> Server:
    """A fresh server with these environment variables, once it answers."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless", "true"]
    process = subprocess.Popen(
        [*command, "--server.port", str(port), "--server.address", "127.0.0.1"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    server = Server(f"http://127.0.0.1:{port}", process)
    end = time.monotonic() + 60
    while True:
        try:
            urllib.request.urlopen(f"{server.url}/_stcore/health", timeout=1)
            return server
        except OSError:
            assert process.poll() is None, "the server did not start"
            assert time.monotonic() < end, "the server does not answer"
            time.sleep(0.1)


@pytest.fixture(scope="package")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """The address of a server on a kind of machine: one for all tests, and a fresh one in its place when asked for."""
    servers: dict[Machine, Server] = {}

    def address(machine: Machine, fresh: bool = False) -> str:
        running = servers.get(machine)
        if running is not None and (fresh or running.process.poll() is not None):
            servers.pop(machine).close()
        if machine not in servers:
            servers[machine] = started(machine(tmp_path_factory.mktemp("home")))
        return servers[machine].url

    yield address
    for server in servers.values():
        server.close()


@pytest.fixture
def address(serve: Callable[..., str]) -> str:
    """A server with the ImageNet weights."""
    return serve(with_weights)


@pytest.fixture
def cold_address(serve: Callable[..., str]) -> str:
    """A server with the ImageNet weights that has drawn no page yet."""
    return serve(with_weights, fresh=True)


@pytest.fixture
def bare_address(serve: Callable[..., str]) -> str:
    """A server without the ImageNet weights."""
    return serve(bare)


@pytest.fixture
def cold_bare_address(serve: Callable[..., str]) -> str:
    """A server without the ImageNet weights that has drawn no page yet."""
    return serve(bare, fresh=True)


COLD = {"cold_address", "cold_bare_address"}


def pytest_collection_modifyitems(items: list[pytest.Function]) -> None:
    """Tests that need a fresh server come first here: the last one then serves all the others."""
    places = [place for place, item in enumerate(items) if item.path.parent == HERE]
    here = sorted((items[place] for place in places), key=lambda item: not COLD & set(item.fixturenames))
    for place, item in zip(places, here, strict=True):
        items[place] = item


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if path is None:
        reason = "no Chromium on this machine"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    with sync_playwright() as play:
        chromium = play.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800})
    faults: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: faults.append(str(error)))
    opened.set_default_timeout(30_000)
    yield opened
    context.close()
    assert faults == [], "the page's scripts failed"
