"""Chunks computed by Dask: on worker processes of this machine, or wherever a scheduler has workers.

The network reaches a worker once, pickled in a plugin, which the scheduler hands to those that come later or again;
nobody unpickles it in the scheduler, which needs no TensorFlow. The rows come back as Arrow tables: the process that
runs the audit writes them, so that its folder need not be one that the workers share. Some more chunks than there are
threads are under way at a time, and their rows are all that is held.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from itertools import islice
from threading import Lock
from time import perf_counter

import cloudpickle
import dask
import pyarrow as pa
from distributed import Client, Future, LocalCluster, get_worker, wait
from distributed.diagnostics.plugin import WorkerPlugin
from distributed.scheduler import KilledWorker
from distributed.utils import silence_logging_cmgr

from camcore.audits.rows import Chunk, Plan, computed
from camcore.errors import CamcoreError, ModelError
from camcore.lazy import tf
from camcore.models.pickling import weights_hash
from camcore.network import Network

_PER_THREAD = 2  # chunks under way for each thread of a worker: one is computed, one waits

_CONNECT = "20s"  # the longest wait for a scheduler to answer

_WITHOUT_WORKERS = 60.0  # seconds that an audit waits for a first or another worker

# Dask has its workers give memory back to the system as soon as it is free, which TensorFlow takes again for the next
# tensor: here they keep it, in one heap for all threads, which is then as large as one batch needs. It also looks at
# itself many times a second, which takes 9 % of a core for two workers, and 1 % so.
_LOCAL = {
    "distributed.nanny.pre-spawn-environ": {
        "MALLOC_TRIM_THRESHOLD_": str(1 << 30),
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_ARENA_MAX": "1",
        "OMP_NUM_THREADS": "1",
        "MKL_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    },
    "distributed.worker.profile.enabled": False,
    "distributed.worker.memory.monitor-interval": "500ms",
    "distributed.admin.tick.interval": "500ms",
    "distributed.admin.system-monitor.interval": "5s",
}

_LOST = (OSError, TimeoutError)  # what Dask's connections end in; CommClosedError is an OSError


class NetworkPlugin(WorkerPlugin):
    """A network on its way to a worker process, made there when its first chunk comes, and kept."""

    def __init__(self, name: str, network: Network, plan: Plan) -> None:
        self.name = name
        self.plan = plan
        self._pickled: bytes = cloudpickle.dumps(network)
        self._sha256 = weights_hash(network)

    def setup(self, worker: object) -> None:
        """Called in the worker, whose event loop must not be held up by making a network."""
        self._lock = Lock()
        self._network: Network | None = None

    def teardown(self, worker: object) -> None:
        """Called in the worker at the end of the audit."""
        self._network = None

    def network(self) -> Network:
        """The network, in the worker's process. Raises ModelError where it has other weights there."""
        with self._lock:
            if self._network is None:
                with suppress(RuntimeError):  # TensorFlow runs already, with as many threads as it was given
                    tf.config.threading.set_intra_op_parallelism_threads(1)
                    tf.config.threading.set_inter_op_parallelism_threads(1)
                network: Network = cloudpickle.loads(self._pickled)
                if weights_hash(network) != self._sha256:
                    raise ModelError(
                        f"The network {network.name!r} has other weights on the worker than here. Its name or file "
                        "means another one there. Put the same file in place there, or audit in this process "
                        "(--workers 0)."
                    )
                self._network = network
            return self._network


