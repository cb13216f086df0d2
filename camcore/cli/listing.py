"""``python -m camcore layers``, ``models`` and ``methods``: lists."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING

import camcore
from camcore.cli.options import (
    add_json,
    add_network,
    brings_own_weights,
    check_network_options,
    load_network,
    print_json,
)
from camcore.errors import CamcoreError, ModelError
from camcore.graph.layers import NO_GRID, WITHOUT_LAYER
from camcore.models import factories, hub_presets
from camcore.models.listing import NetworkListing
from camcore.report.captions import geometry

if TYPE_CHECKING:
    from camcore.cli.options import Commands
    from camcore.methods import MethodInfo


def add_parser(commands: Commands) -> None:
    """Add the three commands."""
    parser = commands.add_parser("layers", help="the layers of a backbone, the recommended one marked")
    add_network(parser, "MODEL", weights=False)
    parser.add_argument("--all", action="store_true", help="also those that can carry no heatmap, with the reason")
    add_json(parser)
    parser.set_defaults(run=layers)
    parser = commands.add_parser("models", help="all backbones and saved networks, and whether their weights are here")
    parser.add_argument("--hub", action="store_true", help="in their place the presets of keras_hub, named hub:NAME")
    add_json(parser)
    parser.set_defaults(run=models)
    parser = commands.add_parser("methods", help="all methods, what they answer and cost")
    parser.add_argument("--markdown", action="store_true", help="as the table of docs/methods.md")
    add_json(parser)
    parser.set_defaults(run=methods)


def layers(given: argparse.Namespace) -> None:
    """Run ``layers``: every layer that can carry a heatmap, the recommended one marked."""
    check_network_options(given)
    # The structure is the same with any weights, and none need be downloaded.
    network = load_network(given, weights=None if brings_own_weights(given.model) else "random")
    shown = [info for info in network.layers if info.usable or given.all]
    if given.json:
        print_json(
            {
                "network": network.name,
                "input_size": network.input_size,
                "recommended": network.default_layer,
                "layers": [asdict(info) for info in shown],
            }
        )
        return
    print(f"{network.name}: {network.input_size[0]}×{network.input_size[1]} input, * = recommended")
    for info in shown:
        mark = "*" if info.recommended else " "
        print(f"{mark} {info.path:42s} {info.kind:14s} {geometry(info) if info.grid else ''}")
        if info.recommended or not info.usable:
            print(f"    {info.reason}")
    if network.default_layer is None:
        print(f"{NO_GRID} {WITHOUT_LAYER}")


def models(given: argparse.Namespace) -> None:
    """Run ``models``: every network that ``load`` knows by name, or every preset of keras_hub."""
    if given.hub and not hub_presets.installed():
        raise ModelError(f"keras_hub is not installed, so it has no presets here. Install it: {hub_presets.INSTALL}.")
    rows: tuple[NetworkListing, ...] = hub_presets.presets() if given.hub else camcore.backbones()
    for problem in factories.problems():
        print(f"note: {problem}", file=sys.stderr)
    if given.json:
        print_json(
            [
                {
                    "name": row.name,
                    "input_size": row.input_size,
                    "parameters": row.parameters,
                    "weights": row.weights_state,
                    "trained_on": row.summary or None,
                }
                for row in rows
            ]
        )
        return
    widest = max(20, *(len(row.name) for row in rows))
    for row in rows:
        size = "{:3d}×{:<3d}".format(*row.input_size) if row.input_size else "      ?"
        count = f"{row.parameters / 1e6:6.1f}" if row.parameters else "     ?"
        known = f"{row.name:{widest}s} {size} {count} M parameters"
        learned = f"trained on {row.summary}" if row.summary else ""
        print(f"{known}   {row.weights_state:16s} {learned}".rstrip())


def methods(given: argparse.Namespace) -> None:
    """Run ``methods``: every method, as text, as JSON or as a table in Markdown."""
    if given.json and given.markdown:
        raise CamcoreError("--json and --markdown are two forms of one list. It can be printed in one. Leave one out.")
    if given.json:
        print_json([_method(info) for info in camcore.METHODS.values()])
        return
    if given.markdown:
        print("| key | method | what it answers | cost | source |")
        print("| --- | --- | --- | --- | --- |")
        for info in camcore.METHODS.values():
            source = f"[{info.paper}]({info.url}), {info.equation}"
            print(f"| `{info.key}` | {info.title} | {info.summary} | {info.cost} | {source} |")
        return
    for info in camcore.METHODS.values():
        print(f"{info.key:16s} {info.title} ({info.year})")
        print(f"    {info.summary}")
        print(f"    cost: {info.cost}")
        for name, option in info.options.items():
            choice = ", ".join(option.choices)
            if not choice:
                choice = "class indices" if isinstance(option.default, tuple) else f"{option.low} to {option.high}"
            print(f"    option {name}={option.default}: {option.help} ({choice})")
        print(f"    {info.paper}, {info.equation}. {info.url}")


def _method(info: MethodInfo) -> dict[str, object]:
    names = (
        "key",
        "title",
        "year",
        "family",
        "summary",
        "cost",
        "signed",
        "class_specific",
        "paper",
        "equation",
        "url",
    )
    options = {
        name: {key: getattr(option, key) for key in ("default", "choices", "low", "high", "help")}
        for name, option in info.options.items()
    }
    return {**{name: getattr(info, name) for name in names}, "options": options}
