"""``python -m camcore spread``: how far networks of one recipe differ, as a policy that all of them pass."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from camcore.cli.audit import audit_progress
from camcore.cli.check import add_gate_options, all_audits, followed
from camcore.cli.options import (
    add_json,
    add_network_options,
    audit_choices,
    check_network_options,
    load_network,
    print_json,
)
from camcore.release.kinds import JUDGED_BY, WORST
from camcore.release.proposal import to_facts, to_toml
from camcore.release.spread import SpreadStep, loosened, spread, spread_audits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from camcore.cli.options import Commands


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    parser = commands.add_parser(
        "spread",
        help="how far networks of one recipe and other seeds differ, as a policy for check",
        description="Prints a policy in TOML that each of the networks passes in the place of every other one, with "
        "the figures that its limits come from: camcore spread A B C --data PICTURES > policy.toml. Folders of audits "
        "may stand for the networks.",
    )
    parser.add_argument("networks", nargs="+", metavar="NETWORK", help="two or more, of one recipe and other seeds")
    add_network_options(parser, weights=False)
    parser.add_argument("--data", metavar="PICTURES", help="a folder, a table or an address")
    add_gate_options(parser)
    parser.add_argument(
        "--by",
        default=WORST,
        choices=JUDGED_BY,
        help=f"the end of the interval that keeps the limits (default: {WORST})",
    )
    parser.add_argument(
        "--margin",
        type=float,
        default=0.0,
        metavar="X",
        help="loosen the limits by X times the distance of the worst figure from the mean (default: 0)",
    )
    add_json(parser)
    parser.set_defaults(run=spread_command)


def spread_command(given: argparse.Namespace) -> None:
    """Run the command."""
    result = followed(_steps(given), _progress, given.out).result
    assert result is not None, "the last step has it"
    loose = loosened(result, given.margin)
    if given.json:
        print_json(to_facts(loose))
    else:
        print(to_toml(loose), end="")


def _steps(given: argparse.Namespace) -> Iterator[SpreadStep]:
    if all_audits(given.networks, given.data):
        return spread_audits(given.networks, masks=given.masks, by=given.by)
    check_network_options(given)
    networks = [load_network(argparse.Namespace(**{**vars(given), "model": name})) for name in given.networks]
    return spread(networks, given.data, given.out, masks=given.masks, by=given.by, **audit_choices(given))


def _progress(step: SpreadStep) -> str:
    text = f"{step.done} of {step.total} audits and comparisons"
    return text if step.audit is None else f"{text}; {audit_progress(step.audit)}"
