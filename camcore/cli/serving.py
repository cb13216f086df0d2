"""The app's server: where the app lies, at which address it listens, and Streamlit started on it in this process."""

from __future__ import annotations

import errno
import importlib.util
import os
import runpy
import signal
import socket
import sys
import threading
import time
import tomllib
import webbrowser
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from camcore.errors import CamcoreError
from camcore.files import Json

LOCAL = "127.0.0.1"
PORT, PORTS = 8501, 100
"""Streamlit's usual port, and how many from there on are tried where none is requested."""

_CONFIGURATION = Path(".streamlit") / "config.toml"
_EVERYWHERE = ("0.0.0.0", "::")  # every address of this machine; a browser here says localhost
_START_SECONDS = 120.0


@dataclass(frozen=True)
class Address:
    """The address on which the server listens. ``path``: the app's folder below it, "" for none. ``secure``: https."""

    host: str
    port: int
    path: str = ""
    secure: bool = False

    def url(self, **query: str) -> str:
        """The address that a browser on this machine opens."""
        host = "localhost" if self.host in _EVERYWHERE else f"[{self.host}]" if ":" in self.host else self.host
        path = f"/{self.path}" if self.path else ""
        scheme = "https" if self.secure else "http"
        return f"{scheme}://{host}:{self.port}{path}/" + (f"?{urlencode(query)}" if query else "")


def script() -> Path:
    """The app's first page, as it is installed or in a checkout. Raises CamcoreError where camcore came without it."""
    root = Path(__file__).resolve().parents[2]
    for folder in (root / "camcore_workbench", root):
        if (folder / "app.py").is_file() and (folder / "ui" / "frame.py").is_file():
            return folder / "app.py"
    raise CamcoreError(
        f"The app is not beside camcore in '{root}': the folder was copied without it. Install the whole project with "
        "`pip install .`, or start the app from a checkout."
    )


# ---- the address


def address(host: str | None, port: int | None) -> Address:
    """The address to listen on: as requested, else from the user's Streamlit configuration, else local only.

    Without a wish the first free port from ``PORT`` on. Raises CamcoreError where the address cannot be listened on.
    """
    host = host or str(configured("server", "address") or LOCAL)
    wanted = port if port is not None else configured("server", "port")
    path = str(configured("server", "baseUrlPath") or "").strip("/")
    secure = bool(configured("server", "sslCertFile"))
    if wanted is not None:
        try:
            chosen = int(wanted)
        except (TypeError, ValueError):
            raise CamcoreError(
                f"The port {wanted!r}, from your configuration of Streamlit, is no number. Correct it, or say --port."
            ) from None
        _listen(host, chosen)
        return Address(host, chosen, path, secure)
    for chosen in range(PORT, PORT + PORTS - 1):
        with suppress(PortTakenError):
            _listen(host, chosen)
            return Address(host, chosen, path, secure)
    _listen(host, PORT + PORTS - 1)
    return Address(host, PORT + PORTS - 1, path, secure)


class PortTakenError(CamcoreError):
    """Another program listens there."""


def _listen(host: str, port: int) -> None:
    """Raise CamcoreError where a server could not listen on that port, PortTakenError where another one does."""
    where = f"The app cannot listen on {host}, port {port}"
    if not 1 <= port <= 65535:
        raise CamcoreError(f"{where}: ports go from 1 to 65535. Name another with --port.")
    try:
        family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as one:
            if os.name == "posix":  # a port that a server has just left is free
                one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind(target)
    except socket.gaierror as error:
        raise CamcoreError(
            f"{where}: there is no such address ({error.strerror}). Say --host {LOCAL} for this machine alone, or "
            f"--host {_EVERYWHERE[0]} for every machine that reaches it."
        ) from error
    except PermissionError as error:
        raise CamcoreError(
            f"{where}: the system does not allow it, as a rule for ports below 1024. Name another with --port."
        ) from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(
                f"{where}: another program does. Name another port with --port, or leave --port away for a free one."
            ) from error
        raise CamcoreError(
            f"{where}: {error.strerror or error}. Say --host {LOCAL} for this machine alone, or --host "
            f"{_EVERYWHERE[0]} for every machine that reaches it."
        ) from error


def configured(section: str, option: str) -> Json:
    """The user's own Streamlit setting, from a variable, a file in this folder or one at home; None if not set."""
    words = "".join(f"_{letter}" if letter.isupper() else letter for letter in option)
    variable = os.environ.get(f"STREAMLIT_{section}_{words}".upper())
    if variable:
        return variable
    for folder in (Path(), Path.home()):
        with suppress(OSError, ValueError):  # of a file that cannot be read Streamlit itself tells
            settings = tomllib.loads((folder / _CONFIGURATION).read_text("utf-8")).get(section)
            if isinstance(settings, Mapping) and option in settings:
                return settings[option]
    return None


# ---- the server


def serve(where: Address, query: Mapping[str, str], browser: bool) -> None:
    """Start Streamlit on the app and return, or raise SystemExit, when it has ended.

    ``query``: what the first address says. ``browser``: open it. The project's configuration lies beside the app, where
    Streamlit finds it; variables (``STREAMLIT_…``) come before it, and the user's files fill what it leaves open.
    Raises CamcoreError where Streamlit is not installed.
    """
    if importlib.util.find_spec("streamlit") is None:
        raise CamcoreError(
            f"Streamlit is not installed for {sys.executable}, and the app's pages are made with it. Install it with "
            "`pip install streamlit`, or the project anew."
        )
    options = {
        "server.address": where.host,
        "server.port": str(where.port),
        "server.headless": "true",  # or Streamlit asks for an e-mail address, and opens an address of its own
        "logger.hideWelcomeMessage": "true",
    }
    flags = [word for name, value in options.items() for word in (f"--{name}", value)]
    sys.argv = ["streamlit", "run", str(script().with_name("server.py")), *flags]
    for ending in (signal.SIGINT, signal.SIGTERM):  # the server ends itself first, and then has this called
        signal.signal(ending, _leave)
    threading.Thread(target=_announce, args=(where, where.url(**query), browser), daemon=True).start()
    runpy.run_module("streamlit", run_name="__main__", alter_sys=True)


def _leave(number: int, frame: object) -> None:
    raise SystemExit(0)


def _announce(where: Address, url: str, browser: bool) -> None:
    """Say where the app is as soon as it answers, and open it."""
    host = {"0.0.0.0": LOCAL, "::": "::1"}.get(where.host, where.host)
    end = time.monotonic() + _START_SECONDS
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection((host, where.port), timeout=1):
            break
        time.sleep(0.1)
    else:
        return
    print(f"CAM workbench: {url}\nCtrl-C ends it.", flush=True)
    if browser:
        with suppress(webbrowser.Error):
            webbrowser.open(url)
