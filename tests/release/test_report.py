"""The report of a gate: verdict, rules, and both maps of the pictures that changed; names are text and nothing else."""

from __future__ import annotations

import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from audited import always, changed, draw_pictures, make_audit
from cued import Cued

import camcore
from camcore.release.report import PICTURES, to_html

POLICY = "[accuracy]\nat_least = 0.9\n[reasons_moved]\nat_most = 0.1"


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content.decode("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def images(self) -> list[str]:
        return [str(attributes["alt"]) for name, attributes in self.tags if name == "img"]


def test_the_pictures_whose_reason_moved_stand_with_both_maps(cue: Cued) -> None:
    result = cue.check(POLICY)
    page = Page(to_html(result))
    assert result.verdict in page.text
    assert all(text in page.text for one in result.rules for text in (one.subject, one.figure_text, one.limit_text))
    marked = [f"red/{index:02d}.png" for index in range(10)]
    assert sorted(page.images()) == [f"{path} with the old network's map, and with the new one's" for path in marked]
    for hash_ in (result.policy.sha256, *(audit.manifest.network.weights_sha256 for audit in two(result))):
        assert hash_ in page.text
    assert all(str(one["src"]).startswith("data:") for name, one in page.tags if name == "img")
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object"}


def two(result: camcore.CheckResult) -> tuple[camcore.audits.store.Audit, camcore.audits.store.Audit]:
    return result.versions.old, result.versions.new


def test_nothing_changed(cue: Cued) -> None:
    page = Page(to_html(cue.check(POLICY, new=cue.old)))
    assert "Nothing: every answer and every map is as it was." in page.text
    assert not page.images()


@pytest.mark.parametrize("hostile", ['<script>alert("1")</script>', '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_pictures_that_changed_sides_and_names_from_outside(tmp_path: Path, hostile: str) -> None:
    made = make_audit(tmp_path / "old", tmp_path / "pictures", 60, ("cat", "dog"))
    draw_pictures(made)
    renamed = replace(made, manifest=replace(made.manifest, network=replace(made.manifest.network, name=hostile)))
    new = changed(renamed, tmp_path / "new", always("cat"))
    group = {"class": hostile, "number": 1, "share": 0.75, "suspect": True, "reasons": [hostile], "sufficiency": {}}
    (new / "groups.json").write_text(json.dumps([group]))
    policy = camcore.read_policy(f"{POLICY}\n[suspects]\nat_most = 0.5".encode())
    *_, last = camcore.check_audits(new, made.folder, replace(policy, name=hostile))
    assert last.result is not None
    page = Page(to_html(last.result, masks=hostile))
    assert page.text.count(hostile) >= 5
    assert not any(tag == "script" for tag, _ in page.tags)
    assert all("onerror" not in attributes for _, attributes in page.tags)
    counts = last.result.versions.comparison.counts
    shown = sum(min(count, PICTURES) for change, count in counts.items() if change != "same answer")
    assert len(page.images()) == shown
    assert f"{min(counts['lost'], PICTURES)} of {counts['lost']} pictures, the new network's surest" in page.text
