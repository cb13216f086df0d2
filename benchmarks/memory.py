"""Memory of the app over many visitors and many pictures: resident megabytes at intervals, which have to come to rest.

    python benchmarks/memory.py visits [--count 500]      # page loads of one server, each by a visitor who then leaves
    python benchmarks/memory.py pictures [--count 1000]   # pictures explained by three networks, as the pages do it

The visitors are those of visitor.py, not browsers: to the server they are the same. Streamlit keeps up to 128
sessions for two minutes after their tabs were closed, and caches fill up to their limits: memory grows at first.
"""

import argparse
import asyncio
import gc
import os
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

import psutil
from data import SHARED, table
from load import SAMPLES, server
from visitor import visitor

PAGES = ("", "compare", "trust", "", "activations", "filters", "audit", "", "concepts", "report", "models", "train")
NETWORKS = ("MobileNetV2", "MobileNet", "cats_vs_dogs")
REPORTS = 10
"""Figures that are printed."""


def report(process: psutil.Process, done: int, began: float) -> None:
    """Print a line."""
    used = process.memory_info().rss / 1e6
    print(f"{done:6}{used:10.0f} MB{process.num_threads():6} threads{time.monotonic() - began:8.0f} s", flush=True)


async def visits(count: int, home: Path) -> None:
    """Load pages, one after another."""
    began = time.monotonic()
    with server(home) as (url, process):
        for number, (page, sample) in enumerate(islice(zip(cycle(PAGES), cycle(SAMPLES)), count)):
            if number % max(count // REPORTS, 1) == 0:
                report(process, number, began)
            async with visitor(url) as one:
                await one.open(page, f"model={NETWORKS[number % 2]}&sample={sample}")
                await one.until(lambda now: not now.running)
        report(process, count, began)


def pictures(count: int) -> None:
    """Explain pictures: their first class by Grad-CAM, and at each depth."""
    import camcore
    from ui.jobs.runner import runner
    from ui.map_cache import map_cache
    from ui.map_work import work
    from ui.networks import start
    from ui.query import NetworkKey, Query

    start()
    began = time.monotonic()
    process = psutil.Process(os.getpid())
    keys = [NetworkKey(row.name, None, version=row.version, framing=row.framing) for row in camcore.backbones()]
    chosen = [key for key in keys if key.name in NETWORKS]
    for number, row in enumerate(islice(table("cats_dogs"), count)):
        if number % max(count // REPORTS, 1) == 0:
            gc.collect()
            report(process, number, began)
        picture = camcore.open_picture(SHARED / "cats_dogs" / row["file"])
        for key in chosen:
            query = Query(key, picture.sha256, key.framing)
            job = runner().ask(work(map_cache(), map_cache().known(query, picture)), "somebody")
            while not job.wait_for_end(1.0):
                job.watch("somebody")
            if job.state != "done":
                raise SystemExit(f"{row['file']}, {key.name}: {job.failure}")
    report(process, count, began)


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("visits", "pictures"))
    parser.add_argument("--count", type=int, help="page loads or pictures; as many as are named above")
    arguments = parser.parse_args()
    if arguments.what == "pictures":
        pictures(arguments.count or 1000)
        return
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(visits(arguments.count or 500, Path(home)))


if __name__ == "__main__":
    main()
