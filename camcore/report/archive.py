"""A report as a ZIP: pictures at full resolution, raw maps as numbers, and ``run.json``, which makes them again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Hashable

from PIL import Image

from camcore.pictures.picture import Picture
from camcore.render.encode import to_png, with_caption
from camcore.report import entry_text
from camcore.report.captions import caption
from camcore.report.document import AuditItem, DrawStyle, Finding, Item, PictureFile, Report
from camcore.report.drawing import overlay_of, shrink
from camcore.report.html import to_html
from camcore.report.record import SCHEMA_VERSION, map_csv, record, safe, stems, to_json

# Maps that stand side by side are many; each is drawn at most this large, beside the photograph in full.
SEVERAL_SIDE = 2048

_ABOUT = """\
report.html     the report
run.json        how every map was made; `python -m camcore run run.json` makes them again and reports the differences
"""
_MAPS = """\
pictures/       the photographs as they were given
maps/           a folder for each entry: every map on its photograph as PNG, and its raw values as CSV
"""
_AUDITS = """\
audits/         a folder for each audit: its figures as JSON, its average maps as CSV, and the pictures of the report;
                run.json has the command that makes the audit again
"""


def to_zip(report: Report) -> bytes:
    """The report as a ZIP. Names inside hold nothing but letters, digits, dots and dashes."""
    file = io.BytesIO()
    runs: list[dict[str, object]] = []
    audits: list[dict[str, object]] = []
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:  # PNG and JPEG do not get smaller
        paths: dict[str, str] = {}
        for number, item in enumerate(report.items, 1):
            if isinstance(item, AuditItem):
                audits.append(_audit(archive, item, number))
                continue
            picture = item.picture
            if picture.sha256 not in paths:
                paths[picture.sha256] = f"pictures/{picture.sha256[:12]}{_ending(picture)}"
                archive.writestr(paths[picture.sha256], picture.data)
            runs += _entry(archive, item, number, paths[picture.sha256])
        about = {"title": entry_text.called(report), "author": report.author, "made": report.made}
        whole = {"schema_version": SCHEMA_VERSION, **about, "runs": runs}
        _text(archive, "run.json", to_json({**whole, "audits": audits} if audits else whole))
        _text(archive, "report.html", to_html(report))
        _text(archive, "README.txt", _about(report, bool(runs), bool(audits)).encode())
    return file.getvalue()


def _about(report: Report, maps: bool, audits: bool) -> str:
    text = _ABOUT + _MAPS * maps + _AUDITS * audits
    if maps:
        cut = any(isinstance(item, Item) and len(item.findings) > 1 for item in report.items)
        reduced = f"; those of an entry with several at most {SEVERAL_SIDE} pixels" if cut else ""
        text += f"\nMaps are drawn at the photograph's full size{reduced}.\n"
    return text


def _audit(archive: zipfile.ZipFile, item: AuditItem, number: int) -> dict[str, object]:
    """Write the files of an audit's entry; its record."""
    folder = f"audits/{number:02d}"
    for name, data in item.files.items():
        _text(archive, f"{folder}/{name}", data)
    prints = [one for section in item.sections for one in section.prints()]
    for place, one in enumerate(prints, 1):
        name = safe(one.alt) or "picture"
        archive.writestr(f"{folder}/pictures/{place:03d}_{name}.jpg", one.jpeg)
    return {
        "entry": number,
        "title": item.title,
        "comment": item.comment,
        "command": item.command,
        "files": [f"{folder}/{name}" for name in item.files],
    }


def _entry(archive: zipfile.ZipFile, item: Item, number: int, path: str) -> list[dict[str, object]]:
    """Write an entry's files; its records, one for each network and framing."""
    pic = item.picture.open()
    folder = f"maps/{number:02d}"
    names = stems([one.map for one in item.findings], safe(entry_text.picture_name(item)) or "picture")
    side = SEVERAL_SIDE if len(item.findings) > 1 else None
    runs: dict[Hashable, list[tuple[Finding, tuple[str, str]]]] = {}
    for one, name in zip(item.findings, names, strict=True):
        lines = caption(one.map, one.info)
        files = (f"{folder}/{name}.png", f"{folder}/{name}.csv")
        archive.writestr(files[0], _drawn(pic, one, item.style, side, lines))
        _text(archive, files[1], map_csv(one.map, lines))
        key = (one.network.name, one.network.weights_sha256, one.map.framing)
        runs.setdefault(key, []).append((one, files))
    records = []
    for pairs in runs.values():
        run = record(item.picture, path, [one for one, _ in pairs], item.versions, [files for _, files in pairs])
        records.append({**run, "entry": number, "comment": item.comment})
    return records


def _drawn(pic: Picture, one: Finding, style: DrawStyle, side: int | None, lines: tuple[str, ...]) -> bytes:
    rgb = pic.rgb if side is None else shrink(pic.rgb, side)
    return to_png(with_caption(overlay_of(rgb, one, style, side), lines))


def _ending(picture: PictureFile) -> str:
    """The ending that fits the file's content, whatever its name says."""
    with Image.open(io.BytesIO(picture.data)) as image:
        return f".{str(image.format).lower()}"


def _text(archive: zipfile.ZipFile, name: str, data: bytes) -> None:
    archive.writestr(name, data, zipfile.ZIP_DEFLATED)
