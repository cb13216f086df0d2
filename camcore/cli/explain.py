"""``camcore explain``: heatmaps of pictures; ``camcore run``: the maps of a run.json made again."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import camcore
from camcore.class_names import class_named
from camcore.cli.options import (
    add_json,
    add_network,
    add_pictures,
    check_network_options,
    load_network,
    print_json,
    show_progress,
)
from camcore.errors import MethodError
from camcore.files import Json, read_json
from camcore.methods import find_method
from camcore.render.colour import COLORMAPS
from camcore.report.captions import answer_name, location
from camcore.text import duration, readable, score_text, strength

if TYPE_CHECKING:
    from camcore.cli.options import Commands
    from camcore.heatmaps.cam_map import CamMap
    from camcore.heatmaps.run import Step
    from camcore.network import Network
    from camcore.pictures.picture import Picture

Options = dict[str, dict[str, object]]
"""Options of methods by the methods' keys."""


def add_parser(commands: Commands, examples: str = "") -> None:
    """Add both commands. ``examples``: shown at the end of the help of ``explain``."""
    explain = commands.add_parser(
        "explain",
        help="heatmaps of pictures, as PNG, CSV and run.json",
        description="The network's predictions for each picture, and where it looks for them.",
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_pictures(explain)
    add_network(explain)
    explain.add_argument(
        "--method",
        action="append",
        metavar="KEY",
        help="a method's key; repeat for more (default: gradcam; occlusion where no layer has a grid)",
    )
    explain.add_argument(
        "--layer", action="append", metavar="PATH", help="a layer; repeat for more (default: the recommended)"
    )
    explain.add_argument(
        "--class",
        action="append",
        dest="classes",
        metavar="CLASS",
        help="a class index or label; repeat for more (default: what the network says)",
    )
    explain.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="METHOD:NAME=VALUE",
        help="an option of a method, such as fasterscorecam:n=30",
    )
    explain.add_argument(
        "--refine",
        action="append",
        default=[],
        metavar="NAME",
        help="aug (mean over mirrored and brightened copies) or eigen (main component instead of the sum)",
    )
    explain.add_argument("--alpha", type=float, default=0.7, help="opacity of the map, 0 to 1 (default: 0.7)")
    explain.add_argument(
        "--uniform", action="store_true", help="the same opacity everywhere; else it goes with the map's value"
    )
    explain.add_argument("--colormap", default="viridis", help=f"one of {', '.join(COLORMAPS)} (default: viridis)")
    explain.add_argument("--grid", action="store_true", help="show the layer's own cells, not interpolated")
    explain.add_argument("--out", metavar="FOLDER", help="write PNG, CSV and run.json here")
    add_json(explain)
    explain.set_defaults(run=explain_command)

    run = commands.add_parser(
        "run",
        help="make the maps of a run.json again, and say how far they differ",
        description="Makes every map of a run.json again and compares it with the CSV beside the file.",
    )
    run.add_argument("record", metavar="RUN.JSON", help="written by explain --out")
    run.add_argument("--custom", action="append", metavar="MODULE", help="a module with the model's custom classes")
    run.add_argument("--unsafe", action="store_true", help="let code that lies in the model's file run")
    add_json(run)
    run.set_defaults(run=run_command)


def explain_command(given: argparse.Namespace) -> None:
    """Run ``explain``."""
    check_network_options(given)
    for key in given.method or ():
        find_method(key)
    options = _options(given.option)
    pictures = [camcore.open_picture(path) for path in given.pictures]  # wrong files are told before long work
    network = load_network(given)
    framing = given.framing or network.framing
    classes = [class_named(network, text) for text in given.classes] if given.classes else None
    records: list[dict[str, Json]] = []
    for path, pic in zip(given.pictures, pictures, strict=True):
        maps = _maps(network, pic, given, classes, options, framing)
        if not given.json:
            _print_result(path, network, pic, maps)
        folder = None
        if given.out:
            folder = Path(given.out) / _folder_name(path, pic) if len(pictures) > 1 else Path(given.out)
            from camcore.report.exports import write_run

            look = (given.alpha, given.colormap, not given.grid, not given.uniform)
            written = write_run(folder, network, pic, maps, *look, source=path, weights=given.weights)
            print(f"  wrote {len(written)} files to {folder}", file=sys.stderr if given.json else sys.stdout)
        if given.json:
            records.append(_record(folder, path, network, pic, maps, given.weights))
    if given.json:
        print_json(records)


