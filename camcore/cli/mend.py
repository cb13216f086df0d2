"""``python -m camcore mend``: a network whose head does not count a shortcut any more, and what that changes."""

from __future__ import annotations

import argparse
import shlex
import sys
from typing import TYPE_CHECKING

from camcore.audits.manifest import read_manifest
from camcore.cli.options import add_json, add_network, check_network_options, load_network, print_json, show_progress
from camcore.errors import CamcoreError
from camcore.generators import Returning
from camcore.models.pickling import weights_hash
from camcore.shortcuts.mended import WAYS, keep_mending, mending_to_json
from camcore.shortcuts.mending import mend
from camcore.shortcuts.saving import free_folder, save_mended
from camcore.text import counted

if TYPE_CHECKING:
    from camcore.audits.manifest import Manifest
    from camcore.cli.options import Commands
    from camcore.metrics.intervals import Rate
    from camcore.network import Network


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    parser = commands.add_parser(
        "mend",
        help="take a shortcut that an audit found out of a network's head, and save the network",
        description="Mends a network that ends in a global average and a linear head of what a group of its audit "
        "rests on, and shows it before and after on pictures that the head was not mended on. The mended network is "
        "saved among the networks of your own, where every page and --model find it. Without --model the audit's "
        "network is loaded as it was.",
    )
    parser.add_argument("audit", metavar="AUDIT", help="the folder of an audit")
    parser.add_argument("--group", type=int, default=1, metavar="N", help="its place in groups.json (default: 1)")
    parser.add_argument("--out", metavar="FOLDER", help="where it is saved (default: among your own networks)")
    parser.add_argument("--way", choices=WAYS, default=WAYS[0], help="take its direction out, or fit the head anew")
    add_network(parser)
    add_json(parser)
    parser.set_defaults(run=mend_command, model=None)


def mend_command(given: argparse.Namespace) -> None:
    """Run the command."""
    from pathlib import Path

    check_network_options(given)
    network = _network(read_manifest(Path(given.audit)), given)
    steps = Returning(mend(network, given.audit, given.group, given.way))
    for done, total in steps:
        show_progress(f"{done:,} of {counted(total, 'picture')}", done == total)
    mended = steps.result
    saved = save_mended(mended, given.out or free_folder(network.name))
    try:
        keep_mending(given.audit, saved.name, mended.record)
    except CamcoreError as error:
        print(f"note: the record of it is with the network only. {error}", file=sys.stderr)
    if given.json:
        print_json({"saved": str(saved.folder), "name": saved.name, **mending_to_json(mended.record)})
        return
    for name, before, after in mended.record.rows:
        print(f"  {name:33} {_words(before)} before, {_words(after)} after")
    model = shlex.quote(str(saved.folder) if given.out else saved.name)
    print(f"saved in {saved.folder}; audit it again: python -m camcore audit PICTURES --model {model} --out FOLDER")


def _network(manifest: Manifest, given: argparse.Namespace) -> Network:
    """The network that is named, or else the audit's own."""
    given.model = given.model or manifest.network.source
    if not given.model:
        raise CamcoreError(
            f"The audit is of {manifest.network.name}, a network that only Python had. Name its file with --model, or "
            "use camcore.shortcuts.mending.mend with the network itself."
        )
    network = load_network(given)
    if weights_hash(network) != manifest.network.weights_sha256:
        raise CamcoreError(
            f"{given.model!r} has other weights than the network of this audit. What the audit found need not hold for "
            "it. Audit this one first."
        )
    return network


def _words(one: Rate | None) -> str:
    return "no labels" if one is None else one.in_words
