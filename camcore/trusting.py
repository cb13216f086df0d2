"""``trust``: all the evidence on one map, gathered in a fixed order, and the verdict it adds up to.

The quick form is meant for every map that is looked at: some two hundred forward passes. The full form has finer
curves, ROAD, ADCC and the cascade of randomised layers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal

import numpy as np

from camcore import faithfulness, sanity
from camcore.errors import CamcoreError, ModelError, nearest
from camcore.faithfulness import Faithfulness, Settings
from camcore.faithfulness.case import Case, case_of
from camcore.faithfulness.stability import max_sensitivity
from camcore.maps import CamMap
from camcore.methods import METHODS
from camcore.network import Network
from camcore.pictures import Picture
from camcore.remaking import remake_passes
from camcore.sanity import Randomised
from camcore.verdict import HIDDEN, Chance, Findings, Verdict, judge

Form = Literal["quick", "full"]


@dataclass(frozen=True)
class Plan:
    """What a form of the evidence consists of.

    ``randoms``: random maps that stand for chance; a map that beats all 19 does so by luck once in 20 times. ``steps``
    of the curves. ``copies`` of the network with random weights, and ``draws`` of noise, as many as
    ``remaking`` passes allow. ``stages`` of the cascade, and whether ROAD and ADCC are measured (``more``).
    """

    randoms: int = 19
    steps: int = 5
    copies: int = 3
    draws: int = 4
    remaking: float = 100.0
    stages: int = 0
    more: bool = False


PLANS: dict[Form, Plan] = {
    "quick": Plan(),
    "full": Plan(steps=28, copies=5, draws=8, remaking=float("inf"), stages=sanity.STAGES, more=True),
}


@dataclass(frozen=True, eq=False)
class Trust:
    """The evidence on one map; parts that are not there yet, or not in this form, are empty or None.

    ``chance``: masked scores and curves of the map, then of the centred blob and the random maps, whose noise is as
    fine as the map's grid. ``more``: ROAD and ADCC of the map, the blob and some random maps. ``copies``: the maps of
    networks whose weights are all random. ``stages``: the same, layer by layer from the output. ``sensitivity``: see
    Faithfulness. ``verdict``: there when all else is, with the ``findings`` it rests on.
    """

    map: CamMap
    form: Form
    chance: tuple[Faithfulness, ...] = ()
    more: tuple[Faithfulness, ...] = ()
    copies: tuple[Randomised, ...] = ()
    stages: tuple[Randomised, ...] = ()
    sensitivity: float | None = None
    unchecked: str | None = None
    findings: Findings | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, eq=False)
class TrustStep:
    """``doing``: what is in work, in words. ``done`` of ``total`` forward passes. ``trust``: the evidence so far."""

    doing: str
    done: float
    total: float
    seconds: float
    trust: Trust


def trust(network: Network, pic: Picture, m: CamMap, form: Form = "quick") -> Iterator[TrustStep]:
    """How far to trust a map of this network and picture, a step at a time; the last step has the verdict.

    ``form``: ``quick`` or ``full``, see PLANS; ``trust_passes`` says the cost beforehand. Closing the generator stops
    the work; no more than the chunk in hand is computed. The network's weights are never changed.

    Raises, at the call, CamcoreError for an unknown form or a map of another network, picture or framing.
    """
    plan = _plan(form)
    case = case_of(network, pic, m.class_index, m.framing)
    case.check(m)
    return _steps(case, pic, Trust(m, form), plan)


def trust_passes(network: Network, m: CamMap, form: Form = "quick") -> float:
    """What ``trust`` costs, in forward passes of one picture: an upper bound."""
    plan = _plan(form)
    copies, draws, _ = _remaking(network, m, plan)
    total = faithfulness.estimate(network, [m], _settings(m, plan))
    if plan.more:
        total += faithfulness.estimate(network, [m], _more_settings(network, m))
    total += sanity.estimate(network, m, copies) if copies else 0.0
    total += (
        sanity.estimate(network, m, min(plan.stages, len(network.weight_layers))) if copies and plan.stages else 0.0
    )
    return total + (draws * remake_passes(network, m) if draws else 0.0)


def _plan(form: Form) -> Plan:
    if form in PLANS:
        return PLANS[form]
    near = nearest(form, PLANS)
    raise CamcoreError(
        f"There is no form {form!r} of the evidence. It is 'quick' or 'full'."
        + (f" Did you mean {near!r}?" if near else " Choose one of these.")
    )


def _settings(m: CamMap, plan: Plan) -> Settings:
    grid = (m.values.shape[0], m.values.shape[1])
    return Settings(("masked", "deletion", "insertion"), plan.steps, randoms=plan.randoms, grid=grid)


def _more_settings(network: Network, m: CamMap) -> Settings:
    coherent = () if is_fused(m) else ("coherency",)
    return Settings(("masked", "road", *coherent))


def is_fused(m: CamMap) -> bool:
    """Whether a map was fused from several, so that it cannot be made again."""
    return m.layer is None and not METHODS[m.method].layer_free


def _remaking(network: Network, m: CamMap, plan: Plan) -> tuple[int, int, str | None]:
    """How many copies and draws of noise the plan can afford, and why there are no copies."""
    if is_fused(m):
        return 0, 0, "a map fused from several layers cannot be made again"
    try:
        _ = network.weight_layers
    except ModelError:
        return 0, plan.draws, "this network's weights cannot be given other values"
    each = remake_passes(network, m)
    copies = int(min(plan.copies, plan.remaking // (1 + each)))
    draws = int(min(plan.draws, (plan.remaking - copies * (1 + each)) // each)) if each else plan.draws
    why = (
        f"making it again takes about {each:.0f} forward passes, which only the full form does" if not copies else None
    )
    return copies, max(0, draws), why


def _steps(case: Case, pic: Picture, known: Trust, plan: Plan) -> Iterator[TrustStep]:
    start = perf_counter()
    m, network = known.map, case.network
    total = trust_passes(network, m, known.form)
    copies, draws, why = _remaking(network, m, plan)
    known = replace(known, unchecked=why)
    before = 0.0

    def step(doing: str, done: float) -> TrustStep:
        return TrustStep(doing, min(before + done, total), total, perf_counter() - start, known)

    yield step("Hiding and showing parts of the picture", 0)
    for part in faithfulness.measure(network, pic, [m], _settings(m, plan)):
        known = replace(known, chance=part.results)
        yield step("Hiding and showing parts of the picture", part.done)
    before += part.total
    if copies:
        for found in sanity.copies(network, pic, m, copies):
            known = replace(known, copies=found.results)
            yield step("Drawing the network's weights at random", found.done)
        before += found.total
    if draws:
        work, done = max_sensitivity(case, m, draws), 0.0
        while True:
            try:
                done += next(work)
            except StopIteration as finished:
                known = replace(known, sensitivity=finished.value)
                break
            yield step("Adding a little noise", done)
        before += draws * remake_passes(network, m)
    if plan.stages and copies:
        for found in sanity.randomisation(network, pic, m, plan.stages):
            known = replace(known, stages=found.results)
            yield step("Randomising layer after layer", found.done)
        before += found.total
    if plan.more:
        for part in faithfulness.measure(network, pic, [m], _more_settings(network, m)):
            known = replace(known, more=part.results)
            yield step("Removing pixels and filling the holes", part.done)
        before += part.total
    findings = _findings(case, known)
    known = replace(known, findings=findings, verdict=judge(findings))
    yield TrustStep("Done", total, total, perf_counter() - start, known)


def _findings(case: Case, known: Trust) -> Findings:
    m, network = known.map, case.network
    probabilities = network.probabilities(network.logits(case.x)[0])
    top = int(np.argmax(probabilities)) if case.has_probabilities else m.class_index
    return Findings(
        same_everywhere=bool(np.ptp(m.values) == 0),
        probability=float(probabilities[m.class_index]),
        top=float(probabilities[top]),
        top_label=None if top == m.class_index else network.labels[top],
        classes=network.classes,
        chance=chance_of(known.chance),
        survival=tuple(one.spearman for one in known.copies),
        random_sureness=tuple(one.sureness for one in known.copies),
        unchecked=known.unchecked,
        sensitivity=known.sensitivity,
        whole_picture=_sees_all(network, m),
        layer=m.layer,
        warning=m.warning,
    )


def chance_of(figures: tuple[Faithfulness, ...]) -> Chance:
    """A map beside the controls: its figures first, then those of the blob and the random maps."""
    first, centre, *randoms = figures

    def removed(one: Faithfulness) -> float:
        assert one.deletion is not None
        return (one.score - one.deletion.at(HIDDEN)) / abs(one.score) if one.score else 0.0

    def gap(one: Faithfulness) -> float:
        assert one.deletion is not None
        assert one.insertion is not None
        return one.insertion.auc - one.deletion.auc

    curves = [curve.scores for one in figures for curve in (one.deletion, one.insertion) if curve is not None]
    seen = np.concatenate(curves)
    return Chance(
        removed=removed(first),
        removed_centre=removed(centre),
        removed_random=tuple(removed(one) for one in randoms),
        gap=gap(first),
        gap_centre=gap(centre),
        gap_random=tuple(gap(one) for one in randoms),
        spread=float(np.ptp(seen) / abs(first.score)) if first.score else 0.0,
    )


def _sees_all(network: Network, m: CamMap) -> bool:
    """Whether a cell of the map's layer sees the whole input, as far as is known."""
    if m.layer is None:
        return False
    info = network.layer(m.layer)
    field = info.receptive_field
    return info.whole_picture or (field is not None and all(map(int.__ge__, field, network.input_size)))
