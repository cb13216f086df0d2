"""The command ``camcore app``: starts the app from any folder, with a network of the user's."""

from __future__ import annotations

import argparse
import os
import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import camcore
from camcore.cli import serving
from camcore.errors import CamcoreError, ModelError, nearest
from camcore.framing import FRAMINGS
from camcore.models import declarations, hub_presets
from camcore.models.archives import read_whole
from camcore.models.declarations import DEFAULT_MODEL, VARIABLE
from camcore.models.description import JSON_NAME
from camcore.models.preprocessing import TITLES
from camcore.models.saved import networks_folder
from camcore.models.whole import find_file
from camcore.places import FOLDERS, PUBLIC

if TYPE_CHECKING:
    from camcore.cli.options import Commands


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    app = commands.add_parser(
        "app",
        help="the app in your browser, with your network in it",
        description="Starts the app on this machine and opens it in the browser. Ctrl-C ends it.",
    )
    app.add_argument(
        "network",
        nargs="?",
        metavar="NETWORK",
        help="what to begin with: a whole model's file (.keras, .h5), a network's name, hub:NAME, or a preset's folder",
    )
    of_file = app.add_argument_group("for a file")
    of_file.add_argument("--labels", metavar="FILE", help="the names of its classes, one a line or JSON")
    of_file.add_argument("--preprocess", metavar="NAME", help=f"how it wants its pictures: {', '.join(TITLES)}")
    of_file.add_argument("--framing", metavar="NAME", help=f"one of {', '.join(FRAMINGS)} (default: stretch)")
    of_file.add_argument("--custom", metavar="MODULE", help="a Python module that registers its custom classes")
    of_file.add_argument("--unsafe", action="store_true", help="allow code inside the file to run")
    app.add_argument("--port", type=int, metavar="N", help=f"default: {serving.PORT}, or the next that is free")
    app.add_argument("--host", metavar="ADDRESS", help=f"default: {serving.LOCAL}, this machine alone; 0.0.0.0: all")
    app.add_argument(
        "--public",
        action="store_true",
        help=f"open to strangers: no folders but those in {FOLDERS}, nothing of others to change, no paths shown",
    )
    app.add_argument("--no-browser", action="store_true", help="open no browser, say the address only")
    app.set_defaults(run=run)


def run(given: argparse.Namespace) -> None:
    """Check the arguments, then serve until the process ends."""
    serving.script()
    name = _network(given)
    where = serving.address(given.host, given.port)
    headless = str(serving.configured("server", "headless")).lower() in ("true", "1")
    if name is not None:
        os.environ[DEFAULT_MODEL] = name
    if given.public:
        os.environ[PUBLIC] = "1"
        for folder in filter(None, os.environ.get(FOLDERS, "").split(os.pathsep)):
            if not Path(folder).expanduser().is_dir():
                print(f"note: {FOLDERS} names '{folder}', which is no folder. Visitors do not see it.", file=sys.stderr)
    warnings.simplefilter("default", UserWarning)  # a server repeats no note
    serving.serve(where, {"model": name} if name else {}, not (given.no_browser or headless))


def _network(given: argparse.Namespace) -> str | None:
    """The app's name of the requested network, after declaring a file under one; None without a request."""
    earlier = declarations.declared()
    for problem in earlier.problems:
        print(f"note: {problem}", file=sys.stderr)
    options = {key: getattr(given, key) for key in ("labels", "preprocess", "framing", "custom", "unsafe")}
    named = [f"--{key}" for key, value in options.items() if value]
    known = [row.name for row in camcore.backbones()]
    path = find_file(given.network) if given.network is not None and given.network not in known else None
    if path is not None:
        check_file(path, given.unsafe)
        declared = {key: value for key, value in options.items() if value is not None}
        one = declarations.file_declaration(declarations.name_for(path, known), {"file": str(path), **declared})
        if isinstance(one.labels, Path) and not one.labels.is_file():
            raise ModelError(f"There is no labels file '{one.labels}'. It was moved or misspelt. Correct its path.")
        os.environ[VARIABLE] = declarations.written((*earlier.networks, one))
        return one.name
    if named:
        what = f"the network {given.network!r} has its own" if given.network else "no file is named"
        raise CamcoreError(
            f"{named[0]} belongs to a whole model's file, and {what}. Name the file, as in `camcore app my_model.keras "
            f"{named[0]} …`, or leave it out."
        )
    if given.network is None or given.network in known or hub_presets.find(given.network) is not None:
        return given.network
    if hub_presets.is_folder(Path(given.network).absolute()):
        return f"{hub_presets.PREFIX}{Path(given.network).absolute()}"
    if os.path.isdir(given.network):
        raise _folder(Path(given.network))
    near = nearest(given.network, known)
    raise ModelError(
        f"There is neither a network nor a file {given.network!r}. A network has a name that `camcore models` lists, "
        f"or is a file such as my_model.keras. {f'Did you mean {near!r}?' if near else 'Correct the name or the path.'}"
    )


def check_file(path: Path, unsafe: bool = False) -> None:
    """Raise ModelError where a path is no whole model, by what ``read_whole`` reads of it; needs no TensorFlow.

    ``unsafe``: a SavedModel's folder is one, too.
    """
    if not path.is_dir():
        read_whole(path)
    elif not unsafe:
        raise ModelError(
            f"'{path}' is a SavedModel, whose graph is code of another program. It is run only where you trust it. Say "
            "--unsafe if you do."
        )


def _folder(path: Path) -> ModelError:
    if (path / JSON_NAME).exists():
        return ModelError(
            f"'{path}' is the folder of a saved network, and the app looks for those in '{networks_folder()}'. Copy it "
            "there, and say its name."
        )
    return ModelError(f"'{path}' is a folder. A whole model is a file such as my_model.keras. Name the file itself.")
