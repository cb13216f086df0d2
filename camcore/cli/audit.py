"""``python -m camcore audit``: how good a network is on many pictures, where it looks, and because of what."""

from __future__ import annotations

import argparse
import math
import sys
from typing import TYPE_CHECKING

from camcore.audits import report_words
from camcore.audits.engine import audit
from camcore.audits.figures import accuracy
from camcore.audits.filters import Filters
from camcore.audits.groups import Group, failing_groups, read_groups
from camcore.audits.report import NAME as REPORT
from camcore.audits.step import AuditStep
from camcore.audits.store import Audit, open_audit
from camcore.audits.summary import summary
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
from camcore.text import counted, duration, percent, readable

if TYPE_CHECKING:
    from collections.abc import Sequence

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
    where = parser.add_mutually_exclusive_group()
    where.add_argument(
        "--workers", type=int, metavar="N", help="worker processes; 0 for none (default: as many as cores, if it pays)"
    )
    where.add_argument("--cluster", metavar="ADDRESS", help="of a Dask scheduler: tcp://host:8786")
    add_audit_options(parser)
    parser.add_argument("--unlabelled", action="store_true", help="leave the labels of folder or table aside")
    parser.add_argument("--no-court", action="store_true", help="leave out the trials of its groups for shortcuts")
    add_json(parser)
    parser.set_defaults(run=audit_command)


def audit_command(given: argparse.Namespace) -> None:
    """Run the command."""
    check_network_options(given)
    network = load_network(given)

    steps = audit(
        network,
        given.pictures,
        given.out,
        labelled=False if given.unlabelled else None,
        cluster=given.cluster,
        **audit_choices(given),
        court=not given.no_court,
    )
    step = None
    try:
        for step in steps:
            show_progress(audit_progress(step), step.stage == "done")
    except KeyboardInterrupt:
        done = "" if step is None else f" after {step.done:,} of {counted(step.total, 'picture')}"
        print(f"\nstopped{done}; the same command goes on from here, the audit is in {given.out}", file=sys.stderr)
        raise
    made, groups = open_audit(given.out), read_groups(given.out)
    if given.json:
        print_json(summary(made, groups))
    else:
        _print(made, groups)


def audit_progress(step: AuditStep) -> str:
    """The progress of an audit in words."""
    if step.stage in ("groups", "report"):
        return "groups of alike evidence" if step.stage == "groups" else "the report"
    if step.stage == "court":
        return f"trials of the groups: {step.tried:,} of at most {counted(step.trials, 'picture')}"
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


def _print(audit: Audit, groups: Sequence[Group]) -> None:
    manifest = audit.manifest
    print(f"{manifest.network.name} on {manifest.pictures}")
    left_out = f", {counted(manifest.left_out, 'other file')} left out" if manifest.left_out else ""
    print(f"  {counted(manifest.total, 'picture')}{left_out}, {_time(manifest.seconds)} of work")
    right = accuracy(audit)
    if right.n:
        print(f"  accuracy   {right.in_words}")
    elif manifest.failed == manifest.total:
        print("  no answers: none of the pictures could be used")
    else:
        mean = audit.sql("select avg(probability) as p from rows")["p"][0].as_py()
        sure = "–" if mean is None else percent(mean)
        print(f"  no labels; the first answer has a probability of {sure} in the mean")
    print(f"  groups     {counted(len(groups), 'group')} of alike evidence")
    for group in failing_groups(groups):
        if group.clearly_failing and group.accuracy is not None and group.class_accuracy is not None:
            name = f"{readable(group.label)} {group.number}"
            print(f"    {name}: {group.accuracy.in_words}, its class {percent(group.class_accuracy.value)}")
    for group in (one for one in groups if one.suspect):
        print(f"  suspect    {readable(group.label)} {group.number}, {counted(group.size, 'picture')}")
        for reason in report_words.trial(group):
            print(f"    {reason}")
    if manifest.failed:
        print(f"  errors     {counted(manifest.failed, 'picture')} could not be used")
        for row in audit.table(["path", "error"], Filters(failed=True), limit=_MOST_ERRORS).to_pylist():
            print(f"    {row['path']}: {row['error']}")
    print(f"  {manifest.method} at {manifest.layer}; {REPORT}, rows, maps and evidence are in {audit.folder}")
