"""Paths in an audit's report as its reader knows them: what was uploaded, or lies in the visitor's folder, has none."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from ui import policy
from ui.audit.running import AUDITS, UPLOADED, is_uploaded

if TYPE_CHECKING:
    from camcore.audits.manifest import Manifest
    from camcore.report.document import AuditItem
    from ui.audit.opened import OpenAudit

PICTURES, AUDIT = "PICTURES", "AUDIT"
"""Placeholders in commands for folders that go with the session: the reader fills in his own."""


def names(opened: OpenAudit) -> dict[str, str]:
    """Placeholders for paths in the files that a visitor takes away."""
    given, folder = opened.manifest.pictures, opened.audit.folder
    known = policy.visitor_names()
    if is_uploaded(given):
        known |= {given: PICTURES, shlex.quote(given): PICTURES}
    if policy.in_own_folder(folder, AUDITS):
        known[str(folder)] = AUDIT
    return known


def named(item: AuditItem, manifest: Manifest, known: Mapping[str, str]) -> AuditItem:
    """The entry of an audit with its pictures called as the visitor knows them. ``known``: as ``names`` told."""
    from camcore.report.blocks import Block, Command, Facts

    prose = dict(known)
    if known.get(manifest.pictures) == PICTURES:
        item = replace(item, source=f"{manifest.total:,} {UPLOADED}")
        prose[manifest.pictures] = UPLOADED

    def told(block: Block) -> Block:
        if isinstance(block, Facts):
            return Facts(tuple((name, policy.renamed(value, prose)) for name, value in block.rows))
        return Command(policy.renamed(block.text, known)) if isinstance(block, Command) else block

    return replace(
        item,
        source=policy.renamed(item.source, prose),
        command=policy.renamed(item.command, known),
        sections=tuple(replace(one, blocks=tuple(map(told, one.blocks))) for one in item.sections),
        files={
            name: policy.renamed(content.decode("utf-8"), prose).encode("utf-8") for name, content in item.files.items()
        },
    )
