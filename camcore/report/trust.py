"""The evidence on a map as files: a JSON record, and a table of every single figure."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from camcore.files import to_csv
from camcore.metrics.faithfulness import Curve, Faithfulness
from camcore.metrics.faithfulness.sufficiency import Shown
from camcore.metrics.sanity import Randomised
from camcore.verdict.gather import Trust

SCHEMA_VERSION = 1

Row = tuple[str, str, str, float | None, float]
"""figure, of what (the method's key or a control's name), its seed, at which share or layer, value."""


def trust_record(found: Trust) -> dict[str, Any]:
    """All of the evidence as JSON-ready values; figures that are no finite numbers are null."""
    m = found.map
    verdict = found.verdict
    record = {
        "schema_version": SCHEMA_VERSION,
        "form": found.form,
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
        "findings": None if found.findings is None else asdict(found.findings),
        "unchecked": found.unchecked,
        "sensitivity": found.sensitivity,
        "figures": [dict(zip(("figure", "of", "seed", "at", "value"), row, strict=True)) for row in trust_rows(found)],
    }
    cleaned = _plain(record)
    assert isinstance(cleaned, dict)
    return cleaned


def trust_csv(found: Trust) -> bytes:
    """Every figure in a row of its own: figure, of, seed, at, value."""
    rows = (
        [figure, of, seed, "" if at is None else repr(float(at)), repr(float(value))]
        for figure, of, seed, at, value in trust_rows(found)
    )
    return to_csv([["figure", "of", "seed", "at", "value"], *rows])


def trust_rows(found: Trust) -> Iterator[Row]:
    """Every figure that is there."""
    for one in found.chance:
        yield from _shown(one)
    if found.sensitivity is not None:
        yield "max-sensitivity", found.map.method, "", None, found.sensitivity
    for number, copy in enumerate(found.copies):
        yield from _randomised("random weights", copy, found.map.method, str(number))
    for stage in found.stages:
        yield from _randomised("randomised layers", stage, found.map.method, "0")
    for figures in found.more:
        yield from _published(figures)


def _shown(one: Shown) -> Iterator[Row]:
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


def _plain(value: Any) -> Any:
    """The value with numbers that JSON does not know as None, and tuples as lists."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if value is None or isinstance(value, (str, bool, int)) else float(value)
