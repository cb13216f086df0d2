"""network.json: what a saved network is, in a file that is checked before anything in it is used."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from camcore.checks import shown
from camcore.errors import ModelError
from camcore.files import Json, opened_plain, read_json
from camcore.framing import FRAMINGS
from camcore.models import catalogue
from camcore.models.architectures import WHOLE, check_architecture, is_whole
from camcore.models.preprocessing import preprocessing
from camcore.origin import Origin

FORMAT = 1
JSON_NAME = "network.json"
_INSTALLED = Path(__file__).resolve().parents[1] / "bundled"  # where a wheel puts them; a checkout has none
BUNDLED = _INSTALLED if _INSTALLED.is_dir() else _INSTALLED.parents[1] / "models"
"""The folder of the networks that come with camcore."""

_MOST_BYTES = 1 << 20  # of network.json
_NAME = re.compile(r"\w(?:[\w .,+()-]{0,78}[\w)+])?")


@dataclass(frozen=True)
class MendedCopy:
    """The name of the network that a mended one was made from, and the class that it had a shortcut to."""

    network: str
    label: str


@dataclass(frozen=True)
class SavedNetwork:
    """The content of a network.json, checked.

    ``parameters``: their number. ``trained``: a record for people, free in form; ``summary`` (a few words) and
    ``pictures`` (class → how many it learned from) are shown where it has them.
    """

    name: str
    folder: Path
    architecture: Mapping[str, Json] = field(hash=False)
    input_size: tuple[int, int]  # (height, width)
    preprocessing: str  # a name of camcore.models.preprocessing
    labels: tuple[str, ...]
    parameters: int
    weights: Path
    sha256: str  # of the weights file
    trained: Mapping[str, Json] = field(hash=False)
    framing: str = catalogue.FRAMING  # how its pictures were framed in training

    @property
    def version(self) -> str:
        """Tells this network from an earlier one of the same name: its weights, and how it is fed and read."""
        identity = (self.sha256, self.preprocessing, self.labels, self.input_size, self.framing)
        return hashlib.sha256(repr(identity).encode()).hexdigest()

    @property
    def bundled(self) -> bool:
        """True where it comes with camcore."""
        return self.folder.parent == BUNDLED

    @property
    def weights_state(self) -> str:
        """The place of the weights, as a catalogue row says it: "bundled" or "on disk"."""
        return "bundled" if self.bundled else "on disk"

    @property
    def download_mb(self) -> int:
        """Nothing has to be downloaded."""
        return 0

    @property
    def summary(self) -> str:
        """On what it was trained, in a few words; "" where the record does not say."""
        words, counts = self.trained.get("summary"), self.trained.get("pictures")
        if isinstance(words, str):
            return words[:200]
        if isinstance(counts, dict) and counts and all(isinstance(count, int) for count in counts.values()):
            return f"{sum(counts.values()):,} pictures of {', '.join(counts)}"[:200]
        return ""

    @property
    def whole(self) -> bool:
        """True where the file of its weights is that of a whole model, which camcore cannot build itself."""
        return self.architecture.get("builder") == WHOLE

    @property
    def origin(self) -> Origin:
        """The network's origin, by which it can be had again."""
        return Origin(self.architecture, self.preprocessing, self.folder, self.sha256)

    @property
    def mended(self) -> MendedCopy | None:
        """The network that it is a mended copy of; None where it is none, or the record does not say."""
        record = self.trained.get("mended")
        said = (record.get("network"), record.get("class")) if isinstance(record, dict) else ()
        texts = [one[:200] for one in said if isinstance(one, str)]
        return MendedCopy(*texts) if len(texts) == 2 else None


def check_weights(saved: SavedNetwork) -> None:
    """Raise ModelError where the weights file is not the one that was saved."""
    actual = digest(saved.weights)
    if actual != saved.sha256:
        raise ModelError(
            f"The weights '{saved.weights}' are not those that were saved as {saved.name!r}: their SHA-256 is "
            f"{actual[:12]}…, {JSON_NAME} says {saved.sha256[:12]}…. The file was replaced, or a copy of it broke off. "
            "Copy the whole folder again, or train anew."
        )


def described(folder: Path) -> SavedNetwork:
    """The content of a folder's network.json; the weights are not read."""
    path = folder / JSON_NAME
    try:
        return _parsed(path, _stamp(path))
    except FileNotFoundError as error:
        raise ModelError(
            f"There is no network in '{folder}': it has no {JSON_NAME}. Training writes one when it has something to "
            "keep. Name a folder that holds one."
        ) from error
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read: {error.strerror or error}. Allow reading it.") from error


