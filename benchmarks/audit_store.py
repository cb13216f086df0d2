"""The store of an audit of a million pictures: how quickly it is opened and filtered, on rows made up for it.

    PYTHONPATH=. python benchmarks/audit_store.py [--rows 1000000] [--classes 2 1000] [--folder DIR]

Rows of 64 channels of evidence and maps of 7×7, one in twenty wrong, are written in parts of 512 (into DIR, where
they stay and are found again; else into a temporary folder). A process of its own opens them. Times are the
best of five (the first, of opening); memory is the most that this process held.
"""

import argparse
import resource
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from camcore.audits import figures
from camcore.audits.filters import Filters
from camcore.audits.manifest import NAME, AuditedNetwork, Manifest, write_manifest
from camcore.audits.nearest import most_alike
from camcore.audits.schema import write_part
from camcore.audits.store import Audit, open_audit

CHUNK, CHANNELS, GRID = 512, 64, (7, 7)
PAGE = 60
READING = "evidence read, for the first such question"
LIMIT, GOALS, MEMORY = 0.2, {"open": 2.0, READING: float("inf")}, 1 << 30


def lists(values: NDArray[np.floating]) -> pa.Array:
    """An array (n, k) as lists of float16."""
    flat = pa.array(values.astype(np.float16).ravel())
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1]).cast(pa.list_(pa.float16()))


def write(folder: Path, rows: int, classes: int, seed: int = 0) -> None:
    """Write the rows of an audit."""
    rng = np.random.default_rng(seed)
    names = np.array([f"class {i:04d}" for i in range(classes)])
    maps, evidence = lists(rng.random((CHUNK, GRID[0] * GRID[1]))), lists(rng.random((CHUNK, CHANNELS)))
    logits = lists(rng.integers(0, 16, (CHUNK, classes)) / 16)
    for start in range(0, rows, CHUNK):
        index = np.arange(start, min(start + CHUNK, rows))
        n = len(index)
        label = index * classes // rows
        wrong = rng.random(n) < 0.05
        said = (label + wrong) % classes
        p = (0.5 + rng.random(n) / 2).astype(np.float32)
        table = {
            "index": index,
            "path": [f"{names[k]}/{i:07d}.jpg" for k, i in zip(label, index, strict=True)],
            "sha256": [f"{i:064x}" for i in index],
            "height": np.full(n, 375),
            "width": np.full(n, 500),
            "label": names[label],
            "predicted": names[said],
            "correct": ~wrong,
            "probability": p,
            "label_probability": np.where(wrong, 1 - p, p),
            "logits": logits[:n],
            "map": maps[:n],
            "evidence": evidence[:n],
            "error": pa.nulls(n, pa.string()),
        }
        write_part(folder, start // CHUNK, pa.table(table))
    network = AuditedNetwork("made up", "", "", "0" * 64, tuple(names.tolist()), (224, 224), "logit")
    manifest = Manifest(
        network, "gradcam", "last", GRID, CHANNELS, "crop", "pictures", "0" * 64, True, rows, CHUNK, done=rows
    )
    write_manifest(folder, manifest)


def page_of_maps(audit: Audit, where: Filters, order: str, offset: int) -> None:
    """A page of the gallery: its rows and their maps."""
    rows = audit.table(where=where, order=order, limit=PAGE, offset=offset)
    audit.maps(rows["path"].to_pylist())


def measure(folder: Path) -> tuple[dict[str, float], int]:
    """The seconds of each question, and the most bytes that this process held."""
    began = perf_counter()
    audit = open_audit(folder)
    seconds = {"open": perf_counter() - began}
    first, last = audit.manifest.network.labels[0], audit.manifest.network.labels[-1]
    wrong = Filters(right=False)
    deep = audit.rows // 2
    filters = {
        "class said": Filters(said=last),
        "true class": Filters(label=first),
        "wrong": wrong,
        "probability 0.6 to 0.7": Filters(low=0.6, high=0.7),
        "search for “9999”": Filters(search="9999"),
        "all of these": Filters(said=last, right=False, low=0.6, high=0.9, search="9"),
    }
    asked: dict[str, Callable[[], object]] = {
        f"count, {name}": partial(audit.count, where) for name, where in filters.items()
    }
    asked |= {
        f"{PAGE} rows, {name}": partial(audit.table, where=where, order="surest", limit=PAGE)
        for name, where in filters.items()
    }
    asked |= {
        f"{PAGE} rows, least sure, from {deep:,} on": partial(audit.table, order="least sure", limit=PAGE, offset=deep),
        "accuracy": partial(figures.accuracy, audit),
        "figures of each class": partial(figures.class_figures, audit),
        "most frequent mistakes": partial(figures.mistakes, audit),
        f"{PAGE} maps of one part": partial(page_of_maps, audit, Filters(), "listing", deep),
        f"{PAGE} maps of {PAGE} parts": partial(page_of_maps, audit, wrong, "surest", 0),
        f"{PAGE} pictures of evidence like some": partial(most_alike, folder, np.ones(CHANNELS), PAGE),
    }
    began = perf_counter()
    most_alike(folder, np.ones(CHANNELS), PAGE)
    seconds[READING] = perf_counter() - began
    for name, ask in asked.items():
        times = []
        for _ in range(5):
            began = perf_counter()
            ask()
            times.append(perf_counter() - began)
        seconds[name] = min(times)
    return seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, nargs="+", default=[2, 1000])
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()

    with nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory() as home:
        for classes in given.classes:
            folder = Path(home) / f"{given.rows}-{classes}"
            if not (folder / NAME).exists():
                write(folder, given.rows, classes)
            with ProcessPoolExecutor(1, get_context("spawn")) as own:
                seconds, most = own.submit(measure, folder).result()
            print(f"{given.rows:,} rows, {classes:,} classes")
            for name, taken in seconds.items():
                goal = GOALS.get(name, LIMIT)
                print(f"  {name:44} {1000 * taken:7.0f} ms   {'' if taken <= goal else f'over {1000 * goal:.0f}'}")
            print(f"  {'memory':44} {most / 2**20:7.0f} MiB  {'' if most <= MEMORY else 'over 1024'}", flush=True)


if __name__ == "__main__":
    main()
