"""Reports as files: whole, inert, of reasonable size, and with what they say inside."""

from __future__ import annotations

import base64
import io
import json
import re
import zipfile
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from PIL import Image
from reported import RAW, audit_item, cam_map, finding, grey, item, picture
from reportlab.pdfbase.ttfonts import TTFont

from camcore.errors import CamcoreError
from camcore.heatmaps.overlay import overlay
from camcore.pictures.picture import Picture, open_picture
from camcore.report import exports, pdf, typesetting
from camcore.report.archive import to_zip
from camcore.report.blocks import Command, Print, Prints, Section, Table
from camcore.report.document import PictureFile, Report, Scale, VerdictSummary
from camcore.report.exports import write_report
from camcore.report.html import SIDE, to_html
from camcore.report.recorded import read_runs

VERA = frozenset(TTFont("Vera", "Vera.ttf").face.charToGlyph)

EVIL = "<script>alert(1)</script>\"'&{{ 7*7 }}"


class Page(HTMLParser):
    """The tags of a page, its addresses, and the pictures inside."""

    def __init__(self, html: bytes) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text = ""
        self.feed(html.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        given = [value or "" for name, value in attrs if name in ("src", "href", "action", "data", "srcset")]
        self.addresses += [value for value in given if not value.startswith("#")]  # a place on the page itself
        assert not any(name.startswith("on") for name, _ in attrs)

    def handle_data(self, data):
        self.text += data

    @property
    def pictures(self) -> list[Image.Image]:
        return [Image.open(io.BytesIO(base64.b64decode(a.partition(",")[2]))) for a in self.addresses]


def evil() -> Report:
    pic = picture(name=f"{EVIL}.png")
    m = cam_map(label=EVIL, warning=EVIL)
    network = replace(finding().network, name=EVIL, weights=EVIL)
    one = finding(map=m, network=network, verdict=VerdictSummary("", EVIL, (("", EVIL),)))
    return Report((item(pic, findings=(one,), comment=EVIL),), EVIL, EVIL, EVIL)


def test_names_and_comments_in_html_are_inert():
    page = Page(to_html(evil()))
    assert "script" not in page.tags
    assert page.text.count("alert(1)") >= 8
    assert "{{ 7*7 }}" in page.text, "text is no template"


def test_html_fetches_nothing_and_stands_on_its_own():
    page = Page(to_html(Report((item(), item()), "Two")))
    assert page.addresses
    assert all(address.startswith("data:image/jpeg;base64,") for address in page.addresses)
    assert not {"script", "link", "iframe", "object", "form"} & set(page.tags)


def test_html_shows_the_photograph_and_the_map_on_it():
    pic = Picture.from_array(np.full((40, 60, 3), 128, np.uint8), name="grey.png")
    one = item(pic)
    photo, drawn = Page(to_html(Report((one,)))).pictures
    assert np.asarray(photo) == pytest.approx(128, abs=2)
    wanted = overlay(pic, one.first.map, 0.7, by_value=True)
    assert np.abs(np.asarray(drawn).astype(int) - wanted).mean() < 4


def test_a_scale_is_kept_a_map_at_half_of_its_scale_is_half_as_bright():
    pic = Picture.from_array(np.zeros((40, 60, 3), np.uint8), name="black.png")
    flat = np.full((2, 2), 2.0, np.float32)
    found = finding(map=cam_map(raw=flat), scale=Scale(4.0))
    _, drawn = Page(to_html(Report((item(pic, findings=(found,)),)))).pictures
    wanted = overlay(pic, replace(cam_map(raw=flat), values=flat / 4), 0.7, by_value=True)
    assert np.abs(np.asarray(drawn).astype(int) - wanted).mean() < 4


def test_what_speaks_against_is_drawn_where_it_was_shown():
    pic = Picture.from_array(np.full((40, 60, 3), 128, np.uint8), name="grey.png")
    against = finding(map=cam_map(method="hirescam", raw=-RAW), scale=Scale(4.0, signed=True))
    html = to_html(Report((item(pic, findings=(against,)),)))
    _, drawn = Page(html).pictures
    corner = np.asarray(drawn)[-1, -1].astype(int)
    assert corner[2] > corner[0] + 30, "blue speaks against"
    assert b"speaks against" in html


def large() -> Picture:
    """Six megapixels that compress as a photograph does."""
    y, x = np.mgrid[0:2000, 0:3000].astype(np.float32)
    rgb = np.stack([127 + 100 * np.sin(x / 90), 127 + 100 * np.cos(y / 70), (x + y) / 40], axis=2)
    return Picture.from_array(rgb.astype(np.uint8), name="large.jpg")


def test_a_large_picture_is_reduced_and_it_is_said():
    pic = large()
    file = io.BytesIO()
    Image.fromarray(pic.rgb).save(file, "JPEG")
    opened = open_picture(file.getvalue(), name="large.jpg")
    one = item(opened, picture=PictureFile.of(opened, file.getvalue()))
    html = to_html(Report((one,)))
    assert len(html) < 600_000
    assert max(Page(html).pictures[0].size) == SIDE
    assert "reduced to 1000 pixels" in html.decode()
    assert len(pdf.to_pdf(Report((one,)))) < 600_000
    assert "reduced" not in to_html(Report((item(),))).decode()


def test_zip_holds_the_picture_as_it_was_the_map_in_full_and_the_numbers():
    one = item(picture(120, 300), comment="So it is.")
    with zipfile.ZipFile(io.BytesIO(to_zip(Report((one, one), "Twice", "Ada")))) as archive:
        assert archive.testzip() is None
        run = json.loads(archive.read("run.json"))
        assert (run["title"], run["author"], len(run["runs"])) == ("Twice", "Ada", 2)
        first = run["runs"][0]
        assert archive.read(first["picture"]["path"]) == one.picture.data
        assert first["comment"] == "So it is."
        entry = first["maps"][0]
        with Image.open(io.BytesIO(archive.read(entry["png"]))) as drawn:
            assert drawn.width == 300
            assert drawn.height > 120, "the caption stands beneath"
            assert np.array_equal(
                np.asarray(drawn)[:120], overlay(one.picture.open(), one.first.map, 0.7, by_value=True)
            )
        assert np.array_equal(np.loadtxt(io.BytesIO(archive.read(entry["csv"])), delimiter=","), RAW)
        assert len([name for name in archive.namelist() if name.startswith("pictures/")]) == 1, "one file for both"
        assert len(set(archive.namelist())) == len(archive.namelist())


def test_names_in_a_zip_are_harmless():
    report = evil()
    sly = replace(report.items[0], picture=replace(report.items[0].picture, name="../../etc/passwd\0.exe"))
    with zipfile.ZipFile(io.BytesIO(to_zip(Report((sly,))))) as archive:
        assert all(re.fullmatch(r"[\w./+-]+", name) and ".." not in name for name in archive.namelist())
        assert not any(name.endswith(".exe") for name in archive.namelist())


def test_maps_that_differ_in_an_option_only_have_files_of_their_own():
    variants = tuple(
        finding(map=cam_map(method="gradcam++", options={"variant": name})) for name in ("paper", "authors")
    )
    with zipfile.ZipFile(io.BytesIO(to_zip(Report((item(findings=variants),))))) as archive:
        (run,) = json.loads(archive.read("run.json"))["runs"]
        assert len({entry["csv"] for entry in run["maps"]}) == 2
        assert {entry["csv"] for entry in run["maps"]} <= set(archive.namelist())


def test_the_record_in_a_zip_can_be_read_back(tmp_path):
    other = finding(map=cam_map(), network=replace(finding().network, name="other", options={"alpha": 0.5}))
    data = to_zip(Report((item(findings=(finding(), other)),)))
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extract("run.json", tmp_path)
    runs = read_runs(tmp_path / "run.json")
    assert [(run.network, run.options, len(run.maps)) for run in runs] == [
        ("tiny", {}, 1),
        ("other", {"alpha": 0.5}, 1),
    ]


def test_an_audit_is_an_entry_beside_those_of_pictures():
    report = Report((audit_item(comment="So it is."), item()), "Both")
    page = Page(to_html(report))
    assert len(page.pictures) == 6 + 2
    gone, turned = "The picture is not there any more.", "1 picture of other classes"
    for text in ("Audit of tiny", "So it is.", "90 % (79 % to 96 %)", gone, turned, "run it"):
        assert text in page.text
    with zipfile.ZipFile(io.BytesIO(to_zip(report))) as archive:
        run = json.loads(archive.read("run.json"))
        assert [one["entry"] for one in run["runs"]] == [2]
        (audit,) = run["audits"]
        assert (audit["entry"], audit["comment"]) == (1, "So it is.")
        assert audit["command"] == "python -m camcore audit photos"
        assert [archive.read(name) for name in audit["files"]] == [b"{}"]
        prints = [archive.read(name) for name in archive.namelist() if name.endswith(".jpg")]
        assert prints == [grey(shade) for shade in (10, 11, 40, 50, 20, 30)]
    assert pdf.to_pdf(report).count(b"/Subtype /Image") >= 6 + 2


def test_a_report_of_audits_alone_names_their_commands(tmp_path):
    with zipfile.ZipFile(io.BytesIO(to_zip(Report((audit_item(),))))) as archive:
        archive.extract("run.json", tmp_path)
    with pytest.raises(CamcoreError, match="'command' that makes it again"):
        read_runs(tmp_path / "run.json")


def test_names_in_an_audit_are_inert():
    evil = audit_item(title=EVIL, answer=EVIL, source=EVIL, comment=EVIL, notes=(EVIL,), files={"figures.json": b""})
    gone = Section(EVIL, (Prints((Print(grey(1), EVIL, EVIL, EVIL),)), Table((EVIL,), ((EVIL,),)), Command(EVIL)))
    report = Report((replace(evil, sections=(gone,)),))
    page = Page(to_html(report))
    assert "script" not in page.tags
    assert page.text.count("alert(1)") >= 10
    assert pdf.to_pdf(report).startswith(b"%PDF")
    with zipfile.ZipFile(io.BytesIO(to_zip(report))) as archive:
        assert all(re.fullmatch(r"[\w./+-]+", name) and ".." not in name for name in archive.namelist())


def test_entries_of_a_pdf_go_on_beneath_each_other():
    def pages(*items):
        return len(re.findall(rb"/Type /Page\b", pdf.to_pdf(Report(items))))

    small, sheet = audit_item(sections=()), item(findings=tuple(finding() for _ in range(6)))
    assert pages(small, small, small) == 1
    assert pages(small, sheet, small, item()) < pages(small) + pages(sheet) + pages(small) + pages(item())


def test_several_entries_are_told_in_short_and_lead_to_each():
    page = Page(to_html(Report((item(), audit_item()))))
    assert "tiny says “Egyptian cat”, 71 %. The map was not checked." in page.text
    assert "Audit of tiny: It is right for 90 of 100 pictures." in page.text
    html = to_html(Report((item(), audit_item()))).decode()
    assert re.findall(r'href="#(entry-\d)"', html) == re.findall(r'article id="(entry-\d)"', html)
    assert "In short" not in to_html(Report((item(),))).decode()


def test_pdf_is_whole_has_its_fonts_inside_and_takes_any_text():
    text = "Weiß × – “so” → Ω Привет 中文 " + EVIL
    one = item(picture(name=f"{text}.png"), comment=text + "\n\n" + "word " * 900)
    data = pdf.to_pdf(Report((one, one), text, text))
    assert data.startswith(b"%PDF")
    assert data.rstrip().endswith(b"%%EOF")
    assert b"FontFile2" in data, "the font is inside"


@pytest.mark.parametrize(
    ("text", "markup"),
    [
        ("Weiß × – “so” −1", "Weiß × – “so” −1"),
        ("<b>&", "&lt;b&gt;&amp;"),
        ("a\nb", "a<br/>b"),
        ("a\x00\tb", "a  b"),
        ("ﬁne ½", "ﬁne ½"),
        ("\N{CJK UNIFIED IDEOGRAPH-4E2D}", "?"),
    ],
)
def test_text_in_a_pdf(text, markup):
    assert typesetting.marked(text, VERA, frozenset()) == markup


def test_letters_that_the_font_lacks_come_from_the_system_s():
    omega = typesetting.marked("aΩb", frozenset(map(ord, "ab")), frozenset({ord("Ω")}))
    assert omega == 'a<font name="Other">Ω</font>b'
    assert typesetting.marked("é", frozenset(map(ord, "e")), frozenset()) == "e"


@pytest.mark.parametrize("ending", [".html", ".zip", ".pdf"])
def test_a_report_is_written_whole_or_not_at_all(tmp_path, monkeypatch, ending):
    path = tmp_path / f"report{ending}"
    report = Report((item(),), "One")
    assert write_report(path, report) == path
    before = path.read_bytes()
    assert before

    def full(self, data):
        with open(self, "wb") as file:
            file.write(data[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports.Path, "write_bytes", full)
    with pytest.raises(CamcoreError, match="No space left"):
        write_report(path, report)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_a_report_is_refused_in_words(tmp_path):
    with pytest.raises(CamcoreError, match=r"one of \.html, \.zip, \.pdf"):
        write_report(tmp_path / "report.doc", Report((item(),)))
    with pytest.raises(CamcoreError, match="empty"):
        write_report(tmp_path / "report.pdf", Report(()))
