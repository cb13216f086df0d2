"""``python -m camcore audit``: how good a network is on many pictures, where it looks, and because of what."""

from __future__ import annotations

import argparse
import json
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from camcore.cli.options import add_network, check_network_options, load_network, show_progress
from camcore.metrics.intervals import Rate, rate
from camcore.text import counted, duration, percent

if TYPE_CHECKING:
    import pyarrow as pa

    from camcore.audits.engine import AuditStep
    from camcore.audits.manifest import Manifest
    from camcore.cli.options import Commands

_MOST_ERRORS = 5  # that the summary shows


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    parser = commands.add_parser(
        "audit",
        help="a network's answers, maps and evidence for many pictures, kept as Parquet files",
        description="Audits a network on a folder with a folder of pictures for each class, a flat folder, a table "
        "(.csv, .parquet) with the columns path and perhaps label, or an address that fsspec opens (s3://…). Run it "
        "again with the same choices to go on after it was stopped or killed.",
    )
    parser.add_argument("pictures", metavar="PICTURES", help="a folder, a table or an address")
    add_network(parser)
    parser.add_argument("--out", required=True, metavar="FOLDER", help="where the audit is kept")
    parser.add_argument("--method", metavar="KEY", help="a method of a single pass (default: gradcam)")
    parser.add_argument("--layer", metavar="PATH", help="a layer (default: the recommended)")
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=int, metavar="N", help="worker processes; 0 for none (default: as many as cores, if it pays)"
    )
    where.add_argument("--cluster", metavar="ADDRESS", help="of a Dask scheduler: tcp://host:8786")
    parser.add_argument("--limit", type=int, metavar="N", help="only a random sample of so many pictures")
    parser.add_argument("--seed", type=int, default=0, help="of the sample (default: 0)")
    parser.add_argument("--unlabelled", action="store_true", help="leave the labels of folder or table aside")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON instead of words")
    parser.set_defaults(run=audit_command)


def audit_command(given: argparse.Namespace) -> None:
    """Run the command."""
    check_network_options(given)
    network = load_network(given)
    from camcore.audits.engine import audit
    from camcore.audits.manifest import read_manifest

    steps = audit(
        network,
        given.pictures,
        given.out,
        method=given.method,
        layer=given.layer,
        framing=given.framing,
        labelled=False if given.unlabelled else None,
        workers=given.workers,
        cluster=given.cluster,
        limit=given.limit,
        seed=given.seed,
    )
    step = None
    try:
        for step in steps:
            show_progress(_progress(step), step.done == step.total)
    except KeyboardInterrupt:
        done = "" if step is None else f" after {step.done:,} of {counted(step.total, 'picture')}"
        print(f"\nstopped{done}; the same command goes on from here, the audit is in {given.out}", file=sys.stderr)
        raise
    folder = Path(given.out)
    manifest, rows = read_manifest(folder), _answers(folder)
    if given.json:
        print(json.dumps(_figures(manifest, rows), indent=2, ensure_ascii=False))
    else:
        _print(manifest, rows, folder)


def _progress(step: AuditStep) -> str:
    text = f"{step.done:,} of {counted(step.total, 'picture')}"
    if step.failed:
        text += f", {step.failed:,} with errors"
    if math.isfinite(step.pictures_per_second):
        text += f", {step.pictures_per_second:.1f} a second"
        if step.done < step.total:
            text += f", about {_time(step.seconds_left)} left"
    return text


def _time(seconds: float) -> str:
    if seconds < 90:
        return duration(seconds)
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"


def _answers(folder: Path) -> pa.Table:
    """The narrow columns of all rows."""
    from pyarrow import parquet

    from camcore.audits.schema import PARTS

    return parquet.read_table(folder / PARTS, columns=["path", "correct", "probability", "error"])


def _figures(manifest: Manifest, rows: pa.Table) -> dict[str, object]:
    right = _accuracy(rows)
    return {
        "network": manifest.network.name,
        "weights_sha256": manifest.network.weights_sha256,
        "method": manifest.method,
        "layer": manifest.layer,
        "framing": manifest.framing,
        "pictures": manifest.total,
        "failed": manifest.failed,
        "left_out": manifest.left_out,
        "seconds": manifest.seconds,
        "accuracy": vars(right) if right.n else None,
    }


def _accuracy(rows: pa.Table) -> Rate:
    """Of the pictures with a label, those whose first answer is right."""
    correct = rows.column("correct").drop_null().to_pylist()
    return rate(sum(correct), len(correct))


def _print(manifest: Manifest, rows: pa.Table, folder: Path) -> None:
    print(f"{manifest.network.name} on {manifest.pictures}")
    left_out = f", {counted(manifest.left_out, 'other file')} left out" if manifest.left_out else ""
    print(f"  {counted(manifest.total, 'picture')}{left_out}, {_time(manifest.seconds)} of work")
    right = _accuracy(rows)
    if right.n:
        print(f"  accuracy   {right.in_words}")
    else:
        sure = rows.column("probability").drop_null().to_pylist()
        mean = percent(sum(sure) / len(sure)) if sure else "–"
        print(f"  no labels; the first answer has a probability of {mean} in the mean")
    if manifest.failed:
        failures = rows.filter(rows.column("error").is_valid()).slice(0, _MOST_ERRORS)
        print(f"  errors     {counted(manifest.failed, 'picture')} could not be used")
        for path, error in zip(failures.column("path").to_pylist(), failures.column("error").to_pylist(), strict=True):
            print(f"    {path}: {error}")
    print(f"  {manifest.method} at {manifest.layer}; rows, maps and evidence are in {folder}")
