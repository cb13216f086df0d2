"""``python -m camcore check``: may a new version of a network replace the old one, by the rules of a policy?"""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from camcore.audits.manifest import NAME as MANIFEST
from camcore.cli.audit import audit_progress
from camcore.cli.options import (
    add_audit_options,
    add_json,
    add_network,
    audit_choices,
    check_network_options,
    load_network,
    print_json,
    show_progress,
)
from camcore.errors import CamcoreError
from camcore.files import unwritable, write_whole
from camcore.release.gate import CheckResult, CheckStep, check, check_audits
from camcore.release.junit import to_junit
from camcore.release.kept import keep_check
from camcore.release.masks import mask_files
from camcore.release.policy import Policy, read_policy
from camcore.release.report import to_html
from camcore.release.summary import summary
from camcore.text import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from camcore.cli.options import Commands


class _Gated(Protocol):
    @property
    def result(self) -> object: ...


Step = TypeVar("Step", bound=_Gated)

OUT = "camcore-check"
"""The folder of the audits where none is named."""


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    parser = commands.add_parser(
        "check",
        help="may a new version of a network replace the old one, by the rules of a policy?",
        description="Audits both networks on the same pictures and judges them by a policy in TOML (docs/release.md). "
        "Exit code 0: it may replace it; 1: it may not; 2: it could not be checked. Audits are kept: run it again to "
        "go on after it was stopped, or to check the next version. NEW and OLD may also be folders of audits.",
    )
    add_network(parser, "NEW")
    parser.add_argument("--against", required=True, metavar="OLD", help="the network that it would replace")
    parser.add_argument("--against-weights", metavar="FILE", help="its weights file, or the word random")
    parser.add_argument("--data", metavar="PICTURES", help="a folder, a table or an address")
    parser.add_argument("--policy", required=True, metavar="FILE", help="the rules, in TOML")
    add_gate_options(parser)
    parser.add_argument("--junit", metavar="FILE", help="write the rules as JUnit XML, for a build server")
    parser.add_argument("--html", metavar="FILE", help="write a report with the pictures that changed")
    add_json(parser)
    parser.set_defaults(run=check_command, error_code=2, unread_code=2)


def add_gate_options(parser: argparse.ArgumentParser) -> None:
    """Add the choices of the audits that a gate makes."""
    parser.add_argument("--masks", metavar="FOLDER", help="masks of the objects, each at its picture's path there")
    parser.add_argument("--out", default=OUT, metavar="FOLDER", help=f"where the audits are kept (default: {OUT})")
    parser.add_argument("--workers", type=int, metavar="N", help="worker processes; 0 for none")
    add_audit_options(parser)


def check_command(given: argparse.Namespace) -> int:
    """Run the command; returns its exit code."""
    policy = read_policy(given.policy)
    if given.masks is not None:
        mask_files(given.masks)
    for file in (given.junit, given.html):
        if file is not None:
            _check_file(Path(file))
    result = followed(_steps(given, policy), _progress, given.out).result
    assert result is not None, "the last step has it"
    with contextlib.suppress(CamcoreError):  # audits of others may be there to be read only
        keep_check(result)
    for file, content in ((given.junit, to_junit), (given.html, lambda made: to_html(made, given.masks or ""))):
        if file is not None:
            write_whole(Path(file), content(result))
    if given.json:
        print_json(summary(result))
    else:
        _print(result)
    return 0 if result.passed else 1


def _progress(step: CheckStep) -> str:
    """The progress of a gate in words."""
    if step.audit is not None:
        return f"{step.stage} network: {audit_progress(step.audit)}"
    what = {"reasons": "compared", "masks": "held against their masks"}.get(step.stage, "done")
    return f"{step.done:,} of {counted(step.total, 'picture')} {what}"


def followed(steps: Iterator[Step], words: Callable[[Step], str], out: str) -> Step:
    """The last of the steps; meanwhile a line on standard error renews itself, on a terminal.

    An interrupt says that the audits are in ``out``.
    """
    step = None
    try:
        for step in steps:
            show_progress(words(step), step.result is not None)
    except KeyboardInterrupt:
        print(f"\nstopped; the same command goes on from here, the audits are in {out}", file=sys.stderr)
        raise
    assert step is not None, "there is always a last one"
    return step


def _steps(given: argparse.Namespace, policy: Policy) -> Iterator[CheckStep]:
    if all_audits((given.model, given.against), given.data):
        return check_audits(given.model, given.against, policy, masks=given.masks)
    check_network_options(given)
    return check(
        load_network(given),
        load_network(argparse.Namespace(**{**vars(given), "model": given.against, "weights": given.against_weights})),
        given.data,
        policy,
        given.out,
        masks=given.masks,
        **audit_choices(given),
    )


def all_audits(given: Sequence[str], data: str | None) -> bool:
    """Tell folders of audits, which need no ``data``, from networks, which do. CamcoreError for some of each."""
    audits = [name for name in given if os.path.isfile(Path(name) / MANIFEST)]
    if not audits:
        if data is None:
            raise CamcoreError(
                "There are no pictures to compare the networks on. Give --data PICTURES: a folder, a table or an "
                "address."
            )
        return False
    if len(audits) < len(given):
        raise CamcoreError(f"'{audits[0]}' is an audit, and not all of them are. Give audits only, or networks only.")
    if data is not None:
        raise CamcoreError(
            f"--data {data} is of no use here: '{audits[0]}' is an audit, of pictures of its own. Leave it out, or "
            "give the networks."
        )
    return True


def _check_file(path: Path) -> None:
    """Raise CamcoreError for a file that cannot be written, before the long work."""
    try:
        if path.is_dir():
            raise IsADirectoryError(0, "it is a folder")
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise unwritable(path, error) from error


def _print(result: CheckResult) -> None:
    print(f"{'passed' if result.passed else 'refused'}: {result.verdict}")
    for note in result.notes:
        print(f"  note: {note}")
    for one in result.rules:
        print(f"  {one.state:12s}  {one.rule.name:20s}  {one.sentence}")
