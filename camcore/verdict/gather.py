"""``trust``: all the evidence on one map, gathered in a fixed order, and its verdict.

The quick form is meant for every map that is looked at: some 250 forward passes. The full form hides and shows in
finer degrees, and adds the cascade of randomised layers and the published figures (ADCC, deletion, insertion, ROAD).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from time import perf_counter
from typing import Literal, TypeVar

import numpy as np

from camcore.checks import checked, flag, one_of
from camcore.errors import ModelError
from camcore.generators import Returning
from camcore.heatmaps.arguments import a_map, a_memory, a_network, a_picture
from camcore.heatmaps.cam_map import CamMap
from camcore.heatmaps.memory import Memory
from camcore.heatmaps.recompute import recompute_passes
from camcore.methods import METHODS
from camcore.metrics import faithfulness, sanity
from camcore.metrics.faithfulness import Faithfulness, MetricStep, Settings
from camcore.metrics.faithfulness.case import Case, case_of, controls, subject_of
from camcore.metrics.faithfulness.stability import max_sensitivity
from camcore.metrics.faithfulness.sufficiency import SHARES, Sufficiency, measure_sufficiency
from camcore.metrics.faithfulness.sufficiency import passes as sufficiency_passes
from camcore.metrics.sanity import Randomised
from camcore.network import Network
from camcore.pictures.picture import Picture
from camcore.verdict.rules import HIDDEN, Chance, Findings, Verdict, judge

Form = Literal["quick", "full"]
Figures = TypeVar("Figures")


@dataclass(frozen=True)
class EvidencePlan:
    """The parts of a form of the evidence.

    ``randoms``: random maps that stand for chance; a map that beats all 19 does so by luck once in 20 times.
    ``shares`` of the picture that are hidden and shown. ``copies`` of the network with random weights, and ``draws`` of
    noise, as many as ``budget`` passes allow. ``stages`` of the cascade of random layers. ``more``: metrics of
    faithfulness beside.
    """

    randoms: int = 19
    shares: tuple[float, ...] = SHARES
    copies: int = 3
    draws: int = 4
    budget: float = 100.0
    stages: int = 0
    more: tuple[str, ...] = ()


PLANS: dict[Form, EvidencePlan] = {
    "quick": EvidencePlan(),
    "full": EvidencePlan(
        shares=tuple(step / 20 for step in range(1, 20)),
        copies=5,
        draws=8,
        budget=float("inf"),
        stages=sanity.STAGES,
        more=("masked", "deletion", "insertion", "road", "coherency"),
    ),
}


_HIDING = "Hiding and showing parts of the picture"

a_form = one_of(*PLANS, kind="form")


@dataclass(frozen=True, eq=False)
class Trust:
    """The evidence on one map; parts that are not there yet, or not in this form, are empty or None.

    ``chance``: the map, then the centred blob and the random maps, whose noise is as fine as the map's grid, hidden
    and shown by degrees. ``copies``: the maps of networks whose weights are all random. ``sensitivity``: see
    Faithfulness. ``stages``: as ``copies``, layer by layer from the output. ``more``: published figures of the map, the
    blob and some random maps. ``unchecked``: why there are no copies. ``verdict``: there when all else is, with the
    ``findings`` it rests on.
    """

    map: CamMap
    form: Form
    chance: tuple[Sufficiency, ...] = ()
    more: tuple[Faithfulness, ...] = ()
    copies: tuple[Randomised, ...] = ()
    stages: tuple[Randomised, ...] = ()
    sensitivity: float | None = None
    unchecked: str | None = None
    findings: Findings | None = None
    verdict: Verdict | None = None


@dataclass(frozen=True, eq=False)
class TrustStep:
    """``doing``: the work in hand, in words. ``done`` of ``total`` forward passes. ``trust``: the evidence so far."""

    doing: str
    done: float
    total: float
    seconds: float
    trust: Trust


@checked(network=a_network, pic=a_picture, m=a_map, form=a_form, memory=a_memory)
def trust(
    network: Network, pic: Picture, m: CamMap, form: Form = "quick", memory: Memory | None = None
) -> Iterator[TrustStep]:
    """The evidence on a map of this network and picture, a step at a time; the last step has the verdict.

    ``form``: ``quick`` or ``full``, see PLANS; ``trust_passes`` says the cost beforehand. Closing the generator stops
    the work; no more than the chunk in hand is computed. The network's weights are never changed. With a ``memory``,
    see ``Memory``, further maps of the same picture cost a fifth: they are held against the same random maps.

    Raises, at the call, CamcoreError for an unknown form or a map of another network, picture or framing.

    With ``net = camcore.load("cats_vs_dogs")`` and a picture ``pic`` of 48×64 pixels:

    >>> (m,) = camcore.explain(net, pic)
    >>> camcore.trust_passes(net, m)
    228.0
    >>> steps = camcore.trust(net, pic, m)
    >>> step = next(steps)
    >>> step.done < step.total
    True
    >>> steps.close()  # the last step would have the verdict
    """
    plan = PLANS[form]
    case = case_of(network, pic, m.class_index, m.framing)
    case.check(m)
    return _steps(case, pic, Trust(m, form), plan, memory)


@checked(network=a_network, m=a_map, form=a_form, remembered=flag)
def trust_passes(network: Network, m: CamMap, form: Form = "quick", remembered: bool = False) -> float:
    """The cost of ``trust`` in forward passes of one picture: an upper bound.

    ``remembered``: a memory has the answers to the random maps, from another map of this grid and picture.
    """
    plan = PLANS[form]
    copies, draws, _ = _affordable(network, m, plan)
    total = sufficiency_passes(1 if remembered else 2 + plan.randoms, plan.shares)
    total += faithfulness.estimate(network, [m], _published(m, plan)) if plan.more else 0.0
    runs = copies
    if copies and plan.stages:
        runs += len(sanity.stages(len(network.weight_layers), plan.stages))
    total += sanity.estimate(network, m, runs) if runs else 0.0
    return total + (draws * recompute_passes(network, m) if draws else 0.0)


def _published(m: CamMap, plan: EvidencePlan) -> Settings:
    """The further figures, less the one that needs a map that can be made again."""
    return Settings(tuple(name for name in plan.more if name != "coherency" or not is_fused(m)), steps=28)


def is_fused(m: CamMap) -> bool:
    """True for a map that was fused from several, so that it cannot be made again."""
    return m.layer is None and not METHODS[m.method].layer_free


def _affordable(network: Network, m: CamMap, plan: EvidencePlan) -> tuple[int, int, str | None]:
    """The copies and draws of noise that the plan can afford, and the reason where there are no copies."""
    if is_fused(m):
        return 0, 0, "a map fused from several layers cannot be made again"
    try:
        _ = network.weight_layers
    except ModelError:
        return 0, plan.draws, "this network's weights cannot be given other values"
    each = recompute_passes(network, m)
    copies = int(min(plan.copies, plan.budget // (1 + each)))
    draws = int(min(plan.draws, (plan.budget - copies * (1 + each)) // each)) if each else plan.draws
    why = (
        f"making it again takes about {each:.0f} forward passes, which only the full form does" if not copies else None
    )
    return copies, max(0, draws), why


def _steps(case: Case, pic: Picture, known: Trust, plan: EvidencePlan, memory: Memory | None) -> Iterator[TrustStep]:
    start = perf_counter()
    m, network = known.map, case.network
    total = trust_passes(network, m, known.form)
    copies, draws, why = _affordable(network, m, plan)
    known = replace(known, unchecked=why)
    before = 0.0

    def step(doing: str, done: float) -> TrustStep:
        return TrustStep(doing, min(before + done, total), total, perf_counter() - start, known)

    def measured(
        doing: str, steps: Iterator[MetricStep[Figures]], with_results: Callable[[tuple[Figures, ...]], Trust]
    ) -> Iterator[TrustStep]:
        """The steps of one measurement; ``with_results``: the evidence, its results included."""
        nonlocal known, before
        for latest in steps:
            known = with_results(latest.results)
            yield step(doing, latest.done)
        before += latest.total

    yield step(_HIDING, 0)
    subjects = subject_of(case, m), *controls(case, plan.randoms, (m.values.shape[0], m.values.shape[1]))
    hiding = measure_sufficiency(case, subjects, plan.shares, memory)
    yield from measured(_HIDING, hiding, lambda results: replace(known, chance=results))
    if copies:
        drawing = sanity.copies(network, pic, m, copies)
        doing = "Trying the network with random weights"
        yield from measured(doing, drawing, lambda results: replace(known, copies=results))
    if draws:
        moved, done = Returning(max_sensitivity(case, m, draws)), 0.0
        for passes in moved:
            done += passes
            yield step("Adding a little noise", done)
        known = replace(known, sensitivity=moved.result)
        before += draws * recompute_passes(network, m)
    if plan.stages and copies:
        layers = sanity.randomisation(network, pic, m, plan.stages)
        doing = "Randomising layer after layer"
        yield from measured(doing, layers, lambda results: replace(known, stages=results))
    if plan.more:
        published = faithfulness.measure(network, pic, [m], _published(m, plan))
        doing = "Removing pixels and filling the holes"
        yield from measured(doing, published, lambda results: replace(known, more=results))
    findings = _findings(case, known)
    known = replace(known, findings=findings, verdict=judge(findings))
    yield TrustStep("Done", total, total, perf_counter() - start, known)


def _findings(case: Case, known: Trust) -> Findings:
    m, network = known.map, case.network
    probabilities = network.answer(case.x)[1][0]
    top = int(np.argmax(probabilities)) if case.has_probabilities else m.class_index
    return Findings(
        same_everywhere=bool(np.ptp(m.values) == 0),
        probability=float(probabilities[m.class_index]),
        top=float(probabilities[top]),
        top_label=None if top == m.class_index else network.labels[top],
        classes=network.classes,
        chance=chance_of(case, known.chance),
        survival=tuple(one.spearman for one in known.copies),
        random_sureness=tuple(one.sureness for one in known.copies),
        unchecked=known.unchecked,
        sensitivity=known.sensitivity,
        whole_picture=_sees_all(network, m),
        layer=m.layer,
        warning=m.warning,
    )


def chance_of(case: Case, figures: tuple[Sufficiency, ...]) -> Chance:
    """A map beside the controls: its figures first, then those of the blob and the random maps."""
    first, centre, *randoms = figures
    spread = max(one.spread for one in figures)
    if not case.has_probabilities:  # plain scores have a unit of their own
        spread = spread / abs(first.score) if first.score else spread
    return Chance(
        removed=first.removed(HIDDEN),
        removed_random=tuple(one.removed(HIDDEN) for one in randoms),
        lead=first.lead,
        lead_centre=centre.lead,
        lead_random=tuple(one.lead for one in randoms),
        spread=spread,
    )


def _sees_all(network: Network, m: CamMap) -> bool:
    """True where a cell of the map's layer sees the whole input, as far as is known."""
    if m.layer is None:
        return False
    info = network.layer(m.layer)
    field = info.receptive_field
    return info.whole_picture or (field is not None and all(map(int.__ge__, field, network.input_size)))