def _maps(
    network: Network,
    pic: Picture,
    given: argparse.Namespace,
    classes: list[int] | None,
    options: Options,
    framing: str,
) -> list[CamMap]:
    methods = given.method or ["gradcam" if given.layer or network.default_layer is not None else "occlusion"]
    maps: dict[tuple[str, str | None, int], CamMap] = {}
    steps = camcore.stream(network, pic, methods, given.layer, classes, framing, options, given.refine)
    for step in steps:
        for m in step.maps:
            maps[m.method, m.layer, m.class_index] = m
        _progress(step)
    order = {key: place for place, key in enumerate(methods)}
    return sorted(maps.values(), key=lambda m: order.get(m.method, len(order)))


def _progress(step: Step) -> None:
    """Show how far work of more than a second is."""
    if step.total >= 30:
        left = step.seconds / step.done * (step.total - step.done) if step.done else 0
        text = f"{step.done:.0f} of {step.total:.0f} passes, about {duration(left)} left"
        show_progress(text, step.done >= step.total or not step.partial)


def _print_result(path: str, network: Network, pic: Picture, maps: Sequence[CamMap]) -> None:
    print(f"{path}: {network.name}, {network.weights_note}")
    for note in pic.notes:
        print(f"  picture: {note}")
    for p in network.predict(pic, framing=maps[0].framing):
        print(f"  {strength(p):>8s}  {answer_name(p)} (class {p.index}, {score_text(p)})")
    for m in maps:
        title = camcore.METHODS[m.method].title
        where = location(m, None if m.layer is None else network.layer(m.layer))
        print(f"  {title} for {readable(m.label)!r}: {where}")
        strongest = _strongest(m)
        peak = "empty" if strongest is None else f"strongest at cell {strongest}"
        rest = f", offset {m.offset:.3f}" if m.offset is not None else ""
        print(f"    raw {m.raw.min():.4g} to {m.raw.max():.4g}, {peak}{rest}, {duration(m.seconds)}")
        if m.warning:
            print(f"    warning: {m.warning}")


def _record(
    folder: Path | None, path: str, network: Network, pic: Picture, maps: Sequence[CamMap], weights: str | None
) -> dict[str, Json]:
    """The content of run.json, whether or not it was written to a ``folder``, with the strongest cell of each map."""
    from camcore.report.document import findings_of
    from camcore.report.facts import versions
    from camcore.report.record import record

    files = [(None, None)] * len(maps)
    run: dict[str, Json] = (
        record(pic, os.path.abspath(path), findings_of(network, pic, maps, weights), versions(), files)
        if folder is None
        else {**read_json(folder / "run.json"), "folder": folder}
    )
    for one, m in zip(run["maps"], maps, strict=True):
        one["strongest"] = _strongest(m)
    return run


def _strongest(m: CamMap) -> tuple[int, int] | None:
    """The row and column of a map's strongest cell; None where it is empty."""
    row, column = divmod(int(m.values.argmax()), m.values.shape[1])
    return (row, column) if m.values.any() else None


def _folder_name(path: str, pic: Picture) -> str:
    return f"{Path(path).stem}-{pic.sha256[:8]}"


def _options(texts: Sequence[str]) -> Options:
    options: Options = {}
    for text in texts:
        method, colon, rest = text.partition(":")
        name, equals, value = rest.partition("=")
        if not (colon and equals and method and name):
            raise MethodError(f"The option {text!r} is not of the form METHOD:NAME=VALUE, such as fasterscorecam:n=30.")
        options.setdefault(method, {})[name] = _option_value(value)
    return options


def _option_value(text: str) -> object:
    """A whole number, a number, several whole numbers with commas between, or a word."""
    parts = [part.strip() for part in text.split(",")]
    if len(parts) > 1 and all(part.lstrip("-").isdigit() for part in parts if part):
        return tuple(int(part) for part in parts if part)
    for kind in (int, float):
        with contextlib.suppress(ValueError):
            return kind(text)
    return text


def run_command(given: argparse.Namespace) -> None:
    """Run ``run``."""
    from camcore.report.rerun import rerun

    repeated = rerun(given.record, given.custom or (), given.unsafe)
    if given.json:
        maps = [
            {
                "method": one.map.method,
                "layer": one.map.layer,
                "class_index": one.map.class_index,
                "label": one.map.label,
                "difference": one.difference,
            }
            for one in repeated.maps
        ]
        print_json({"notes": repeated.notes, "maps": maps})
        return
    for note in repeated.notes:
        print(f"note: {note}")
    for one in repeated.maps:
        m = one.map
        where = m.layer or "the input"
        print(f"{m.method} for {readable(m.label)!r} at {where}: differs by {one.difference:.2g} of the largest value")
