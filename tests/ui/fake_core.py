"""A stand-in for camcore's engine: the same calls, instant or as slow as a test wants, no TensorFlow."""

import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np

import camcore

CHANNELS = 64


@dataclass
class FakeNetwork:
    """A network with two layers and ten classes."""

    name: str
    parameters: int = 1000
    default_layer: str = "deep"
    ladder: tuple[str, ...] = ("shallow", "deep")
    predicted: int = 0

    def predict(self, pic: Any, top: int = 5, framing: str = "crop") -> tuple[Any, ...]:
        self.predicted += 1
        return tuple(SimpleNamespace(index=3 + i, label=f"class {3 + i}", probability=0.5) for i in range(top))

    def layer_with_grid(self, layer: str | None) -> Any:
        path = layer or self.default_layer
        if path not in self.ladder:
            raise camcore.LayerError(f"There is no layer {path!r}.")
        return SimpleNamespace(path=path)

    def check_class(self, index: int) -> int:
        if not 0 <= index < 10:
            raise camcore.ModelError(f"There is no class {index}.")
        return index


@dataclass
class FakeCore:
    """Counts its calls. ``gate``: held steps of a stream wait for it; ``broken``: network names that fail."""

    gate: threading.Event = field(default_factory=threading.Event)
    broken: dict[str, Exception] = field(default_factory=dict)
    pass_seconds: float = 0.1
    loads: list[str] = field(default_factory=list)
    explained: list[tuple[str, str, int]] = field(default_factory=list)
    steps: int = 0
    closed: int = 0
    download: tuple[tuple[int, int], ...] = ()
    METHODS: Mapping[str, Any] = field(
        default_factory=lambda: {
            key: SimpleNamespace(title=key.title(), at_own_layer=key == "cam")
            for key in ("gradcam", "layercam", "cam", "scorecam")
        }
    )

    def load(self, name: str, weights: Any = None, progress: Any = None, **options: Any) -> FakeNetwork:
        self.loads.append(name)
        for done, total in self.download:
            progress(done, total)
            self.gate.wait(5)
        if name in self.broken:
            raise self.broken[name]
        return FakeNetwork(name)

    def estimate(self, net: Any, methods: Any, layers: Any = None, classes: Any = None) -> float:
        return (CHANNELS if "scorecam" in methods else 1) * len(layers or [1])

    def explain(self, net: Any, pic: Any, methods: Any, layers: Any, classes: Any, framing: str) -> tuple[Any, ...]:
        found = tuple(self._map(m, layer, c) for m in methods for layer in layers for c in classes)
        self.explained += [(m.method, m.layer, m.class_index) for m in found]
        return found

    def stream(self, net: Any, pic: Any, methods: Any, layers: Any, classes: Any, framing: str) -> Iterator[Any]:
        def steps() -> Iterator[Any]:
            try:
                for done in range(8, CHANNELS + 1, 8):
                    self.steps += 1
                    m = self._map(methods[0], layers[0], classes[0])
                    last = done == CHANNELS
                    yield SimpleNamespace(
                        maps=(m,) if last else (), partial=() if last else (m,), done=done, total=CHANNELS,
                        seconds=done * self.pass_seconds,
                    )  # fmt: skip
                    self.gate.wait(5)
            finally:
                self.closed += 1

        return steps()

    @staticmethod
    def _map(method: str, layer: str, index: int) -> Any:
        raw = np.full((7, 7), float(index), np.float32)
        return SimpleNamespace(method=method, layer=layer, class_index=index, raw=raw, values=raw / 10)
