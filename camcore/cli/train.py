"""``python -m camcore train``: a folder of labelled pictures in, a network whose decisions can be seen out."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from camcore.cli.options import add_json, print_json
from camcore.errors import CamcoreError
from camcore.evaluation.held_out import held_out
from camcore.files import Json, read_text
from camcore.models import saved
from camcore.text import duration, percent
from camcore.training.blocks_recipe import BlocksRecipe
from camcore.training.folders import LabelledFolder, read_folder
from camcore.training.recipe import HeadRecipe, Recipe, recipe_values
from camcore.training.runs import Epoch, RunProgress, Stopped
from camcore.training.tfds import PREFIX, export, folder_of

if TYPE_CHECKING:
    from camcore.cli.options import Commands
    from camcore.models.saved import SavedNetwork


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    parser = commands.add_parser(
        "train",
        help="train a network on a folder of pictures: from nothing, or a new head on a backbone",
        description="Trains on a folder that holds one folder of pictures for each class. Run it again with the same "
        "choices to go on after it was stopped or killed.",
    )
    parser.add_argument(
        "data",
        metavar="DATA",
        help="holds one folder of pictures for each class; or tfds:NAME, a data set of tensorflow_datasets",
    )
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where the run keeps its log and the network")
    parser.add_argument(
        "--classes", nargs="+", action="extend", metavar="NAME", help="which class folders (default: all)"
    )
    parser.add_argument(
        "--class",
        dest="classes",
        action="extend",
        nargs=1,
        metavar="NAME",
        help="one more of them, also where its name begins like an option's: --class=--out",
    )
    parser.add_argument(
        "--backbone", metavar="NAME", help="put a new head on this backbone by surgery (default: from nothing)"
    )
    parser.add_argument("--fine-tune", type=int, default=0, metavar="N", help="also train the backbone's last N blocks")
    parser.add_argument(
        "--epochs", type=int, help="passes over the pictures (from nothing: 40; a head: at most 200, over its features)"
    )
    parser.add_argument(
        "--size",
        type=int,
        metavar="PIXELS",
        help="side of the network's input (from nothing: 144; a head: the backbone's)",
    )
    parser.add_argument("--seed", type=int, help="of the split, the order and the augmentation (default: 0)")
    parser.add_argument(
        "--recipe",
        metavar="FILE",
        help="a recipe as JSON: from nothing, see camcore.training.recipe; of new blocks on a backbone's first "
        "layers, see camcore.training.blocks_recipe",
    )
    parser.add_argument("--teacher", metavar="NAME", help="from nothing: also learn what this backbone sees")
    add_json(parser)
    parser.set_defaults(run=train_command)


INTERRUPTED = 130
"""The exit code of a run that was stopped: a shell goes on behind && only where there is a network."""


def train_command(given: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    steps = _from_backbone(given) if given.backbone else _from_nothing(given)
    try:
        trained = _follow(steps)
    except (Stopped, KeyboardInterrupt):
        print(f"\nstopped; the same command goes on from here, the run is in {given.out}", file=sys.stderr)
        if given.json:
            print_json({"state": "stopped", "folder": given.out})
        return INTERRUPTED
    network = saved.read(given.out)
    if given.json:
        facts = {name: getattr(network, name) for name in ("name", "parameters", "labels", "input_size", "trained")}
        print_json({"state": "trained" if trained else "finished before", "folder": given.out, **facts})
        return 0
    if not trained:
        print(f"this run was finished before; to train anew, give another folder than {given.out}")
    print(
        f"{network.name}: {network.parameters:,} parameters, labels {', '.join(network.labels)}. It is in {given.out}"
    )
    right = held_out(network.trained, network.framing)
    if right is not None:
        print(f"right on its held-out pictures: {right.in_words}")
    print(f"look into it: python -m camcore explain PICTURE --model {given.out} --method cam")
    return 0


def _from_nothing(given: argparse.Namespace) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    if given.fine_tune:
        raise CamcoreError("--fine-tune trains a backbone's last blocks. Name the backbone with --backbone.")
    told = _recipe_file(given)
    if "backbone" in told:
        return _new_blocks(given, told)
    recipe = chosen_recipe(given)
    data = _data(given)
    from camcore.training.fit import train

    return train(recipe, data, given.out)


def _new_blocks(given: argparse.Namespace, told: dict[str, Json]) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    for option in ("teacher", "size"):
        if getattr(given, option):
            raise CamcoreError(
                f"--{option} does not go with this recipe, which puts new blocks on {told['backbone']!r}: its teacher "
                "is the whole backbone, and its size stands in the recipe. Leave the option away."
            )
    changes = {"epochs": given.epochs, "seed": given.seed}
    recipe = BlocksRecipe.from_json({**told, **{key: value for key, value in changes.items() if value is not None}})
    data = _data(given)
    from camcore.training.new_blocks import train_blocks

    return train_blocks(recipe, data, given.out)


def _from_backbone(given: argparse.Namespace) -> Generator[RunProgress | Epoch, None, SavedNetwork]:
    for option in ("recipe", "teacher"):
        if getattr(given, option):
            raise CamcoreError(
                f"--{option} goes with training from nothing; with --backbone only a head is trained, on what the "
                f"backbone already knows. Leave --{option} or --backbone away."
            )
    from camcore.training.surgery import train_head

    changes = {"epochs": given.epochs, "size": given.size, "fine_tune": given.fine_tune, "seed": given.seed}
    recipe = HeadRecipe(**{key: value for key, value in changes.items() if value is not None})
    return train_head(given.backbone, _data(given), given.out, recipe=recipe)


def _data(given: argparse.Namespace) -> LabelledFolder:
    if not given.data.startswith(PREFIX):
        return read_folder(given.data, given.classes)
    name, home = given.data.removeprefix(PREFIX), saved.home() / "datasets"
    for done, count in export(name, home):
        print(f"\r\033[Kwriting pictures: {done:,} of {count:,}", end="", file=sys.stderr)
    print("\r\033[K", end="", file=sys.stderr)
    return read_folder(folder_of(name, home), given.classes)


def chosen_recipe(given: argparse.Namespace) -> Recipe:
    """The recipe file's, or the default, with what the command line changes. Raises CamcoreError for a bad one."""
    recipe = Recipe.from_json(_recipe_file(given))
    if given.size is not None:
        recipe = recipe.resized(given.size)
    changes = {"epochs": given.epochs, "teacher": given.teacher, "seed": given.seed}
    return replace(recipe, **{key: value for key, value in changes.items() if value is not None})


