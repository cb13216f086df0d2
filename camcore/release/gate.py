"""The gate: the audits of two versions of a network on the same pictures, judged by a policy."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from camcore.audits.engine import AUDIT_CHOICES, a_source
from camcore.audits.sources import list_pictures
from camcore.audits.step import AuditStep
from camcore.audits.store import Audit, open_audit
from camcore.checks import checked, optional
from camcore.generators import Returning
from camcore.heatmaps.arguments import a_network, a_path
from camcore.network import Network
from camcore.release.enough import check_enough
from camcore.release.judged import FAILED, NOT_EXAMINED, Judgement, judge
from camcore.release.masks import mask_files
from camcore.release.notes import check_classes, notes
from camcore.release.policy import Policy, a_policy, read_policy
from camcore.release.steps import Auditing, Choices, an_audit, begin, compare
from camcore.release.versions import Versions
from camcore.text import counted

Stage = Literal["old", "new", "reasons", "masks", "done"]


@dataclass(frozen=True, eq=False)
class CheckResult:
    """The outcome of a gate: every rule's judgement, and ``notes`` that readers should know."""

    policy: Policy
    versions: Versions
    rules: tuple[Judgement, ...]
    notes: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Tell whether the new version may replace the old one."""
        return not any(rule.refuses for rule in self.rules)

    @property
    def verdict(self) -> str:
        """The outcome in a sentence."""
        new, old = (audit.manifest.network.name for audit in (self.versions.new, self.versions.old))
        may = "may" if self.passed else "may not"
        states = [rule.state for rule in self.rules]
        kept = f"{states.count('passed'):,} of {counted(len(states), 'rule')} passed"
        failed = [f"{states.count(state):,} {state}" for state in (FAILED, NOT_EXAMINED) if state in states]
        which = "The new version" if new == old else new
        return f"{which} {may} replace {'the old one' if new == old else old}: {', '.join([kept, *failed])}."


@dataclass(frozen=True, eq=False)
class CheckStep:
    """The progress of a gate: ``done`` of ``total`` pictures at this ``stage``, the last one ``done``, with ``result``.

    Stages: the audits of the ``old`` and the ``new`` network, with their AuditStep as ``audit``; the comparison of the
    ``reasons``, and of the maps with the ``masks``.
    """

    stage: Stage
    done: int
    total: int
    audit: AuditStep | None = None
    result: CheckResult | None = None


@checked(
    new=a_network,
    old=a_network,
    pictures=a_source,
    policy=a_policy,
    out=a_path,
    masks=optional(a_path),
    **AUDIT_CHOICES,
)
def check(
    new: Network,
    old: Network,
    pictures: str | os.PathLike[str],
    policy: Policy | str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    masks: str | os.PathLike[str] | None = None,
    method: str | None = None,
    layer: object = None,
    framing: str | None = None,
    workers: int | None = None,
    limit: int | None = None,
    seed: int = 0,
) -> Generator[CheckStep, None, None]:
    """Check by a policy whether a new version of a network may replace the old one; the last CheckStep has the result.

    Both are audited on the same pictures, each into a folder of its own below ``out``: what is there already is kept,
    so that a gate that was stopped goes on, and the old network is audited once for all its successors. Closing the
    generator stops it within a chunk. ``policy``: a TOML file, or what ``read_policy`` made of it. ``masks``: a folder
    of the objects' masks, each at its picture's path there. The others as ``camcore.audit`` takes them.

    Raises CamcoreError at the call for arguments, a policy, pictures and masks that cannot be used, for networks
    without a class in common, and where so few pictures cannot prove what the policy asks for.

    With ``net = camcore.load("cats_vs_dogs")``, ``folder``, one that holds a picture, and ``out``, a new one:

    >>> policy = camcore.read_policy(b"[flips]\\nat_most = 0.01")
    >>> *_, step = camcore.check(net, net, folder, policy, out)
    >>> step.result.passed, step.result.rules[0].figure_text
    (True, '0.0 %')
    """
    rules = policy if isinstance(policy, Policy) else read_policy(policy)
    files = None if masks is None else mask_files(masks)
    check_classes(old.labels, new.labels)
    listing = list_pictures(os.fspath(pictures))
    choices = Choices(method, layer, framing, workers, limit, seed)
    tried = replace(choices, court=any(rule.name == "suspects" for rule in rules.rules))
    audits = [begin(old, listing, Path(out), choices), begin(new, listing, Path(out), tried)]
    if audits[0].weights_sha256 != audits[1].weights_sha256:
        sample = listing.sample(limit, seed)
        check_enough(rules, len(sample), sum(label is not None for label in sample.labels))
    return _audited(audits[0], audits[1], rules, files)


@checked(new=an_audit, old=an_audit, policy=a_policy, masks=optional(a_path))
def check_audits(
    new: Audit | str | os.PathLike[str],
    old: Audit | str | os.PathLike[str],
    policy: Policy | str | os.PathLike[str],
    *,
    masks: str | os.PathLike[str] | None = None,
) -> Generator[CheckStep, None, None]:
    """Check two versions of a network as ``check`` does, by audits of the same pictures that are there already.

    With ``out``, the folder of an audit of a picture without a label:

    >>> policy = camcore.read_policy(b"[reasons_moved]\\nat_most = 0.1\\n[accuracy]\\nat_least = 0.9")
    >>> *_, step = camcore.check_audits(out, out, policy)
    >>> [(one.rule.name, one.state) for one in step.result.rules]
    [('accuracy', 'not examined'), ('reasons_moved', 'passed')]
    """
    one, other = (audit if isinstance(audit, Audit) else open_audit(audit) for audit in (old, new))
    rules = policy if isinstance(policy, Policy) else read_policy(policy)
    check_classes(one.manifest.network.labels, other.manifest.network.labels)
    return _judged(one, other, rules, None if masks is None else mask_files(masks))


def outcome(versions: Versions, policy: Policy) -> CheckResult:
    """The outcome of two versions that were compared, by a policy."""
    return CheckResult(policy, versions, judge(versions, policy), notes(versions))


def _audited(
    old: Auditing, new: Auditing, policy: Policy, masks: Mapping[str, Path] | None
) -> Generator[CheckStep, None, None]:
    stages: tuple[tuple[Stage, Auditing], ...] = (("old", old), ("new", new))
    for stage, one in stages:
        with contextlib.closing(one.steps) as steps:
            for step in steps:
                yield CheckStep(stage, step.done, step.total, step)
    yield from _judged(open_audit(old.folder), open_audit(new.folder), policy, masks)


def _judged(
    old: Audit, new: Audit, policy: Policy, masks: Mapping[str, Path] | None
) -> Generator[CheckStep, None, None]:
    steps = Returning(compare(old, new, masks))
    for step in steps:
        yield CheckStep("masks" if step.masks else "reasons", step.done, step.total)
    versions = steps.result
    yield CheckStep("done", versions.common, versions.common, result=outcome(versions, policy))