def computed_by(
    client: Client, network: Network, plan: Plan, chunks: Iterable[Chunk]
) -> Generator[tuple[Chunk, pa.Table], None, None]:
    """The rows of some chunks as a cluster's workers have computed them, in the order in which they are done.

    Closing the generator cancels what is under way. Raises CamcoreError where the cluster can compute no more.
    """
    name = f"camcore-audit-{uuid.uuid4().hex[:12]}"
    plugin = NetworkPlugin(name, network, plan)
    with _in_words():
        client.register_plugin(plugin, name)
    waiting, under_way = iter(chunks), dict[Future, Chunk]()
    try:
        while True:
            with _in_words():
                room = _PER_THREAD * max(1, sum(client.nthreads().values())) - len(under_way)
                for chunk in islice(waiting, max(0, room)):
                    key = f"{name}-{chunk.number}"
                    under_way[client.submit(_part, name, chunk, key=key, pure=False)] = chunk
            if not under_way:
                return
            for future in _first_done(client, list(under_way)):
                with _in_words(under_way[future]):
                    part = future.result()
                yield under_way.pop(future), part
    finally:
        with suppress(*_LOST):
            client.cancel(list(under_way))
            client.unregister_worker_plugin(name)


@contextmanager
def local_client(workers: int) -> Iterator[Client]:
    """A client of worker processes on this machine, each of one thread, which end with the block."""
    try:
        with dask.config.set(_LOCAL):
            cluster = LocalCluster(
                n_workers=workers,
                threads_per_worker=1,
                processes=True,
                dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            )
    except (RuntimeError, *_LOST) as error:
        raise CamcoreError(
            f"{workers} worker processes could not be started ({_line(error)}). The machine may lack memory for so "
            "many. Take fewer, or audit in this process (--workers 0)."
        ) from error
    with cluster, Client(cluster, set_as_default=False) as client:
        yield client


@contextmanager
def remote_client(address: str) -> Iterator[Client]:
    """A client of the scheduler at an address. Raises CamcoreError where none answers."""
    try:
        client = Client(address, timeout=_CONNECT, set_as_default=False)
    except (ValueError, *_LOST) as error:
        raise CamcoreError(
            f"No Dask scheduler answers at '{address}' ({_line(error)}). Workers are found through it. Start one with "
            "`dask scheduler`, workers with `dask worker ADDRESS --nthreads 1`, and give the address that it prints."
        ) from error
    with silence_logging_cmgr(logging.CRITICAL), client:  # what goes wrong is said in our own words
        yield client


def _part(name: str, chunk: Chunk) -> pa.Table:
    """The rows of a chunk, computed in a worker by the network of the plugin ``name``."""
    plugin = get_worker().plugins[name]
    tables = [table for _, table in computed(plugin.network(), plugin.plan, [chunk])]
    return pa.concat_tables(tables).combine_chunks()


def _first_done(client: Client, futures: list[Future]) -> list[Future]:
    """Those of some futures that are done, once one is."""
    alone = 0.0
    while True:
        before = perf_counter()
        with _in_words(), client.as_current():
            try:
                return list(wait(futures, timeout=5, return_when="FIRST_COMPLETED").done)
            except TimeoutError:
                alone = 0.0 if client.nthreads() else alone + perf_counter() - before
        if alone > _WITHOUT_WORKERS:
            raise CamcoreError(
                f"The scheduler has had no worker for {_WITHOUT_WORKERS:.0f} s. Those that it had ended or were "
                "killed, perhaps for want of memory, and no others came. Start workers and give the same command "
                "again: what is done is kept."
            )


@contextmanager
def _in_words(chunk: Chunk | None = None) -> Iterator[None]:
    """Errors of Dask's in words. ``chunk``: that is asked for."""
    try:
        yield
    except CamcoreError:
        raise
    except KilledWorker as error:
        where = "" if chunk is None else f", the one from '{chunk.paths[0]}' to '{chunk.paths[-1]}'"
        raise CamcoreError(
            f"Several workers were lost one after the other over the same pictures{where}. They ran out of memory, or "
            "TensorFlow crashed on them. Take fewer workers or a smaller batch, or look for the picture with "
            "--workers 0. What is done is kept."
        ) from error
    except (CancelledError, *_LOST) as error:
        raise CamcoreError(
            f"The connection to the Dask scheduler is lost ({_line(error)}). It ended, or the network between. Start "
            "it again with its workers and give the same command: what is done is kept."
        ) from error


def _line(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:160]}".rstrip(".: ")
