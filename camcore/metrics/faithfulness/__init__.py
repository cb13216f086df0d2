"""Faithfulness of a map to the network: parts of the picture are taken away in the map's order.

    for step in measure(net, pic, camcore.explain(net, pic, ["gradcam", "layercam"])):
        print(step.done, "of", step.total)
    for one in step.results:
        print(one.name, one.deletion.auc, one.insertion.auc, one.road.combined)

Figures say nothing by themselves: those of the controls, on the same picture, always come with them.
"""

from camcore.metrics.faithfulness.case import Case, Subject, case_of, controls, subject_of
from camcore.metrics.faithfulness.curves import STEPS, Curve
from camcore.metrics.faithfulness.measure import METRICS, Faithfulness, Settings, estimate, measure
from camcore.metrics.faithfulness.road import LEVELS, Road
from camcore.metrics.faithfulness.scoring import MetricStep
from camcore.metrics.faithfulness.sufficiency import Sufficiency

__all__ = [
    "LEVELS",
    "METRICS",
    "STEPS",
    "Case",
    "Curve",
    "Faithfulness",
    "MetricStep",
    "Road",
    "Settings",
    "Subject",
    "Sufficiency",
    "case_of",
    "controls",
    "estimate",
    "measure",
    "subject_of",
]
