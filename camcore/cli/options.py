"""Arguments that several commands share: the network and how it is fed, the pictures, JSON; and progress lines."""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING

import camcore
from camcore.errors import CamcoreError
from camcore.files import Json, json_ready
from camcore.framing import FRAMINGS, check_framing
from camcore.models import factories
from camcore.models.labels import read_labels
from camcore.models.preprocessing import PREPROCESSINGS, preprocessing
from camcore.models.whole import find_file

if TYPE_CHECKING:
    from camcore.network import Network

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]
    """The command line's list of commands, as ``add_subparsers`` makes it."""

WHAT = "a backbone's or saved network's name, a network's folder, or a whole model's file (.keras, .h5)"


def add_network(parser: argparse.ArgumentParser, positional: str | None = None, weights: bool = True) -> None:
    """Add the arguments. ``positional``: the network is this argument, not the option --model."""
    if positional is None:
        usual = "MobileNetV2"
        parser.add_argument("--model", default=usual, metavar="NAME|FILE", help=f"{WHAT} (default: {usual})")
    else:
        parser.add_argument("model", metavar=positional, help=WHAT)
    add_network_options(parser, weights)


def add_network_options(parser: argparse.ArgumentParser, weights: bool = True) -> None:
    """Add what says more of a network, or of all that the command names."""
    if weights:
        parser.add_argument("--weights", metavar="FILE", help="a weights file, or the word random")
    parser.add_argument("--labels", metavar="FILE", help="the classes' names: one a line, or JSON")
    parser.add_argument(
        "--preprocess", metavar="NAME", help=f"how it is fed: one of {', '.join(PREPROCESSINGS)} (default: its own way)"
    )
    parser.add_argument(
        "--framing", metavar="NAME", help=f"one of {', '.join(FRAMINGS)} (default: the network's own way)"
    )
    own = parser.add_argument_group("whole models' files")
    own.add_argument("--custom", action="append", metavar="MODULE", help="a Python module with its custom classes")
    own.add_argument("--unsafe", action="store_true", help="let code that lies in the file run: you trust its maker")
    own.add_argument("--input-size", metavar="H×W", help="in pixels, where the model leaves it open: 224 or 224x320")
    own.add_argument("--output", metavar="NAME", help="which one, by name or number, where the model has several")
    own.add_argument(
        "--fixed",
        action="append",
        metavar="NAME=VALUE",
        help="the number of an input that is no picture, or several with commas between; repeat for more inputs",
    )


def add_audit_options(parser: argparse.ArgumentParser) -> None:
    """Add the choices of an audit that do not say where it is made."""
    parser.add_argument("--method", metavar="KEY", help="a method of a single pass (default: gradcam)")
    parser.add_argument("--layer", metavar="PATH", help="a layer (default: the recommended)")
    parser.add_argument("--limit", type=int, metavar="N", help="only a random sample of so many pictures")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")


def audit_choices(given: argparse.Namespace) -> dict[str, Json]:
    """The choices of ``add_audit_options`` and the number of workers, as ``camcore.audit`` takes them."""
    return {name: getattr(given, name) for name in ("method", "layer", "framing", "workers", "limit", "seed")}


def add_pictures(parser: argparse.ArgumentParser) -> None:
    """Add the argument for picture files."""
    parser.add_argument("pictures", nargs="+", metavar="PICTURE", help="JPEG, PNG, WEBP, GIF, BMP or TIFF")


def add_json(parser: argparse.ArgumentParser) -> None:
    """Add the option for JSON."""
    parser.add_argument("--json", action="store_true", help="print the facts as JSON instead of words")


def print_json(facts: object) -> None:
    """Print facts on standard output as JSON, where a figure that is not defined is null."""
    print(json.dumps(json_ready(facts), indent=2, ensure_ascii=False, allow_nan=False))


def show_progress(text: str, last: bool = False) -> None:
    """A line on standard error that renews itself, on a terminal. ``last``: it stays."""
    if sys.stderr.isatty():
        print(f"\r\033[K  {text}", end="\n" if last else "", file=sys.stderr, flush=True)


def download_progress(done: int, total: int) -> None:
    """Show how far a download is."""
    show_progress(f"downloading: {done / 1e6:.0f} of {total / 1e6:.0f} MB", done >= total)


def load_network(given: argparse.Namespace, weights: str | None = None) -> Network:
    """The network that the arguments mean; a download is shown. ``weights``: in place of those given.

    Raises CamcoreError as ``camcore.load`` does.
    """
    options: dict[str, Json] = {"framing": given.framing, "preprocess": given.preprocess}
    if given.labels is not None:
        options["labels"] = read_labels(given.labels)
    if given.custom:
        options["custom_objects"] = tuple(given.custom)
    if given.unsafe:
        options["safe_mode"] = False
    if given.input_size is not None:
        options["input_size"] = _size(given.input_size)
    if given.output is not None:
        options["output"] = int(given.output) if given.output.isdecimal() else given.output
    if given.fixed:
        options["fixed"] = dict(map(_fixed, given.fixed))
    return camcore.load(given.model, weights or getattr(given, "weights", None), download_progress, **options)


def check_network_options(given: argparse.Namespace) -> None:
    """Raise CamcoreError for what is wrong with the arguments by themselves, before long work. No TensorFlow."""
    if given.framing is not None:
        check_framing(given.framing)
    if given.preprocess is not None:
        preprocessing(given.preprocess)


def brings_own_weights(model: str) -> bool:
    """Tell whether a network cannot be built with random weights: a function or a whole model's file sets its own."""
    return factories.find(model) is not None or find_file(model) is not None


def _size(text: str) -> tuple[int, int]:
    size = re.fullmatch(r"(\d{1,5})(?:[x×X,](\d{1,5}))?", text.strip())
    if size is None:
        raise CamcoreError(f"The input size {text!r} is no size in pixels. It is height × width. Write 224 or 224x320.")
    return int(size[1]), int(size[2] or size[1])


def _fixed(text: str) -> tuple[str, float | list[float]]:
    name, equals, value = text.partition("=")
    try:
        if not equals or not name.strip():
            raise ValueError
        numbers = [float(part) for part in value.split(",")]
    except ValueError:
        raise CamcoreError(
            f"--fixed {text!r} does not hold an input at a value. It is the input's name and a number, or several with "
            "commas between. Write, for example, --fixed age=54."
        ) from None
    return name.strip(), numbers[0] if len(numbers) == 1 else numbers
