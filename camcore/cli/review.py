"""``python -m camcore review``: the reviews of an audit, each checked: its seals, its result, and that it is of it."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from camcore.audits.store import open_audit
from camcore.cli.options import add_json, print_json
from camcore.errors import CamcoreError
from camcore.reviews.decisions import decisions
from camcore.reviews.listing import Listed, list_reviews
from camcore.reviews.review import resumed

if TYPE_CHECKING:
    import argparse

    from camcore.audits.store import Audit
    from camcore.cli.options import Commands


def add_parser(commands: Commands) -> None:
    """Add the command to the command line's parser."""
    parser = commands.add_parser(
        "review",
        help="the reviews of an audit by people, with their results, checked",
        description="Lists the reviews that were made on the Audit page, or with camcore.start_review. Of each it "
        "checks the seals, that the result follows from the answers, and that it is a review of this audit. Ends with "
        "1 where one of them cannot be verified.",
    )
    parser.add_argument("audit", metavar="AUDIT", help="the folder of an audit")
    add_json(parser)
    parser.set_defaults(run=review)


def review(given: argparse.Namespace) -> None:
    """Run the command."""
    audit = open_audit(given.audit)
    listed = list_reviews(audit.folder)
    problems = [_problem(audit, one) for one in listed]
    if given.json:
        print_json([_facts(one, problem) for one, problem in zip(listed, problems, strict=True)])
    elif not listed:
        print(f"no review of the audit in {audit.folder} yet: make one on the Audit page")
    else:
        for one, problem in zip(listed, problems, strict=True):
            print(f"{one.about}\n  {problem or one.text}")
    failed = sum(map(bool, problems))
    if failed:
        raise CamcoreError(
            f"{failed} of {len(listed)} reviews cannot be verified. They were damaged or altered, or are of another "
            "audit. Leave them out of account, or take the files from a backup."
        )


def _problem(audit: Audit, one: Listed) -> str:
    """The reason why a review cannot be relied on; empty where it can."""
    if one.record is None:
        return one.text
    try:
        resumed(audit, decisions(audit, one.record.header.said), one.record)
    except CamcoreError as error:
        return str(error)
    return ""


def _facts(one: Listed, problem: str) -> dict[str, object]:
    record = one.record
    facts: dict[str, object] = {"file": one.file, "verified": not problem, "text": problem or one.text}
    if record is not None:
        header = dataclasses.asdict(record.header)
        facts |= {"header": header, "answers": len(record.standing)}
        facts["result"] = None if record.result is None else dataclasses.asdict(record.result)
    return facts
