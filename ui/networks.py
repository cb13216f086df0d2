"""The networks of the process: loaded once for everybody, in worker threads."""

from __future__ import annotations

import contextlib
import functools
import gc
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from typing import TYPE_CHECKING, Any

import camcore
from camcore.cache import ByteLRU
from camcore.models import listing
from camcore.models.hub_presets import PREFIX
from camcore.places import carried
from ui import policy
from ui.jobs.job import Job, Stage, StoppedError
from ui.query import NetworkKey

if TYPE_CHECKING:
    from camcore.network import Network

NETWORK_BYTES = 3 << 30
NETWORKS = 4


def import_tensorflow() -> None:
    """Bring TensorFlow in, and make it and Streamlit bear each other."""
    import keras
    import tensorflow  # noqa: F401 - the import itself is the work

    # Streamlit ends every script run with keras.backend.clear_session(): TensorFlow then throws away the kernels of
    # all compiled functions, those that run in other threads, too, and builds them anew, which made a warm grid of
    # maps ten times as slow. Nothing here leans on Keras's global state, so in this process the call does nothing.
    keras.backend.clear_session = lambda free_memory=True: None

    # Streamlit collects garbage after every script run and holds the interpreter meanwhile: 0.2 s with what
    # TensorFlow brings, all of which lives as long as the process. Frozen, it is passed over.
    gc.freeze()


class _Load:
    """One network on its way in, shared by every job that needs it."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.stage = Stage("Starting TensorFlow", expected=5.0)
        self.network: Network | None = None
        self.error: BaseException | None = None
        self.jobs: list[Job[Any]] = []

    def check(self) -> None:
        if not any(job.wanted() for job in self.jobs):
            raise StoppedError


class Networks:
    """Loads networks and keeps them within limits. ``load``: as ``camcore.load``; ``start``: what comes first."""

    def __init__(self, load: Callable[..., Network], start: Callable[[], None] = import_tensorflow) -> None:
        self._load_one = load
        self._import = start
        self._started = threading.Event()
        self._start_error: BaseException | None = None
        self._starter: threading.Thread | None = None
        self._lock = threading.Lock()
        self.loading: dict[NetworkKey, _Load] = {}
        self.held: ByteLRU[Network] = ByteLRU(NETWORK_BYTES, lambda net: 4 * int(net.parameters), NETWORKS)
        self.durations: dict[Hashable, float] = {}

    def start(self) -> None:
        """Begin importing TensorFlow in the background; returns at once, and does so only once."""
        with self._lock:
            if self._starter is None:
                self._starter = threading.Thread(target=self._begin, name="start", daemon=True)
                self._starter.start()

    def wait_for_start(self, job: Job[Any]) -> None:
        """Wait until TensorFlow is in; for the thread of a job's worker that builds a network by itself."""
        while not self._started.wait(0.05):
            job.check()
        if self._start_error is not None:
            raise _copy(self._start_error)

    def peek(self, key: NetworkKey) -> Network | None:
        """The network where it is loaded already, else None."""
        return self.held.get(key)

    def get(self, job: Job[Any], key: NetworkKey) -> Network:
        """A network, loaded if need be; for the thread of a job's worker, which waits for it."""
        while True:
            network = self.held.get(key)
            if network is not None:
                return network
            with self._lock:
                load = self.loading.get(key)
                fresh = load is None
                if load is None:
                    load = self.loading[key] = _Load()
                load.jobs.append(job)
            if fresh:
                threading.Thread(target=carried(self._load), args=(key, load), name="load", daemon=True).start()
            while not load.done.wait(0.05):
                job.check()
                job.stage = load.stage
            if load.network is not None:
                return load.network
            if not isinstance(load.error, StoppedError):
                # A fresh exception per waiting job: raising one object in several threads mixes their tracebacks.
                raise _copy(load.error)
            job.check()

    def _load(self, key: NetworkKey, load: _Load) -> None:
        try:
            self._started.wait()
            if self._start_error is not None:
                raise self._start_error
            title = f"Loading {key.title}"
            load.stage = Stage(title, expected=self.durations.get((title, key), 3.0))

            def downloading(done: int, total: int) -> None:
                load.check()
                if load.stage.title == title:
                    load.stage = Stage(f"Downloading {key.title}, {total / 1e6:.0f} MB")
                load.stage.reach(done / max(total, 1))

            with self.timed((title, key)):
                network = self._load_one(key.name, weights=key.weights, progress=downloading, **dict(key.options))
            load.network = self.held.put(key, network)
        except BaseException as error:
            load.error = error
        finally:
            with self._lock:
                self.loading.pop(key, None)
            load.done.set()

    @contextlib.contextmanager
    def timed(self, key: Hashable) -> Iterator[None]:
        """Remember how long this took, as the estimate for the next time."""
        began = time.monotonic()
        yield
        self.durations[key] = time.monotonic() - began

    def _begin(self) -> None:
        try:
            self._import()
        except BaseException as error:
            self._start_error = error
        finally:
            self._started.set()


@functools.cache
def networks() -> Networks:
    """The networks of this process."""
    return Networks(_loaded)


def _loaded(name: str, weights: str | None = None, **options: Any) -> Network:
    """``camcore.load``, and the facts that pages ask for; on a public server nothing is fetched. Raises ModelError."""
    from camcore.heatmaps.offered import refusals  # networks are behind it

    if policy.policy().public and (weights is None or name.startswith(PREFIX)):  # a preset's make is fetched, too
        row = listing.find(name)
        if row is not None and row.weights_state.startswith("downloads"):
            raise camcore.ModelError(f"The weights of {name} are not on this server. {policy.NO_DOWNLOAD}")
    network = camcore.load(name, weights=weights, **options)
    refusals(network)  # kept with it: here, a page would wait for it
    return network


def start() -> None:
    """Begin to import TensorFlow for this process, once; a page calls it when it is drawn.

    The import holds the interpreter so much that drawing would take three times as long beside it.
    """
    networks().start()


def _copy(error: BaseException | None) -> BaseException:
    """A second exception that says the same, chained to the first."""
    if error is None:
        return RuntimeError("the network did not arrive")
    try:
        twin = type(error)(*error.args)
    except Exception:
        return error
    twin.__cause__ = error
    return twin
