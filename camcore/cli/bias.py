"""``python -m camcore bias``: measure the energy on a region, or run the study that plants a cue and mends it."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import camcore
from camcore.audits.report_words import group_name, trial
from camcore.bias.energy import Box, Energy, Region, RegionEnergy, energy_in_region, masks_beside, write_shares
from camcore.bias.files import draw_samples, write_study
from camcore.bias.study import TRIALS, Study, StudyHead, head_trainer, run_study
from camcore.class_names import class_named
from camcore.cli.evaluate import finished
from camcore.cli.options import add_json, add_network, check_network_options, load_network, print_json, show_progress
from camcore.errors import CamcoreError
from camcore.files import read_json
from camcore.network import Network
from camcore.text import counted, duration, readable
from camcore.training.folders import MIN_PER_CLASS, LabelledFolder, balanced_sample, read_folder, split

if TYPE_CHECKING:
    from camcore.bias.court import HeadCourt
    from camcore.cli.options import Commands
    from camcore.metrics.intervals import Rate

# The trunk's last layer tells cats from dogs so well already that its head needs no shortcut and learns none;
# half-way through the network the features are weaker, and the shortcut pays.
_BACKBONE, _LAYER = "MobileNetV2", "block_13_expand_relu"


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    bias = commands.add_parser(
        "bias",
        help="does a network look at the thing, or at what comes with it?",
        description="Does a network look at the thing, or at what comes with it?",
    )
    kinds = bias.add_subparsers(title="commands", required=True, metavar="COMMAND")

    measure = kinds.add_parser(
        "measure",
        help="how much of a class's CAM falls on a box or on masks, over a folder of pictures",
        description="The share of a class's CAM energy that falls on a region, beside the region's share of the area.",
    )
    add_network(measure, "NETWORK")
    measure.add_argument("folder", metavar="FOLDER", help="holds one folder of pictures for each class")
    measure.add_argument("--class", dest="class_name", required=True, metavar="CLASS", help="a class index or label")
    measure.add_argument("--only", metavar="NAME", help="only the pictures of this class folder")
    region = measure.add_mutually_exclusive_group(required=True)
    region.add_argument(
        "--box",
        nargs=4,
        type=float,
        metavar=("TOP", "LEFT", "BOTTOM", "RIGHT"),
        help="as shares of each picture's sides, 0 to 1",
    )
    region.add_argument("--masks", metavar="FOLDER", help="a mask for each picture under the same name, not black = in")
    measure.add_argument("--method", metavar="KEY", help="default: cam where it is exact, else gradcam")
    measure.add_argument("--layer", metavar="PATH", help="default: the recommended")
    measure.add_argument("--out", metavar="FILE.CSV", help="write the share of every picture here")
    add_json(measure)
    measure.set_defaults(run=measure_command)

    study = kinds.add_parser(
        "study",
        help="plant a cue in one class, see it in the maps, mend the data, see it gone",
        description="Trains three heads on the same pictures: without a cue, with a striped mark in the corner of "
        "every picture of one class, and with the mark on half of every class; shows what each looks at; and audits "
        "each, to see whether the mark is found by an audit that is not told of it.",
    )
    study.add_argument("folder", metavar="FOLDER", help="holds one folder of pictures for each class")
    study.add_argument("test", nargs="?", metavar="TEST", help="others to try the heads on (default: a part of these)")
    study.add_argument("--out", required=True, metavar="FOLDER", help="for study.json, energies.csv and PNGs")
    study.add_argument("--class", dest="class_name", metavar="NAME", help="which class gets the mark (default: last)")
    study.add_argument("--pictures", type=int, default=100, metavar="N", help="to learn from, per class (default: 100)")
    study.add_argument("--tries", type=int, default=50, metavar="N", help="to try on, per class (default: 50)")
    study.add_argument("--backbone", default=_BACKBONE, metavar="NAME", help=f"the trunk (default: {_BACKBONE})")
    study.add_argument("--layer", metavar="PATH", help=f"the trunk's last layer (default: {_LAYER}, or recommended)")
    study.add_argument("--weights", metavar="FILE", help="a weights file, or the word random")
    study.add_argument(
        "--sample", action="append", metavar="PICTURE", help="a picture to draw (default: scikit-image's cat)"
    )
    study.add_argument("--seed", type=int, default=0, help="of the choice of pictures (default: 0)")
    study.add_argument("--no-court", action="store_true", help="leave out the audits of the heads")
    study.add_argument(
        "--keep", metavar="FOLDER", help="a new folder to keep pictures, heads and audits in, for the Audit page"
    )
    add_json(study)
    study.set_defaults(run=study_command)


# ---- measure


def measure_command(given: argparse.Namespace) -> None:
    """Run ``bias measure``."""
    check_network_options(given)
    data = read_folder(given.folder, least=1)
    if given.only is not None:
        data = data.take((data.labels == _class_folder(data, given.only)).nonzero()[0])
    region: Region = masks_beside(data, given.masks) if given.masks else _box(given.box)
    net = load_network(given)
    framing = given.framing or net.framing
    index = class_named(net, given.class_name)
    result = finished(
        energy_in_region(net, data, region, index, method=given.method, layer=given.layer, framing=framing)
    )
    if given.json:
        print_json(
            {
                "network": net.name,
                "method": result.method,
                "layer": result.layer,
                "framing": framing,
                "class_index": index,
                "label": net.labels[index],
                "region": {"masks": given.masks} if given.masks else {"box": given.box},
                "pictures": len(result.shares),
                "skipped": [{"file": one.file, "reason": one.reason} for one in result.skipped],
                "energy": asdict(result.energy),
            }
        )
    else:
        _print_energy(given, net.name, readable(net.labels[index]), result)
    if given.out:
        write_shares(given.out, result.shares)
        print(f"wrote {given.out}", file=sys.stderr)


def _print_energy(given: argparse.Namespace, network: str, label: str, result: RegionEnergy) -> None:
    place = f"the masks of {given.masks}" if given.masks else f"the box {' '.join(f'{edge:g}' for edge in given.box)}"
    print(f"{network}, {result.method} at {result.layer} for {label!r}, energy on {place}")
    print(f"  {len(result.shares)} pictures, skipped: {len(result.skipped)}")
    for one in result.skipped:
        print(f"    {one.file}: {one.reason}")
    print(f"  energy {_energy(result.energy)}")
    if result.energy.empty:
        print(f"  {result.energy.empty} maps were empty and count as 0")


def _box(edges: Sequence[float]) -> Box:
    top, left, bottom, right = edges
    return top, left, bottom, right


def _class_folder(data: LabelledFolder, name: str) -> int:
    if name not in data.classes:
        raise CamcoreError(
            f"There is no class folder {name!r} in '{data.root}'. It holds {', '.join(data.classes)}. Name one of "
            "these."
        )
    return data.classes.index(name)


def _energy(energy: Energy) -> str:
    if not energy.n:
        return "– (no pictures)"
    return f"{energy.value:.1%} (95 % interval {energy.low:.1%} to {energy.high:.1%}), area {energy.area:.1%}"


# ---- study


def study_command(given: argparse.Namespace) -> None:
    """Run ``bias study``."""
    for option, count in (("--pictures", given.pictures), ("--tries", given.tries)):
        if count < MIN_PER_CLASS:
            raise CamcoreError(
                f"{option} {count} is too few: each class needs at least {MIN_PER_CLASS}. The defaults are good ones."
            )
    training, testing = _pictures(given)
    name = given.class_name or training.classes[-1]
    marked = _class_folder(training, name)
    samples = [camcore.open_picture(path) for path in given.sample or _cat()]  # wrong files are told before long work
    backbone = camcore.load(given.backbone, weights=given.weights)
    layer = given.layer or (_LAYER if given.backbone == _BACKBONE else None)

    networks: dict[str, Network] = {}
    study: Study | None = None
    said = sys.stderr if given.json else sys.stdout
    print(
        f"the mark goes with {readable(name)}; {backbone.name}'s trunk to {backbone.layer_with_grid(layer).path}",
        file=said,
    )
    trainer = head_trainer(backbone, layer, given.seed)
    keep = Path(given.keep) if given.keep else None
    for step in run_study(
        training, testing, trainer, marked=marked, seed=given.seed, court=not given.no_court, keep=keep
    ):
        study = step.study
        if step.head is not None and step.network is not None:
            networks[step.head.name] = step.network
            _print_head(step.head, readable(name), said)
        else:
            show_progress(f"{step.done} of {step.total}: {step.message}")
    assert study is not None
    record = {
        "backbone": backbone.name,
        "weights": backbone.weights_note,
        "pictures": f"{Path(given.folder).name}: {study.training} to learn from, {study.testing} to try on",
        "seconds": round(step.seconds, 1),
    }
    written = write_study(given.out, study, draw_samples(networks, samples, study), record)
    print(f"wrote {len(written)} files to {given.out} after {duration(step.seconds)}", file=said)
    if keep is not None and not given.no_court:
        print(f"the planted head's audit is in {keep / 'planted' / 'audit'}: open it on the Audit page", file=said)
    if given.json:
        print_json({"folder": given.out, **read_json(written[-1])})


def _pictures(given: argparse.Namespace) -> tuple[LabelledFolder, LabelledFolder]:
    data = read_folder(given.folder)
    if given.test:
        training, testing = data, read_folder(given.test)
    else:
        share = given.tries / (given.tries + given.pictures)
        training, testing = split(data, share, given.seed)
    return (
        balanced_sample(training, given.pictures, given.seed),
        balanced_sample(testing, given.tries, given.seed),
    )


def _print_head(head: StudyHead, marked: str, file: TextIO) -> None:
    print(f"  {head.name:8s} accuracy: {_rates(head.accuracy)}", file=file)
    for cue, energy in head.energy.items():
        print(f"           energy in the corner, {cue} the mark: {_energy(energy)}", file=file)
    if head.court is not None:
        _print_court(head.court, marked, file)


def _print_court(court: HeadCourt, marked: str, file: TextIO) -> None:
    print(f"           audited: {counted(court.groups, 'group')}, suspected of a shortcut: {court.suspects}", file=file)
    first = court.first
    if first is None or not first.suspect:
        return
    have = f"{court.marked} are {marked}s with the mark" if court.marked else "none has the mark"
    print(f"           {group_name(first)}: {counted(first.size, 'picture')}, {have}", file=file)
    for reason in trial(first):
        print(f"             {reason}", file=file)
    if court.mended:
        print(f"           with that taken out of its head, accuracy: {_rates(court.mended)}", file=file)


def _rates(rates: Mapping[str, Rate]) -> str:
    return ", ".join(f"{key} {rates[key].value:.1%}" for key in TRIALS)


def _cat() -> list[Path]:
    """The cat among scikit-image's photographs, found without importing it; none where it is not installed."""
    spec = importlib.util.find_spec("skimage")
    path = Path(spec.origin or "").parent / "data" / "chelsea.png" if spec else Path()
    return [path] if path.is_file() else []
