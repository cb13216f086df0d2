"""Kinds of files by how they begin, so that a refusal can say what a file is, and what to do with it."""

from __future__ import annotations

import gzip
import io
import re
import zlib
from collections.abc import Callable
from dataclasses import dataclass

FORMAT_LIST = "JPEG, PNG, WebP, GIF, BMP or TIFF"

_EXPORT = "Export it as JPEG or PNG and open that."
_SLICE = (
    "Export one slice as PNG from its viewer, or read it in Python and give uint8 pixels to camcore.Picture.from_array."
)
_DEVELOP = "Develop it in a photo program, or take the JPEG that the camera saved beside it."
_FRAME = "Save one frame of it as JPEG or PNG and open that."
_ARRAY = "Load it with numpy.load and give uint8 pixels to camcore.Picture.from_array."


@dataclass(frozen=True)
class FileKind:
    """A kind of file: its ``name``, and ``what_to_do`` with it; empty for the formats that can be opened."""

    name: str
    what_to_do: str = ""


def _at(offset: int, *signatures: bytes) -> Callable[[bytes], bool]:
    return lambda data: data.startswith(signatures, offset)


def _brand(*brands: bytes) -> Callable[[bytes], bool]:
    """A file of the ISO base media kind, by its main brand."""
    return lambda data: data[4:8] == b"ftyp" and data[8:12].startswith(brands)


def _is_svg(data: bytes) -> bool:
    start = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n")
    return start.startswith(b"<") and re.search(rb"<svg[\s>]", start) is not None


def _is_nifti(data: bytes) -> bool:
    return data[344:348] in (b"n+1\0", b"ni1\0") or data[4:8] in (b"n+2\0", b"ni2\0")


def _is_packed_nifti(data: bytes) -> bool:
    if not data.startswith(b"\x1f\x8b"):
        return False
    try:
        with gzip.open(io.BytesIO(data)) as unpacked:
            return _is_nifti(unpacked.read(352))
    except (OSError, EOFError, zlib.error):
        return False


def _is_npz(data: bytes) -> bool:
    """A ZIP file whose first member is a numpy array."""
    length = int.from_bytes(data[26:28], "little")
    return data.startswith(b"PK\x03\x04") and data[30 : 30 + length].endswith(b".npy")


# The first that fits counts: a camera's own format often begins as a more general one does.
_KINDS: tuple[tuple[Callable[[bytes], bool], FileKind], ...] = (
    (_at(128, b"DICM"), FileKind("DICOM", _SLICE)),
    (_is_nifti, FileKind("NIfTI", _SLICE)),
    (_is_packed_nifti, FileKind("NIfTI (gzip)", _SLICE)),
    (_at(0, b"\x93NUMPY"), FileKind("numpy .npy", _ARRAY)),
    (_is_npz, FileKind("numpy .npz", _ARRAY)),
    (lambda data: data[:2] in (b"II", b"MM") and data[8:10] == b"CR", FileKind("camera raw (CR2)", _DEVELOP)),
    (_brand(b"crx"), FileKind("camera raw (CR3)", _DEVELOP)),
    (_at(0, b"FUJIFILMCCD-RAW"), FileKind("camera raw (RAF)", _DEVELOP)),
    (_at(0, b"IIRO", b"IIRS", b"MMOR"), FileKind("camera raw (ORF)", _DEVELOP)),
    (_at(0, b"IIU\0"), FileKind("camera raw (RW2)", _DEVELOP)),
    (_at(0, b"\xff\xd8\xff"), FileKind("JPEG")),
    (_at(0, b"\x89PNG\r\n\x1a\n"), FileKind("PNG")),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", FileKind("WebP")),
    (_at(0, b"GIF8"), FileKind("GIF")),
    (_at(0, b"BM"), FileKind("BMP")),
    (_at(0, b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), FileKind("TIFF")),
    (_brand(b"avif", b"avis"), FileKind("AVIF", _EXPORT)),
    (_brand(b"hei", b"hev"), FileKind("HEIC", _EXPORT)),
    (_brand(b"mif", b"msf"), FileKind("HEIF", _EXPORT)),
    (_brand(b""), FileKind("video", _FRAME)),
    (_at(0, b"\x1aE\xdf\xa3"), FileKind("WebM or Matroska video", _FRAME)),
    (lambda data: data[:4] == b"RIFF" and data[8:12] == b"AVI ", FileKind("AVI video", _FRAME)),
    (_at(0, b"\xff\x0a", b"\0\0\0\x0cJXL \r\n\x87\n"), FileKind("JPEG XL", _EXPORT)),
    (_at(0, b"\xff\x4f\xff\x51", b"\0\0\0\x0cjP  \r\n\x87\n"), FileKind("JPEG 2000", _EXPORT)),
    (_at(0, b"v/1\x01"), FileKind("OpenEXR", _EXPORT)),
    (_is_svg, FileKind("SVG", "It holds shapes, not pixels. Export it as PNG and open that.")),
    (_at(0, b"%PDF"), FileKind("PDF", _EXPORT)),
    (_at(0, b"8BPS"), FileKind("Photoshop", _EXPORT)),
    (_at(0, b"\x89HDF\r\n\x1a\n"), FileKind("HDF5", _ARRAY.replace("numpy.load", "h5py"))),
    (_at(0, b"PK\x03\x04"), FileKind("ZIP or office", "Take the picture out of it, or export it as JPEG or PNG.")),
    (_at(0, b"\x1f\x8b"), FileKind("gzip", "Unpack it first.")),
)


def kind_of(data: bytes) -> FileKind | None:
    """The kind of a file, by its first bytes; None where it is unknown."""
    return next((kind for fits, kind in _KINDS if fits(data)), None)


def camera_raw(make: str) -> FileKind:
    """The kind of a TIFF that holds a camera's raw picture."""
    names = {"nikon": "NEF", "sony": "ARW", "pentax": "PEF", "ricoh": "PEF", "samsung": "SRW"}
    ending = next((name for maker, name in names.items() if make.lower().startswith(maker)), "DNG")
    return FileKind(f"camera raw ({ending})", _DEVELOP)


def begins_as_picture(start: bytes) -> bool:
    """Tell whether a file's first bytes (16 or more) are those of a format that open_picture reads."""
    kind = kind_of(start)
    return kind is not None and not kind.what_to_do


def in_format(kind: FileKind, shown: str) -> str:
    """The refusal of a file of another kind."""
    return f"{shown} is in {kind.name} format. Only {FORMAT_LIST} can be opened. {kind.what_to_do}"


def why_unreadable(data: bytes, shown: str) -> str:
    """The refusal of a file that could not be decoded: what it is, and what to do."""
    kind = kind_of(data)
    if kind is not None and not kind.what_to_do:
        return (
            f"{shown} begins as a {kind.name} picture but cannot be decoded. "
            "The file is damaged or cut short. Download, export or send it again."
        )
    if kind is not None:
        return in_format(kind, shown)
    what = "holds text, not a picture" if _is_text(data) else "is not a picture of a known format"
    return (
        f"{shown} {what}. Only {FORMAT_LIST} can be opened, whatever the file's ending says. "
        "Open the picture in a viewer and save it as JPEG or PNG."
    )


def _is_text(data: bytes) -> bool:
    try:
        return not set(data.decode()[:512]) & set(map(chr, (*range(9), *range(14, 32))))
    except UnicodeDecodeError:
        return False