def _recipe_file(given: argparse.Namespace) -> dict[str, Json]:
    """The values of the recipe file; none where none is given. Raises CamcoreError where it is no recipe."""
    if not given.recipe:
        return {}
    try:
        return recipe_values(read_text(given.recipe, 1 << 20))
    except (OSError, UnicodeDecodeError) as error:
        raise CamcoreError(f"The recipe '{given.recipe}' cannot be read: {error}. Correct the path.") from error


def _follow(steps: Iterator[RunProgress | Epoch]) -> bool:
    """Follow the run to its end on standard error, one line for each epoch; whether it trained."""
    trained = False
    try:
        for event in steps:
            trained = True
            if isinstance(event, Epoch):
                line = (
                    f"epoch {event.epoch}: {event.size} px, loss {event.loss:.3f}, right {percent(event.accuracy)}; "
                    f"held out: loss {event.val_loss:.3f}, right {percent(event.val_accuracy)}; "
                    f"{duration(event.seconds)}"
                )
                print(f"\r\033[K{line}", file=sys.stderr)
            else:
                message = event.message or f"epoch {event.epoch} of {event.epochs}, step {event.step} of {event.steps}"
                left = f", about {event.seconds_left:.0f} s left" if (event.seconds_left or 0) >= 1 else ""
                print(f"\r\033[K{message}{left}", end="", file=sys.stderr, flush=True)
    finally:
        print("\r\033[K", end="", file=sys.stderr)  # an error is said in a line of its own
    return trained
