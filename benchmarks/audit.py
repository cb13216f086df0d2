"""The pace of an audit by one process and by local workers, beside nothing but opening pictures and a forward pass.

    python benchmarks/audit.py [--model MobileNetV2] [--sets imagenet_sample cats_dogs] [--pictures N] [--workers N]

The sets are the 600 ImageNet pictures and the 9,208 training pictures of cats and dogs (without labels where the model
has other classes); --pictures takes a random part. The yardstick opens, frames and classifies the same pictures in as
many one-thread processes as there are workers, in batches, with no maps, evidence or files. A pace counts from the
first rows on: starting Python, TensorFlow and the network is told apart. On a busy machine only the ratio by processor
time counts. Memory: the largest resident set of a worker.
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
from distributed import LocalCluster

import camcore
from camcore.batches import BATCH, framed_batches, open_files

CHUNK = 64


@dataclass(frozen=True)
class Pace:
    """Pictures per second, seconds of processor for each, seconds before the first rows, a worker's memory in GB."""

    rate: float
    processor: float
    start: float = 0.0
    memory: float = 0.0

    def __str__(self) -> str:
        return f"{self.rate:6.1f} pictures/s" + f"   (first rows after {self.start:.1f} s)" * bool(self.start)


def listed(name: str, folder: Path) -> Path:
    """A table of a set's pictures; ImageNet's with the index of the class."""
    rows = table(name)
    path = folder / f"{name}.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        if name == "imagenet_sample":
            writer.writerow(["path", "label"])
            writer.writerows([SHARED / name / row["file"], row["class_index"]] for row in rows)
        else:
            writer.writerow(["path"])
            writer.writerows([SHARED / name / row["file"]] for row in rows if row["split"] == "train")
    return path


def forward_alone(model: str, files: Sequence[Path]) -> None:
    """A process of the yardstick: ready, it waits for a line; then prints the seconds by clock and of processor."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    net = camcore.load(model)
    for batch in framed_batches(net, open_files(files[:BATCH]), net.framing):
        net.logits(batch.x)
    print("ready", flush=True)
    sys.stdin.readline()
    start, processor = perf_counter(), process_time()
    for batch in framed_batches(net, open_files(files), net.framing):
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


def audited(net: camcore.Network, pictures: Path, limit: int | None, workers: int) -> Pace:
    """The pace of an audit. ``workers``: 0 for this process; 1 for one of a cluster, as an audit takes none for one."""
    begun, before, memory, used = None, 0.0, 0.0, 0.0
    with tempfile.TemporaryDirectory() as out, ExitStack() as ended:
        where: dict[str, Any] = {"workers": workers}
        if workers == 1:
            cluster = LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address="127.0.0.1:0", silence_logs=50)
            where = {"cluster": ended.enter_context(cluster).scheduler_address}
        for step in camcore.audit(net, pictures, out, limit=limit, chunk=CHUNK, **where):
            children = psutil.Process().children(recursive=True)
            memory = max([memory, *(one.memory_info().rss for one in children)])
            used = sum(sum(one.cpu_times()[:2]) for one in children)
            if begun is None and step.done:
                begun, before = step, used
    assert begun is not None
    done = step.done - begun.done
    return Pace(done / (step.seconds - begun.seconds), (used - before) / done, begun.seconds, memory / 1e9)


def measure(net: camcore.Network, model: str, name: str, limit: int | None, workers: int) -> None:
    """Print the figures of one set."""
    with tempfile.TemporaryDirectory() as folder:
        pictures = listed(name, Path(folder))
        files = [row["path"] for row in csv.DictReader(pictures.open(encoding="utf-8"))]
        shown = files[: limit or len(files)]
        print(f"{net.name}, {len(shown):,} pictures of {name}, {os.cpu_count()} cores")
        bare = yardstick(model, shown, workers)
        print(f"  opening + forward pass alone, {workers} processes   {bare}")
        process, one, several = (audited(net, pictures, limit, count) for count in (0, 1, workers))
        print(f"  audit in one process, all its threads      {process}")
        print(f"  audit by one worker, of one thread         {one}")
        print(f"  audit by {workers} workers, each of one thread     {several}")
        print(f"  workers beside opening + forward           {several.rate / bare.rate:6.2f} ×   (target 0.85)")
        print(f"  one worker beside it, by processor time    {bare.processor / one.processor:6.2f} ×   (busy machine)")
        print(f"  workers beside one worker                  {several.rate / one.rate:6.2f} ×   (target 1.6)")
        print(
            f"  workers beside one process                 {several.rate / process.rate:6.2f} ×   (all cores in both)"
        )
        print(f"  memory of a worker                         {several.memory:6.2f} GB   (target 1.5)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2")
    parser.add_argument("--sets", nargs="+", default=["imagenet_sample", "cats_dogs"])
    parser.add_argument("--pictures", type=int)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--forward-alone", nargs="+", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.forward_alone:
        forward_alone(given.model, given.forward_alone)
        return
    net = camcore.load(given.model)
    for name in given.sets:
        measure(net, given.model, name, given.pictures, given.workers)


if __name__ == "__main__":
    main()