def _stamp(path: Path) -> tuple[int, int, int]:
    """A stamp that changes when a file is written again."""
    try:
        status = path.stat()
    except FileNotFoundError:
        if path.name == JSON_NAME:
            raise
        raise ModelError(
            f"The weights file '{path}' is missing, so the network beside it cannot be used. A part of the folder "
            "was not copied, or was deleted. Copy the whole folder."
        ) from None
    return status.st_mtime_ns, status.st_size, status.st_ino


def digest(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal; remembered until the file changes."""
    return _sha256(path, _stamp(path))


@lru_cache(maxsize=256)
def _sha256(path: Path, stamp: tuple[int, int, int]) -> str:
    try:
        with opened_plain(path) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ModelError(f"'{path}' cannot be read: {error.strerror or error}. Allow reading it.") from error


@lru_cache(maxsize=256)
def _parsed(path: Path, stamp: tuple[int, int, int]) -> SavedNetwork:
    try:
        content = read_json(path, _MOST_BYTES, finite=True)
    except ValueError as error:
        raise _damaged(path, f"it is not JSON that can be read ({error})") from error
    return checked(content, path)


def checked(content: Json, path: Path) -> SavedNetwork:
    """The content of a network.json at ``path``, checked. Raises ModelError where a value is not what it must be."""
    if not isinstance(content, dict):
        raise _damaged(path, "it is not a JSON object")
    if content.get("format") != FORMAT or isinstance(content["format"], bool):
        raise ModelError(
            f"'{path}' has the format {content.get('format')!r}; this version of camcore reads format {FORMAT}. "
            "It was written by another version. Use that one, or save the network anew."
        )
    name = check_name(content.get("name"))
    weights, labels, size = content.get("weights"), content.get("labels"), content.get("input_size")
    parameters, trained = content.get("parameters"), content.get("trained", {})
    framing = content.get("framing", catalogue.FRAMING)
    try:
        check_architecture(content.get("architecture"))
        preprocessing(content.get("preprocessing"))
    except ModelError as error:
        raise ModelError(f"The network in '{path.parent}' cannot be used. {error}") from error
    if not (isinstance(size, list) and len(size) == 2 and all(is_whole(side, 8, 4096) for side in size)):
        raise _damaged(path, f"its input_size is {shown(size)}, not [height, width] in pixels")
    if not (isinstance(labels, list) and 2 <= len(labels) <= 100_000):
        raise _damaged(path, f"its labels are {shown(labels)}, not a list of at least two names")
    if not all(isinstance(label, str) and label.strip() and len(label) <= 200 for label in labels):
        raise _damaged(path, "one of its labels is empty, no text, or longer than 200 letters")
    if not (isinstance(parameters, int) and is_whole(parameters, 1, 10**10)):
        raise _damaged(path, f"its parameters are {shown(parameters)}, not a number of them")
    suffix = weights_suffix(content["architecture"])
    if not (isinstance(weights, str) and re.fullmatch(rf"[\w+-][\w.+-]{{0,100}}{re.escape(suffix)}", weights)):
        raise _damaged(path, f"its weights are {shown(weights)}, not the name of a {suffix} file beside it")
    if not (isinstance(content.get("sha256"), str) and re.fullmatch("[0-9a-f]{64}", content["sha256"])):
        raise _damaged(path, f"its sha256 is {shown(content.get('sha256'))}, not 64 hexadecimal digits")
    if framing not in FRAMINGS:
        raise _damaged(path, f"its framing is {shown(framing)}, not one of {', '.join(FRAMINGS)}")
    if not isinstance(trained, dict):
        raise _damaged(path, f"its record 'trained' is {shown(trained)}, not a JSON object")
    return SavedNetwork(
        name=name,
        folder=path.parent,
        architecture=content["architecture"],
        input_size=(size[0], size[1]),
        preprocessing=content["preprocessing"],
        labels=tuple(labels),
        parameters=parameters,
        weights=path.with_name(weights),
        sha256=content["sha256"],
        trained=trained,
        framing=framing,
    )


def weights_suffix(architecture: Mapping[str, Json]) -> str:
    """The end of the name of a network's file of weights."""
    return ".keras" if architecture.get("builder") == WHOLE else ".weights.h5"


def check_name(name: object) -> str:
    """A name for a network, as it is. Raises ModelError where it is none, or is a backbone's."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ModelError(
            f"A network cannot be called {shown(name)}. The name is shown in lists and links. Use 1 to 80 letters, "
            "digits, spaces and _ - + . , ( ), with a letter or digit first."
        )
    if name in {row.name for row in catalogue.backbones()}:
        raise ModelError(f"A network of one's own cannot be called {name!r}, for a backbone is. Add a word to it.")
    return name


def _damaged(path: Path, what: str) -> ModelError:
    return ModelError(
        f"'{path}' does not describe a network: {what}. It is damaged, or was changed or written by something else. "
        "Copy the whole folder again, or train anew."
    )
