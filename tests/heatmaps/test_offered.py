"""Methods that are not offered are those that every request for them refuses, and for the same reason."""

from __future__ import annotations

import networks
import pytest
import transformers

import camcore
from camcore.heatmaps.offered import refusals

ATTENTION = {"rollout", "attentiongrad", "legrad"}


@pytest.mark.parametrize(
    ("build", "refused"),
    [
        (networks.flat, ATTENTION),
        (lambda: transformers.vit("class", blocks=1), {"cam"}),
        (lambda: transformers.vit("patches", blocks=1), set()),
    ],
)
def test_what_is_refused_is_what_a_request_refuses(build, refused):
    network = camcore.wrap(build())
    found = refusals(network)
    assert set(found) == refused
    assert refusals(network) is found
    for key in ("cam", "gradcam", *sorted(ATTENTION)):
        if key in found:
            with pytest.raises(camcore.MethodError) as error:
                camcore.estimate(network, key, classes=1)
            assert str(error.value) == found[key]
        else:
            assert camcore.estimate(network, key, classes=1) >= 1
