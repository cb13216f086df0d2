"""The comparison of two audits of the same million pictures: seconds and memory, on rows made up for it.

    PYTHONPATH=. python benchmarks/audit_comparison.py [--rows 1000000] [--classes 2] [--folder DIR]

Both audits have the rows of ``audit_store.py``, the second with other answers, maps and evidence (in DIR they stay and
are found again). A process of its own compares them. Memory is the most that this process held.
"""

import argparse
import resource
import tempfile
from concurrent.futures import ProcessPoolExecutor
from contextlib import nullcontext
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter

from audit_store import MEMORY, write

from camcore.audits.comparison import compared, distances
from camcore.audits.joined import join
from camcore.audits.manifest import NAME
from camcore.audits.store import open_audit


def measure(folders: tuple[Path, Path]) -> tuple[dict[str, float], dict[str, int], int]:
    """The seconds of each step, the pictures of each change, and the most bytes that this process held."""
    times = [perf_counter()]
    old, new = (open_audit(folder) for folder in folders)
    times.append(perf_counter())
    joined = join(old, new)
    times.append(perf_counter())
    moved = list(distances(old, new, joined.pairs))
    times.append(perf_counter())
    found = compared(old, new, joined, moved)
    counts = dict(found.counts)
    times.append(perf_counter())
    steps = ("both opened", "their pictures joined", "maps and evidence compared", "figures")
    seconds = {name: end - start for name, start, end in zip(steps, times, times[1:], strict=False)}
    return seconds, counts, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--classes", type=int, default=2)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()

    with nullcontext(given.folder) if given.folder else tempfile.TemporaryDirectory() as home:
        name = f"{given.rows}-{given.classes}"
        folders = Path(home) / name, Path(home) / f"{name}-other"
        for seed, folder in enumerate(folders):
            if not (folder / NAME).exists():
                write(folder, given.rows, given.classes, seed)
        with ProcessPoolExecutor(1, get_context("spawn")) as own:
            seconds, counts, most = own.submit(measure, folders).result()
        print(f"{given.rows:,} rows, {given.classes:,} classes: {counts}")
        for name, taken in {**seconds, "all": sum(seconds.values())}.items():
            print(f"  {name:44} {taken:7.1f} s")
        print(f"  {'memory':44} {most / 2**20:7.0f} MiB  {'' if most <= MEMORY else 'over 1024'}", flush=True)


if __name__ == "__main__":
    main()
