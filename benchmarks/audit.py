"""The pace of an audit by local workers and by one process, beside nothing but opening pictures and a forward pass.

    python benchmarks/audit.py [--model MobileNetV2] [--sets imagenet_sample cats_dogs] [--pictures N] [--workers N]

The sets are the 600 ImageNet pictures and the 9,208 training pictures of cats and dogs (without labels where the model
has other classes); --pictures takes so many of them. The yardstick opens, frames and classifies the same pictures in
batches, with no maps, evidence or files, in as many one-thread processes as there are workers, and in one: the ratio of
the two is all that this machine gains by its cores. A pace counts from the first rows to the last: the start of Python,
TensorFlow and the network is told apart, and so are groups and report, which follow. On a busy machine only the ratios
by processor time count, which take in all processes of a run. Memory: the largest resident set of a worker.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import psutil
from data import SHARED, table

import camcore
from camcore.audits.engine import BATCH
from camcore.audits.workers import local_client
from camcore.batches import framed_batches, open_files

CHUNK = 32
"""Smaller than an audit's own, so that what the others have under way as counting begins is little."""


@dataclass(frozen=True)
class Pace:
    """Pictures per second, and seconds of processor for each, over all processes.

    ``start``: seconds before the first rows; ``after``: of groups and report; ``memory`` of a worker in GB.
    """

    rate: float
    processor: float
    start: float = 0.0
    after: float = 0.0
    memory: float = 0.0

    def __str__(self) -> str:
        text = f"{self.rate:6.1f} pictures/s, {1000 * self.processor:5.1f} ms of processor each"
        return text + f"   (first rows after {self.start:.1f} s)" * bool(self.start)


def listed(name: str, folder: Path, most: int | None) -> Path:
    """A table of a set's pictures; ImageNet's with the index of the class."""
    rows = table(name)
    chosen = rows if name == "imagenet_sample" else [row for row in rows if row["split"] == "train"]
    few = chosen if most is None else [chosen[i * len(chosen) // most] for i in range(min(most, len(chosen)))]
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["path", "label"])
        writer.writerows([SHARED / name / row["file"], row.get("class_index", "")] for row in few)
    return path


def one_thread() -> None:
    """TensorFlow as in a worker."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def forward_alone(model: str, files: Sequence[Path]) -> None:
    """A process of the yardstick: ready, it waits for a line; then prints the seconds by clock and of processor."""
    one_thread()
    net = camcore.load(model)
    for batch in framed_batches(net, open_files(files[:BATCH]), net.framing, BATCH):
        net.logits(batch.x)
    print("ready", flush=True)
    sys.stdin.readline()
    start, processor = perf_counter(), process_time()
    for batch in framed_batches(net, open_files(files), net.framing, BATCH):
        net.logits(batch.x)
    print(perf_counter() - start, process_time() - processor, flush=True)


def yardstick(model: str, files: Sequence[str], processes: int) -> Pace:
    """The pace of opening and a forward pass alone, in one-thread processes."""
    running = [
        subprocess.Popen(
            [sys.executable, __file__, "--model", model, "--forward-alone", *files[number::processes]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for number in range(processes)
    ]
    for process in running:
        assert process.stdout is not None
        process.stdout.readline()
    for process in running:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    clocks, processors = zip(*(map(float, process.communicate()[0].split()) for process in running), strict=True)
    return Pace(len(files) / max(clocks), sum(processors) / len(files))


def audited(net: camcore.Network, pictures: Path, workers: int = 0) -> Pace:
    """The pace of an audit in this process, or by workers of the kind that an audit starts, which are there already.

    It is counted from when each of them can have had a part.
    """
    this = psutil.Process()
    first, last, memory, rows_done = None, None, 0.0, 0.0
    with tempfile.TemporaryDirectory() as out, ExitStack() as ended:
        where: dict[str, Any] = {"workers": 0}
        if workers:
            client = ended.enter_context(local_client(workers))
            client.run(one_thread)
            where = {"cluster": client.scheduler.address}
        for step in camcore.audit(net, pictures, out, chunk=CHUNK, court=False, **where):
            if step.stage == "pictures" and step.done >= max(1, workers) * CHUNK:
                children = this.children(recursive=True)
                memory = max([memory, *(one.memory_info().rss for one in children)])
                last = step, sum(sum(one.cpu_times()[:2]) for one in [this, *children])
                first = first or last
                rows_done = perf_counter()
        after = perf_counter() - rows_done
    assert first is not None
    assert last is not None
    done = last[0].done - first[0].done
    rate = done / (last[0].seconds - first[0].seconds)
    return Pace(rate, (last[1] - first[1]) / done, first[0].seconds, after, memory / 1e9)


def audited_by_one(model: str, pictures: Path) -> Pace:
    """The pace of an audit in one process of one thread, on one core."""
    command = [sys.executable, __file__, "--model", model, "--audit-alone", str(pictures)]
    printed = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    return Pace(*map(float, printed.split()))


def audit_alone(model: str, pictures: Path) -> None:
    """A process of its own for ``audited_by_one``: prints the pace and the processor's time."""
    if hasattr(os, "sched_setaffinity"):  # the thread that opens pictures has no core of its own
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    one_thread()
    found = audited(camcore.load(model), pictures)
    print(found.rate, found.processor, found.start, found.after)


def measure(net: camcore.Network, model: str, name: str, most: int | None, workers: int) -> None:
    """Print the figures of one set."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = listed(name, Path(folder), most)
        files = [row["path"] for row in csv.DictReader(pictures.open(encoding="utf-8"))]
        print(f"{net.name}, {len(files):,} pictures of {name}, {os.cpu_count()} cores", flush=True)

        def told(what: str, pace: Pace) -> Pace:
            print(f"  {what:52} {pace}", flush=True)
            return pace

        one_bare = told("opening + forward pass alone, 1 process", yardstick(model, files, 1))
        bare = told(f"opening + forward pass alone, {workers} processes", yardstick(model, files, workers))
        several = told(f"audit by {workers} workers, each of one thread", audited(net, pictures, workers))
        one = told("audit in one process of one thread, on one core", audited_by_one(model, pictures))
        threads = told("audit in one process, with all its threads", audited(net, pictures))
        for what, ratio, beside in (
            ("workers beside opening + forward pass", several.rate / bare.rate, "target 0.85"),
            ("the same by processor time", bare.processor / several.processor, "as a busy machine should be read"),
            ("workers beside one process of one thread", several.rate / one.rate, "target 1.6"),
            ("what cores give opening + forward pass alone", bare.rate / one_bare.rate, "no more can be had here"),
            ("workers beside one process with all threads", several.rate / threads.rate, "all cores in both"),
        ):
            print(f"  {what:52} {ratio:6.2f} ×   ({beside})")
        print(f"  {'groups and report afterwards':52} {several.after:6.1f} s")
        print(f"  {'memory of a worker':52} {several.memory:6.2f} GB   (target 1.5)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--sets", nargs="+", default=["imagenet_sample", "cats_dogs"])
    parser.add_argument("--pictures", type=int)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--forward-alone", nargs="+", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--audit-alone", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.forward_alone:
        forward_alone(given.model, given.forward_alone)
    elif given.audit_alone:
        audit_alone(given.model, given.audit_alone)
    else:
        net = camcore.load(given.model)
        for name in given.sets:
            measure(net, given.model, name, given.pictures, given.workers)


if __name__ == "__main__":
    main()
