"""``python -m camcore trust photo.jpg``: how far to trust a map, with the reasons."""

from __future__ import annotations

import argparse
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
from camcore.methods import find_method
from camcore.report.trust import trust_record
from camcore.text import duration, percent, readable
from camcore.verdict.gather import PLANS, Trust

if TYPE_CHECKING:
    from camcore.cli.options import Commands

_MARKS = {"for": "+", "against": "−", "beware": "!", "note": "·"}


def add_parser(commands: Commands) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "trust",
        help="how far to trust a map, with the reasons",
        description="Judges a map by what the network does when parts of the picture go, and by what is left of the "
        "map when the network's weights are drawn at random.",
    )
    add_pictures(parser)
    add_network(parser)
    parser.add_argument(
        "--method", action="append", metavar="KEY", help="a method's key; repeat for more (default: gradcam)"
    )
    parser.add_argument("--layer", metavar="PATH", help="a layer (default: the recommended)")
    parser.add_argument(
        "--class", dest="class_", metavar="CLASS", help="a class index or label (default: what the network says)"
    )
    parser.add_argument("--full", action="store_true", help="finer curves, ROAD, ADCC, the cascade of random layers")
    add_json(parser)
    parser.set_defaults(run=_trust)


def _trust(given: argparse.Namespace) -> None:
    check_network_options(given)
    methods = given.method or ["gradcam"]
    for key in methods:
        find_method(key)
    pictures = [camcore.open_picture(path) for path in given.pictures]  # wrong files are told before long work
    network = load_network(given)
    framing = given.framing or network.framing
    index = None if given.class_ is None else class_named(network, given.class_)
    form = "full" if given.full else "quick"
    assert form in PLANS
    records: list[dict[str, object]] = []
    for path, pic in zip(given.pictures, pictures, strict=True):
        for m in camcore.explain(network, pic, methods, given.layer, index, framing):
            passes = camcore.trust_passes(network, m, form)
            if not given.json:
                title = camcore.METHODS[m.method].title
                print(f"{path}: {network.name}, {title} for {readable(m.label)!r} ({percent(m.probability)})")
                print(f"  {form} form, at most {passes:.0f} forward passes")
            for step in camcore.trust(network, pic, m, form):
                text = f"{step.doing}: {step.done:.0f} of {step.total:.0f} passes"
                show_progress(text, step.done >= step.total)
            if given.json:
                records.append({"picture": path, "passes": passes, "seconds": step.seconds, **trust_record(step.trust)})
            else:
                _print(step.trust, step.seconds)
    if given.json:
        print_json(records)


def _print(trust: Trust, seconds: float) -> None:
    assert trust.verdict is not None
    print(f"  {trust.verdict.headline}  ({duration(seconds)})")
    for reason in trust.verdict.reasons:
        print(f"  {_MARKS[reason.kind]} {reason.text}")
    for one in trust.more[:2]:
        assert one.road is not None
        coherent = "" if one.adcc is None else f", ADCC {one.adcc:.2f}"
        print(f"    {one.name:10s} ROAD (LeRF − MoRF)/2 {one.road.combined:+.3f}{coherent}")
    for stage in trust.stages:
        print(f"    {stage.layers:4d} of {stage.total} layers random: rank correlation {stage.spearman:+.2f}")
