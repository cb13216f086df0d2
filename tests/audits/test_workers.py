"""Audits on processes: killed and taken up again; on workers of this machine and of a scheduler, the same rows."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import psutil
import pyarrow as pa
import pytest
from distributed import CancelledError, LocalCluster
from distributed.comm import CommClosedError
from distributed.scheduler import KilledWorker
from labelled import make_folder
from pyarrow import parquet
from small import network_folder

import camcore
from camcore.audits import workers
from camcore.audits.manifest import read_manifest
from camcore.audits.rows import Chunk, Plan
from camcore.errors import CamcoreError
from camcore.models.pickling import weights_hash

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 8
AS_TEXT = ("index", "path", "sha256", "height", "width", "label", "predicted", "correct", "error")


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("audits")


@pytest.fixture(scope="module")
def network(folder) -> camcore.Network:
    return camcore.load(network_folder(folder / "small", ["across", "down"]))


@pytest.fixture(scope="module")
def pictures(folder) -> Path:
    root = make_folder(folder / "pictures", {"across": 30, "down": 31})
    (root / "down" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    return root


@pytest.fixture(scope="module")
def whole(network, pictures, folder) -> pa.Table:
    """The rows as this process has them."""
    list(camcore.audit(network, pictures, folder / "whole", chunk=CHUNK, workers=0))
    return rows(folder / "whole")


def rows(out: Path) -> pa.Table:
    return parquet.read_table(out / "pictures").sort_by("index")


def assert_same(table: pa.Table, whole: pa.Table) -> None:
    assert table.select(AS_TEXT).equals(whole.select(AS_TEXT))
    for name in set(whole.column_names) - set(AS_TEXT):
        a, b = (np.stack(one.column(name).drop_null().to_numpy()) for one in (table, whole))
        np.testing.assert_allclose(a, b, atol=1e-4, rtol=1e-3)


def python(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@contextmanager
def started(*commands: list[str]) -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that end with the block."""
    running = [python(*command) for command in commands]
    try:
        yield running
    finally:
        for one in running:
            one.terminate()
        for one in running:
            try:
                one.communicate(timeout=30)
            except subprocess.TimeoutExpired:
                one.kill()
                one.communicate()


def test_killed_at_random_moments_it_ends_in_the_same_rows(network, pictures, whole, folder):
    """SIGKILL at three moments drawn anew in each run, each after the audit was taken up again; then to its end."""
    out = folder / "killed"
    script = folder / "script.py"
    script.write_text(KILLED.format(network=str(folder / "small"), pictures=str(pictures), out=str(out), chunk=CHUNK))
    with started([str(script)]) as (process,):
        printed, _ = process.communicate(timeout=120)
    print(printed)  # the seed and the moments, should it fail
    *_, first, second, third, last = printed.splitlines()
    assert all(line.startswith("killed after") for line in (first, second, third)), printed
    assert last == "ended"
    assert rows(out).equals(whole)
    for name in ("groups.json", "groups.parquet"):
        assert (out / name).read_bytes() == (folder / "whole" / name).read_bytes()
    assert read_manifest(out).complete
    assert {path.name for path in out.iterdir()} >= {"audit.json", "groups.json", "groups.parquet", "report.html"}
    *_, step = camcore.audit(network, pictures, out, chunk=CHUNK)
    assert step.kept == step.done == len(whole)


# Processes forked from one that has imported everything, and run nothing: importing takes longer than their audits. The
# moments lie within one audit; should it be through before, on a machine that was slow only at first, it begins anew.
KILLED = """
import os, random, shutil, signal, time
import keras, scipy.optimize, scipy.stats, sklearn.cluster, sklearn.decomposition, sklearn.metrics, tensorflow
import camcore
from camcore.audits.engine import audit

def begun(out):
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        network = camcore.load({network!r})
        os.write(writing, b"begun")
        for step in audit(network, {pictures!r}, out, chunk={chunk}, workers=0):
            pass
        os._exit(0)
    os.close(writing)
    os.read(reading, 5)
    return child, time.perf_counter()

def ended(child):
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def killed(moments):
    for moment, before in zip(moments, [0, *moments]):
        child, start = begun({out!r})
        time.sleep(moment - before)
        os.kill(child, signal.SIGKILL)
        if ended(child) == 0:
            shutil.rmtree({out!r})
            return False
        print(f"killed after {{time.perf_counter() - start:.3f}} s", flush=True)
    return True

child, start = begun({out!r} + " first")
assert ended(child) == 0
whole = time.perf_counter() - start
seed = time.time_ns()
drawn = random.Random(seed)
print(f"seed {{seed}}, an audit takes {{whole:.2f}} s", flush=True)
while not killed(sorted(drawn.uniform(0, 0.8 * whole) for _ in range(3))):
    print("too late", flush=True)
if ended(begun({out!r})[0]) == 0:
    print("ended", flush=True)
"""


