"""The report of an audit: its figures, what it shows of pictures, and names that are not to be trusted."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from html.parser import HTMLParser

import pyarrow as pa
import pytest
from audited import CHUNK, draw_pictures, make_audit
from grouped import grouped_audit

from camcore.audits.finding import write_groups
from camcore.audits.manifest import write_manifest
from camcore.audits.report import write_report
from camcore.audits.schema import SCHEMA, write_part
from camcore.text import percent


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, content: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(content)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def report(made) -> Page:
    write_groups(made.folder)
    return Page(write_report(made.folder).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    home = tmp_path_factory.mktemp("audits")
    audit = grouped_audit(home / "audit", home / "pictures")
    draw_pictures(audit)
    return audit


def test_figures_are_those_of_the_rows(made):
    page = report(made)
    answered = [row for row in made.rows if row["error"] is None]
    right = sum(row["correct"] for row in answered)
    assert f"right on {right:,} of {len(answered):,} pictures: {percent(right / len(answered))}" in page.text
    for label in ("cat", "dog"):
        own = [row for row in answered if row["label"] == label]
        assert percent(sum(row["correct"] for row in own) / len(own)) in page.text
    surest = max((row for row in answered if not row["correct"]), key=lambda row: row["probability"])
    said = f"{surest['predicted']} {percent(surest['probability'])}, true class {surest['label']}"
    assert said in page.text
    failed = [row for row in made.rows if row["error"] is not None]
    assert all(row["path"] in page.text and row["error"] in page.text for row in failed)
    assert made.manifest.network.weights_sha256 in page.text


def test_it_stands_on_its_own(made):
    page = report(made)
    images = page.all("img")
    assert len(images) > 20
    assert all(one["src"].startswith("data:image/") and one["alt"] for one in images)
    assert not {tag for tag, _ in page.tags} & {"script", "link", "iframe", "object"}
    assert not re.search(r"url\(|@import", write_report(made.folder).read_text(encoding="utf-8"))


def test_pictures_that_are_gone_are_left_out(made, tmp_path):
    gone = tmp_path / "audit"
    shutil.copytree(made.folder, gone)
    write_manifest(gone, replace(made.manifest, pictures=str(tmp_path / "nowhere"), base=str(tmp_path / "nowhere")))
    page = report(replace(made, folder=gone))
    assert "The picture is not there any more." in page.text
    assert "Patch of" not in "".join(one["alt"] for one in page.all("img"))


def test_without_labels_it_says_how_surely(tmp_path):
    page = report(grouped_audit(tmp_path / "audit", tmp_path / "pictures", labelled=False))
    assert "The true classes of these pictures are not known" in page.text
    assert not re.search("Where it fails|The most confident mistakes", page.text)
    assert "--unlabelled" in page.text


@pytest.mark.parametrize("hostile", ['<script>alert("1")</script>', '"><img src=x onerror=alert(1)>', "{{ 7 * 7 }}"])
def test_names_are_text_and_nothing_else(tmp_path, hostile):
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", 40, ("cat", hostile))
    for row in made.rows:
        row["path"] = f"{row['index']} {hostile}.png"
        row["error"] = row["error"] and hostile
    for chunk in range(-(-len(made.rows) // CHUNK)):
        rows = pa.Table.from_pylist(made.rows[chunk * CHUNK : (chunk + 1) * CHUNK], schema=SCHEMA)
        write_part(made.folder, chunk, rows)
    network = replace(made.manifest.network, name=hostile, weights_note=hostile)
    write_manifest(made.folder, replace(made.manifest, network=network, pictures=hostile))
    page = report(made)
    assert not page.all("script")
    assert all("onerror" not in attributes for _, attributes in page.tags)
    assert all(one["src"].startswith("data:") for one in page.all("img"))
    assert hostile in page.text


def test_an_audit_of_errors_only_has_a_report(tmp_path):
    made = make_audit(tmp_path / "audit", tmp_path / "pictures", 20, failed=tuple(range(20)))
    page = report(made)
    assert "20 pictures could not be used" in page.text
    assert write_groups(made.folder) == ()
