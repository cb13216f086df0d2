"""The outcome of a gate as values that JSON can hold, and the command that makes it again."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from camcore.audits.manifest import Manifest

if TYPE_CHECKING:
    from camcore.release.gate import CheckResult
    from camcore.release.judged import Judgement


def summary(result: CheckResult) -> dict[str, object]:
    """All facts of a gate; NaN where a figure is not defined."""
    versions, found = result.versions, result.versions.comparison
    return {
        "passed": result.passed,
        "verdict": result.verdict,
        "policy": {"file": result.policy.name, "sha256": result.policy.sha256},
        "new": _network(versions.new.manifest),
        "old": _network(versions.old.manifest),
        "identical": versions.identical,
        "pictures": versions.total,
        "compared": versions.common,
        "changes": dict(found.counts),
        "accuracy": {"old": found.accuracy.old.value, "new": found.accuracy.new.value, "p": found.accuracy.p},
        "rules": [_rule(one) for one in result.rules],
        "suspects": [
            {"class": one.label, "number": one.number, "share": one.share, "reasons": one.reasons}
            for one in versions.suspects
        ],
        "notes": result.notes,
    }


def _network(manifest: Manifest) -> dict[str, object]:
    return {
        "name": manifest.network.name,
        "source": manifest.network.source,
        "weights_sha256": manifest.network.weights_sha256,
        "pictures": manifest.pictures,
        "pictures_sha256": manifest.pictures_sha256,
        "method": manifest.method,
        "layer": manifest.layer,
        "framing": manifest.framing,
    }


def _rule(one: Judgement) -> dict[str, object]:
    rule, figure = one.rule, one.figure
    keys = {name: getattr(rule, name) for name in rule.kind.choices}
    if rule.kind.interval:
        keys["by"] = rule.by
    if not rule.kind.always:
        keys["if_not_examined"] = rule.if_not_examined
    return {
        "rule": rule.name,
        "state": one.state,
        "refuses": one.refuses,
        rule.kind.limit: rule.limit,
        **keys,
        "figure": None if figure is None else figure.value,
        "low": None if figure is None else figure.low,
        "high": None if figure is None else figure.high,
        "of": None if figure is None else figure.of,
        "n": None if figure is None else figure.n,
        "sentence": one.sentence,
    }


def command(result: CheckResult, masks: str = "") -> str:
    """The command that makes a gate again; empty for a network that only Python can make."""
    new, old = result.versions.new.manifest, result.versions.old.manifest
    if not (new.network.source and old.network.source):
        return ""
    words = ["python", "-m", "camcore", "check", new.network.source, "--against", old.network.source]
    words += ["--data", new.pictures, "--policy", result.policy.name]
    words += ["--masks", masks] if masks else []
    words += ["--method", new.method, "--framing", new.framing]
    words += ["--layer", new.layer] if new.layer == old.layer else []
    if new.limit is not None:
        words += ["--limit", str(new.limit), "--seed", str(new.seed)]
    return shlex.join(words)
