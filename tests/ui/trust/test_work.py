"""The evidence as background work: its identity, its price, and that it is stopped within a chunk."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from counting import network, noise, picture

import camcore
from ui.compare.work import verdicts_work
from ui.jobs.job import Job
from ui.jobs.work import Work
from ui.query import NetworkKey, map_identity
from ui.trust import evidence

KEY = NetworkKey("Counting")


@pytest.fixture(scope="module")
def asked() -> Any:
    net, pic = network(), picture(noise(2))
    maps = camcore.explain(net, pic, ["gradcam", "layercam"], classes=0, framing="stretch")
    return SimpleNamespace(net=net, pic=pic, maps=maps, m=maps[0])


def run(work: Work[Any], net: Any) -> list[Any]:
    """The updates that bring a value."""
    return [update for update in work.steps(net, Job(work)) if update.value is not None]


@pytest.mark.parametrize("change", [{"method": "layercam"}, {"layer": "other"}, {"class_index": 1},
                                    {"options": {"variant": "authors"}}, {"refine": ("aug",)}])  # fmt: skip
def test_every_map_has_its_own_evidence(asked: Any, change: dict[str, Any]) -> None:
    other = replace(asked.m, **change)
    assert map_identity(KEY, "a", asked.m) != map_identity(KEY, "a", other)
    assert evidence.work(KEY, asked.pic, asked.m, "quick") != evidence.work(KEY, asked.pic, other, "quick")


def test_the_same_map_anew_has_the_same_evidence(asked: Any) -> None:
    again = camcore.explain(asked.net, asked.pic, "gradcam", classes=0, framing="stretch")[0]
    assert evidence.work(KEY, asked.pic, asked.m, "quick") == evidence.work(KEY, asked.pic, again, "quick")
    assert evidence.work(KEY, asked.pic, again, "full") != evidence.work(KEY, asked.pic, again, "quick")


def test_the_work_ends_with_the_verdict_of_the_core(asked: Any) -> None:
    parts = run(evidence.work(KEY, asked.pic, asked.m, "quick"), asked.net)
    *_, last = camcore.trust(asked.net, asked.pic, asked.m, "quick")
    assert parts[-1].share == 1
    assert parts[-1].value.verdict == last.trust.verdict
    assert evidence.trust_bytes(parts[-1].value) > asked.m.values.nbytes


def test_an_empty_map_is_judged_too(asked: Any) -> None:
    rgb = noise(2)
    rgb[..., 0] = 0
    pic = picture(rgb)
    m = camcore.explain(asked.net, pic, "gradcam", classes=0, framing="stretch")[0]
    assert not m.values.any()
    verdict = run(evidence.work(KEY, pic, m, "full"), asked.net)[-1].value.verdict
    assert verdict.level == "distrust"
    assert verdict.reasons[0].key == "flat"


def test_dear_networks_are_asked_for(asked: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    assert evidence.is_cheap(asked.net, asked.m)
    passes = camcore.trust_passes(asked.net, asked.m, "quick")
    monkeypatch.setattr(camcore, "trust_passes", lambda *_: passes)
    assert evidence.is_cheap(SimpleNamespace(multiplications=0.99 * evidence.CHEAP / passes), asked.m)
    assert not evidence.is_cheap(SimpleNamespace(multiplications=1.01 * evidence.CHEAP / passes), asked.m)


def test_judging_several_is_judging_each(asked: Any) -> None:
    parts = run(verdicts_work(KEY, asked.pic, asked.maps), asked.net)
    assert [len(part.value) for part in parts] == [1, 2]
    for m in asked.maps:
        *_, last = camcore.trust(asked.net, asked.pic, m, "quick")
        found = parts[-1].value[map_identity(KEY, asked.pic.sha256, m)]
        assert found.verdict == last.trust.verdict


def test_judging_can_be_stopped_within_a_map(asked: Any) -> None:
    work = verdicts_work(KEY, asked.pic, asked.maps)
    updates = list(work.steps(asked.net, Job(work)))
    assert len(updates) > len(asked.maps) + 2
    shares = [update.share for update in updates]
    assert shares == sorted(shares)
    assert {update.title for update in updates} == {None, "Judging Grad-CAM", "Judging LayerCAM"}
