"""The choices before a training run: checked, and turned into a command line. No Streamlit."""

import itertools
import re
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from camcore.text import counted
from camcore.training.folders import MIN_PER_CLASS

SCRATCH = "scratch"
"""The word for no backbone: the compact network that starts from nothing."""
NEW = "new"
"""The word in the address for the form; no run may be called so."""
EPOCHS = (1, 1000)
SIZES = (32, 512)
FINE_TUNE = (0, 50)
SEEDS = (0, 2**31 - 1)

_COMMONPLACE = {"train", "training", "data", "dataset", "images", "photos", "pictures"}
"""Folders that are named by what lies above them."""


@dataclass(frozen=True)
class Form:
    """Every choice. None: what the command line takes if nothing is said."""

    data: str
    name: str
    classes: tuple[str, ...]
    backbone: str = SCRATCH
    epochs: int | None = None
    size: int | None = None
    seed: int | None = None
    fine_tune: int | None = None

    def arguments(self) -> list[str]:
        """The arguments of ``python -m camcore train`` but for ``--out``."""
        given: dict[str, object] = {
            "--backbone": None if self.backbone == SCRATCH else self.backbone,
            "--epochs": self.epochs,
            "--size": self.size,
            "--seed": self.seed,
            "--fine-tune": (self.fine_tune or None) if self.backbone != SCRATCH else None,
        }
        options = [text for key, value in given.items() if value is not None for text in (key, str(value))]
        plain = [name for name in self.classes if not name.startswith("-")]
        like_options = [f"--class={name}" for name in self.classes if name.startswith("-")]
        return [self.data, *options, *like_options, *(["--classes", *plain] if plain else [])]


def problem(form: Form, usable: Mapping[str, int], taken: Collection[str]) -> str | None:
    """The first thing that keeps this form from being started, in a sentence; None where nothing does.

    ``usable``: how many pictures each class of the folder has; ``taken``: names that are given to networks.
    """
    if not form.data:
        return "Name the folder that holds the pictures."
    few = [name for name in form.classes if usable.get(name, 0) < MIN_PER_CLASS]
    if few:
        return (
            f"The class “{few[0]}” has {counted(usable.get(few[0], 0), 'picture')}. Each class needs at least "
            f"{MIN_PER_CLASS}: some to learn from, others to check with. Add pictures, or take it out of the classes."
        )
    if len(form.classes) < 2:
        return "Choose at least two classes: a classifier tells them apart."
    return name_problem(form.name, taken)


def name_problem(name: str, taken: Collection[str]) -> str | None:
    """The reason why a network cannot be called so; None where it can."""
    if not name:
        return "Give the network a name, under which it will be among the backbones."
    if not re.fullmatch(r"\w[\w .-]{0,49}", name) or name.endswith((" ", ".")):
        return (
            f"The name “{name[:60]}” cannot be a folder's name everywhere. Use up to 50 letters, digits, spaces, "
            "dots, hyphens and underscores, with a letter or digit first and last."
        )
    if name.lower() == NEW or name.lower() in {other.lower() for other in taken}:
        return f"The name “{name}” is taken. Choose another one, such as “{free_name(name, taken)}”."
    return None


def free_name(wanted: str, taken: Collection[str]) -> str:
    """This name, or with the first number after it that makes it free."""
    stem = re.sub(r"[^\w.-]+", "-", wanted)[:40].strip("-.") or "network"
    used = {other.lower() for other in taken} | {NEW}
    candidates = itertools.chain([stem], (f"{stem}-{number}" for number in itertools.count(2)))
    return next(name for name in candidates if name.lower() not in used)


def suggested_name(data: str, backbone: str, taken: Collection[str]) -> str:
    """A name made of the folder's and the backbone's, that is free; "" as long as there is no folder."""
    parts = [part for part in re.split(r"[\\/]+", data) if part.strip("~. ")]
    if not parts:
        return ""
    folder = parts[-2] if parts[-1].lower() in _COMMONPLACE and len(parts) > 1 else parts[-1]
    return free_name(folder if backbone == SCRATCH else f"{folder}-{backbone}", taken)


def command_line(arguments: Sequence[str], folder: Path) -> str:
    """The same in a terminal."""
    return "python -m camcore train " + " ".join(map(_quoted, (*arguments, "--out", str(folder))))


def _quoted(argument: str) -> str:
    """An argument for every shell, where it has nothing in it that a shell would run."""
    if set(argument) & set('"`$\\!'):
        return shlex.quote(argument)
    return f'"{argument}"' if not argument or set(argument) & set(" '&()<>|;*?#~") else argument
