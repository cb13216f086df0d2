"""The evidence on a map as files: a JSON record, and a table of every single figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from camcore.files import json_ready, to_csv
from camcore.metrics.faithfulness import Curve, Faithfulness
from camcore.metrics.faithfulness.sufficiency import Sufficiency
from camcore.metrics.sanity import Randomised
from camcore.verdict.gather import Trust

SCHEMA_VERSION = 1

Row = tuple[str, str, str, float | None, float]
"""figure, of what (the method's key or a control's name), its seed, at which share or layer, value."""


def trust_record(evidence: Trust) -> dict[str, object]:
    """All of the evidence as JSON-ready values; figures that are no finite numbers are null."""
    m = evidence.map
    verdict = evidence.verdict
    record: dict[str, object] = json_ready(
        {
            "schema_version": SCHEMA_VERSION,
            "form": evidence.form,
            "map": {
                "network": m.network,
                "method": m.method,
                "options": dict(m.options),
                "refine": list(m.refine),
                "layer": m.layer,
                "grid": list(m.raw.shape),
                "class_index": m.class_index,
                "label": m.label,
                "probability": m.probability,
                "logit": m.logit,
                "score_kind": m.score_kind,
                "framing": m.framing,
                "warning": m.warning,
            },
            "verdict": None if verdict is None else asdict(verdict),
            "findings": None if evidence.findings is None else asdict(evidence.findings),
            "unchecked": evidence.unchecked,
            "sensitivity": evidence.sensitivity,
            "figures": [
                dict(zip(("figure", "of", "seed", "at", "value"), row, strict=True)) for row in trust_rows(evidence)
            ],
        }
    )
    return record


def trust_csv(evidence: Trust) -> bytes:
    """Every figure in a row of its own: figure, of, seed, at, value."""
    rows = (
        [figure, of, seed, "" if at is None else repr(float(at)), repr(float(value))]
        for figure, of, seed, at, value in trust_rows(evidence)
    )
    return to_csv([["figure", "of", "seed", "at", "value"], *rows])


def trust_rows(evidence: Trust) -> Iterator[Row]:
    """Every figure that is there."""
    for one in evidence.chance:
        yield from _sufficiency(one)
    if evidence.sensitivity is not None:
        yield "max-sensitivity", evidence.map.method, "", None, evidence.sensitivity
    for number, copy in enumerate(evidence.copies):
        yield from _randomised("random weights", copy, evidence.map.method, str(number))
    for stage in evidence.stages:
        yield from _randomised("randomised layers", stage, evidence.map.method, "0")
    for figures in evidence.more:
        yield from _published(figures)


def _sufficiency(one: Sufficiency) -> Iterator[Row]:
    seed = "" if one.seed is None else str(one.seed)
    yield "score", one.name, seed, None, one.score
    yield "lead in log-odds", one.name, seed, None, one.lead
    for what, values in (("score, top hidden", one.hidden), ("score, top shown alone", one.shown)):
        for share, value in zip(one.shares, values, strict=True):
            yield what, one.name, seed, share, float(value)


def _randomised(what: str, one: Randomised, method: str, seed: str) -> Iterator[Row]:
    yield f"{what}: Spearman", method, seed, float(one.layers), one.spearman
    if one.ssim is not None:
        yield f"{what}: SSIM", method, seed, float(one.layers), one.ssim


def _published(one: Faithfulness) -> Iterator[Row]:
    seed = "" if one.seed is None else str(one.seed)
    single = {
        "drop": one.drop,
        "increase": None if one.increase is None else float(one.increase),
        "gain": one.gain,
        "coherency": one.coherency,
        "complexity": one.complexity,
        "ADCC": one.adcc,
        "deletion AUC": None if one.deletion is None else one.deletion.auc,
        "insertion AUC": None if one.insertion is None else one.insertion.auc,
        "ROAD": None if one.road is None else one.road.combined,
    }
    for figure, value in single.items():
        if value is not None:
            yield figure, one.name, seed, None, float(value)
    curves: tuple[tuple[str, Curve | None], ...] = (("deletion", one.deletion), ("insertion", one.insertion))
    for what, curve in curves:
        if curve is not None:
            for share, value in zip(curve.shares, curve.scores, strict=True):
                yield what, one.name, seed, float(share), float(value)
    if one.road is not None:
        for what, values in (("ROAD MoRF", one.road.morf), ("ROAD LeRF", one.road.lerf)):
            for share, value in zip(one.road.levels, values, strict=True):
                yield what, one.name, seed, share, float(value)
