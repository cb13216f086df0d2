"""The command line's arguments that choose a network, the same for every command, and the network they mean."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from typing import Any

import camcore
from camcore.errors import CamcoreError
from camcore.framing import FRAMINGS, check_framing
from camcore.models import factories
from camcore.models.labels import read_labels
from camcore.models.preprocessing import PREPROCESSINGS, preprocessing
from camcore.models.whole import find_file

WHAT = "a backbone's or saved network's name, a network's folder, or a whole model's file (.keras, .h5)"


def add_network(parser: argparse.ArgumentParser, positional: str | None = None, weights: bool = True) -> None:
    """Add the arguments. ``positional``: the network is this argument, not the option --model."""
    if positional is None:
        usual = "MobileNetV2"
        parser.add_argument("--model", default=usual, metavar="NAME|FILE", help=f"{WHAT} (default: {usual})")
    else:
        parser.add_argument("model", metavar=positional, help=WHAT)
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


def load_network(
    given: argparse.Namespace, progress: Callable[[int, int], None] | None = None, weights: str | None = None
) -> Any:
    """The network that the arguments mean. ``weights``: in place of those given.

    Raises CamcoreError as ``camcore.load`` does.
    """
    options: dict[str, Any] = {"framing": given.framing, "preprocess": given.preprocess}
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
    return camcore.load(given.model, weights or getattr(given, "weights", None), progress, **options)


def check_network_options(given: argparse.Namespace) -> None:
    """Raise CamcoreError for what is wrong with the arguments by themselves, before long work. No TensorFlow."""
    if given.framing is not None:
        check_framing(given.framing)
    if given.preprocess is not None:
        preprocessing(given.preprocess)


def brings_own_weights(model: str) -> bool:
    """Whether a network cannot be built with random weights: a function or a whole model's file sets its own."""
    return factories.find(model) is not None or find_file(model) is not None


def _size(text: str) -> tuple[int, int]:
    told = re.fullmatch(r"(\d{1,5})(?:[x×X,](\d{1,5}))?", text.strip())
    if told is None:
        raise CamcoreError(f"The input size {text!r} is no size in pixels. It is height × width. Write 224 or 224x320.")
    return int(told[1]), int(told[2] or told[1])
