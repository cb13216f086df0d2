"""``python -m camcore decide``: may a network be used, from what evaluation, audit, reviews and gate left of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from camcore.audits.store import open_audit
from camcore.cli.options import add_json, add_network, check_network_options, load_network, print_json
from camcore.decision.decide import Decision, decide
from camcore.decision.report import LIMITS, entry, reason, summary
from camcore.errors import ModelError
from camcore.files import write_whole
from camcore.models import listing, saved
from camcore.models.pickling import weights_hash
from camcore.report.html import audit_to_html

if TYPE_CHECKING:
    import argparse

    from camcore.cli.options import Commands

_SIGNS = {"for": "+", "against": "-", "open": "?", "note": "."}


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    parser = commands.add_parser(
        "decide",
        help="may it be used? what speaks for it, what against it, and what was not examined",
        description="Reads what evaluate, audit, check, the reviews and training left of a network, and answers by "
        "three rules (docs/pages.md). It measures nothing: where something is missing, it says how to have it.",
    )
    add_network(parser, "NETWORK")
    parser.add_argument("--audit", metavar="FOLDER", help="an audit of this network")
    parser.add_argument("--html", metavar="FILE", help="write the answer as a page to share or print")
    add_json(parser)
    parser.set_defaults(run=decide_command)


def decide_command(given: argparse.Namespace) -> None:
    """Run the command."""
    decision = _decision(given)
    if given.html is not None:
        write_whole(Path(given.html), audit_to_html(entry(decision)))
    if given.json:
        print_json(summary(decision))
    else:
        _print(decision)


def _decision(given: argparse.Namespace) -> Decision:
    check_network_options(given)
    row = saved.find(given.model) or listing.find(given.model)
    if row is None:
        raise ModelError(
            f"There is no network {given.model!r} among those known by name, and what is kept of one is found by its "
            "name or folder. python -m camcore models lists them."
        )
    if given.audit is None:
        return decide(row)
    return decide(row, open_audit(given.audit), weights_hash(load_network(given)))


def _print(decision: Decision) -> None:
    print(f"May {decision.network} be used? {decision.headline}\n{reason(decision)}\n")
    for one in decision.points:
        print(f"  {_SIGNS[one.state]} {one.question} {one.text}")
        if one.remedy:
            print(f"      {one.remedy}")
    print("\nNot examined by any of this:")
    for text in LIMITS:
        print(f"  {text}")
    for note in decision.notes:
        print(f"note: {note}")
