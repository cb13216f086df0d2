"""``python -m camcore evaluate``: how good a network is on a folder of labelled pictures."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from camcore.cli.options import add_json, add_network, check_network_options, load_network, print_json, show_progress
from camcore.errors import CamcoreError
from camcore.evaluation import measures
from camcore.evaluation.average_maps import AVERAGES, average_maps, write_averages
from camcore.evaluation.predict import Predictions, check_threshold, predict_folder
from camcore.evaluation.record import REPORT, EvaluatedNetwork, summary
from camcore.evaluation.table import PREDICTIONS, write_csv
from camcore.files import write_whole
from camcore.text import duration, percent, readable
from camcore.training.folders import read_folder

if TYPE_CHECKING:
    from camcore.cli.options import Commands

# A confusion of more classes is told by its most frequent mistakes.
_TABLE = 10


class _Counted(Protocol):
    @property
    def done(self) -> int: ...
    @property
    def total(self) -> int: ...
    @property
    def seconds(self) -> float: ...


Step = TypeVar("Step", bound=_Counted)


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    parser = commands.add_parser(
        "evaluate",
        help="accuracy, confusion, ROC and calibration of a network on a folder of pictures",
        description="What a network gets right on a folder that holds one folder of pictures for each class.",
    )
    add_network(parser, "NETWORK")
    parser.add_argument("folder", metavar="FOLDER", help="holds one folder of pictures for each class")
    parser.add_argument(
        "--threshold", type=float, default=0.5, help="of two classes the second is said from here on (default: 0.5)"
    )
    add_json(parser)
    parser.add_argument("--out", metavar="FOLDER", help="write predictions.csv, report.json and average_maps.json here")
    parser.set_defaults(run=evaluate)


def evaluate(given: argparse.Namespace) -> None:
    """Run the command."""
    check_threshold(given.threshold)
    check_network_options(given)
    data = read_folder(given.folder, least=1)
    network = load_network(given)
    framing = given.framing or network.framing
    predictions = finished(predict_folder(network, data, framing)).predictions
    if not len(predictions):
        raise CamcoreError(
            f"None of the {len(predictions.skipped)} files in '{data.root}' could be used: "
            f"{predictions.skipped[0].reason} Without pictures there is nothing to evaluate. Give others."
        )
    report = summary(EvaluatedNetwork.of(network, framing), predictions, given.threshold)
    if given.json:
        print_json(report)
    else:
        print(f"{network.name} on {given.folder}")
        _print(predictions, given.threshold)
    if given.out:
        home = Path(given.out)
        write_csv(home / PREDICTIONS, predictions)
        write_whole(home / REPORT, json.dumps(report, indent=2, ensure_ascii=False).encode("utf-8"))
        steps = average_maps(network, predictions, data.root, threshold=given.threshold, framing=framing)
        write_averages(home / AVERAGES, finished(steps), network.labels)
        print(f"wrote predictions.csv, average_maps.json and report.json to {home}", file=sys.stderr)


def finished(steps: Iterator[Step]) -> Step:
    """The last of the steps; meanwhile a line on standard error renews itself, on a terminal."""
    step = None
    for step in steps:
        left = step.seconds / max(1, step.done) * (step.total - step.done)
        text = f"{step.done} of {step.total} pictures, about {duration(left)} left"
        show_progress(text, step.done == step.total)
    assert step is not None, "a folder has at least one picture"
    return step


def _print(p: Predictions, threshold: float) -> None:
    print(f"  {len(p)} pictures, {len(p.classes)} classes, skipped: {len(p.skipped)}")
    for one in p.skipped:
        print(f"    {one.file}: {one.reason}")
    right = measures.accuracy(p, threshold)
    print(f"  accuracy   {right.in_words}")
    if len(p.classes) <= _TABLE:
        _print_confusion(measures.confusion(p, threshold))
    else:
        _print_mistakes(measures.confusion(p, threshold))
    of = "" if len(p.classes) == 2 else " (mean of each class against the rest)"
    print(f"  AUC        {measures.auc(p):.4f}{of}")
    print(f"  ECE        {measures.calibration(p).ece:.4f}")
    print(f"  log loss   {measures.log_loss(p):.4f}")
    print(f"  Brier      {measures.brier(p):.4f}")
    if len(p.classes) == 2:
        tried = measures.sweep(p)
        print(
            f"  threshold  {threshold:g} for {readable(p.classes[1])!r}; on these pictures {tried.best:.3f} would be "
            f"right for {percent(tried.best_accuracy)}"
        )


def _print_confusion(table: measures.Confusion) -> None:
    names = [readable(name) for name in table.classes]
    width = max(10, *(len(name) + 5 for name in names))
    print(" " * (width + 5) + "".join(f"{'said ' + name:>{width}s}" for name in names) + "   found")
    for index, name in enumerate(names):
        row = "".join(f"{count:{width}d}" for count in table.counts[index])
        print(f"  {'is ' + name:{width + 3}s}{row}   {table.recall(index).in_words}")


def _print_mistakes(table: measures.Confusion, most: int = 10) -> None:
    counts = table.counts.copy()
    counts.flat[:: len(counts) + 1] = 0
    places = counts.ravel().argsort(kind="stable")[::-1][:most]
    for is_one, said in (divmod(int(place), len(counts)) for place in places):
        if counts[is_one, said]:
            names = readable(table.classes[is_one]), readable(table.classes[said])
            print(f"  {counts[is_one, said]:4d} × {names[0]} taken for {names[1]}")