def test_workers_and_a_scheduler_give_the_same_rows(network, pictures, whole, folder):
    """Equal rows from one process, two workers of which one is killed, and two of a scheduler without TensorFlow."""
    steps = camcore.audit(network, pictures, folder / "two", chunk=CHUNK, workers=2)
    killed = False
    for step in steps:
        if step.done and not killed:
            victim = next(one for one in descendants() if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes())
            assert b"MALLOC_TRIM_THRESHOLD_=1073741824\0" in Path(f"/proc/{victim}/environ").read_bytes()
            os.kill(victim, signal.SIGKILL)
            killed = True
    assert killed
    assert_same(rows(folder / "two"), whole)

    address = folder / "scheduler.json"
    scheduler = ["-c", SCHEDULER.format(file=str(address))]
    worker = ["-m", "dask", "worker", "--scheduler-file", str(address), "--nthreads", "1", "--no-dashboard"]
    with started(scheduler, worker, worker) as (process, *_):
        found = wait_for_address(address)
        *_, last = camcore.audit(network, pictures, folder / "by address", chunk=CHUNK, cluster=found)
        assert last.done == len(whole)
        assert_same(rows(folder / "by address"), whole)
        process.send_signal(signal.SIGINT)
        printed, _ = process.communicate(timeout=30)
    assert printed.splitlines()[-1] == "tensorflow: False"


SCHEDULER = """
import asyncio, sys
from distributed import Scheduler

async def main():
    async with Scheduler(host="127.0.0.1", port=0, dashboard=False, scheduler_file={file!r}) as scheduler:
        await scheduler.finished()

try:
    asyncio.run(main())
except KeyboardInterrupt:
    pass
print("tensorflow:", "tensorflow" in sys.modules)
"""


def wait_for_address(file: Path) -> str:
    for _ in range(300):
        if file.exists() and file.read_text():
            return json.loads(file.read_text())["address"]
        time.sleep(0.1)
    raise AssertionError("the scheduler did not start")


def descendants() -> list[int]:
    return [one.pid for one in psutil.Process().children(recursive=True)]


def test_a_dead_scheduler_is_told(network, pictures, folder, monkeypatch):
    monkeypatch.setattr(workers, "_CONNECT", "1s")
    with pytest.raises(CamcoreError, match="No Dask scheduler answers at"):
        list(camcore.audit(network, pictures, folder / "dead", chunk=CHUNK, cluster="tcp://127.0.0.1:1"))


def test_a_cluster_whose_workers_are_all_gone_is_told(network, pictures, folder, monkeypatch):
    monkeypatch.setattr(workers, "_WITHOUT_WORKERS", 1.0)
    with (
        LocalCluster(n_workers=0, dashboard_address="127.0.0.1:0") as cluster,
        pytest.raises(CamcoreError, match="has had no worker for 1 s"),
    ):
        list(camcore.audit(network, pictures, folder / "alone", chunk=CHUNK, cluster=cluster.scheduler_address))


def test_the_network_is_made_once_and_checked_there(network):
    plugin = workers.NetworkPlugin("one", network, Plan("", "gradcam", "", "crop", 1))
    plugin.setup(None)
    made = plugin.network()
    assert made is plugin.network()
    assert weights_hash(made) == weights_hash(network)
    plugin._sha256 = "another"
    plugin.setup(None)
    with pytest.raises(CamcoreError, match="other weights on the worker"):
        plugin.network()


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (KilledWorker("part", None, 3), "the one from 'a.png' to 'b.png'"),
        (CommClosedError("in <TCP>: reset by peer"), "connection to the Dask scheduler is lost"),
        (CancelledError("part"), "connection to the Dask scheduler is lost"),
    ],
)
def test_what_dask_cannot_mend_is_said_in_words(error, said):
    with pytest.raises(CamcoreError, match=said), workers._in_words(Chunk(0, 0, ("a.png", "b.png"), (0, 0))):
        raise error
