"""What a page asks and what it gets back: plain frozen values, no threads and no Streamlit."""

from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from camcore import CamcoreError
from camcore.models.catalogue import FRAMING


@dataclass(frozen=True)
class NetworkKey:
    """Which network: a name, ``None`` or ``"random"`` weights, and the constructor's options.

    ``version`` tells a saved network from an earlier one of the same name. ``framing``: how pictures are framed for it
    unless the visitor says otherwise; no part of what it is.
    """

    name: str
    weights: str | None = None
    options: tuple[tuple[str, Any], ...] = ()
    version: str = ""
    framing: str = field(default=FRAMING, compare=False)


@dataclass(frozen=True)
class Question:
    """Everything that decides a map. ``layer`` None: the recommended one; ``class_index`` None: the top class.

    ``expressly`` says that the visitor pressed Run knowing the cost. Without it a method that would take
    longer than the engine's patience is priced, not run.
    """

    network: NetworkKey
    picture: str
    framing: str = "crop"
    method: str = "gradcam"
    layer: str | None = None
    class_index: int | None = None
    expressly: bool = False


@dataclass(frozen=True)
class Cost:
    """What a method would take: forward passes, and seconds on this machine."""

    passes: float
    seconds: float


@dataclass(frozen=True, eq=False)
class Answer:
    """What is known about a question so far; each step of a job replaces it by a fuller one."""

    question: Question
    picture: Any
    network: Any = None
    predictions: tuple[Any, ...] = ()
    map: Any = None
    done: float = 1.0
    ladder: tuple[Any, ...] = ()
    cost: Cost | None = None

    @property
    def complete(self) -> bool:
        """Whether nothing is left to compute."""
        return self.map is not None and self.done >= 1.0 and bool(self.ladder)


@dataclass(frozen=True)
class Failure:
    """Why a job ended without its map: in which step, the error's type, what to say, and the details."""

    step: str
    kind: str
    message: str
    details: str

    @classmethod
    def of(cls, error: BaseException, step: str) -> "Failure":
        """Describe an error: camcore's own words where it refused, a calm sentence where it broke."""
        kind = type(error).__name__
        if isinstance(error, CamcoreError):
            return cls(step, kind, str(error), _story(error))
        if isinstance(error, MemoryError) or kind == "ResourceExhaustedError":
            message = "The machine ran out of memory. A smaller network or a cheaper method may fit."
        else:
            message = "Something unexpected went wrong here. The rest of the page still works; try again."
        return cls(step, kind, message, _story(error))


def map_identity(network: NetworkKey, picture: str, m: Any) -> tuple[Hashable, ...]:
    """What tells a finished map from all others; ``picture``: its SHA-256."""
    options = tuple(sorted((name, repr(value)) for name, value in m.options.items()))
    return network, picture, m.framing, m.method, m.layer, m.class_index, options, m.refine


def _story(error: BaseException) -> str:
    """The error and what caused it, a line each."""
    lines: list[str] = []
    current: BaseException | None = error
    while current is not None and len(lines) < 5:
        lines.append(f"{type(current).__name__}: {current}")
        current = current.__cause__ or current.__context__
    return "\n".join(lines)
