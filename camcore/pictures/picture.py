"""Bytes or a path become a checked, upright 8-bit RGB picture.

Whatever a camera, a scanner or a web page hands over is brought to one form, and everything that was
done on the way is written down in plain words. What cannot be used is refused before it costs memory.
"""

import hashlib
import io
import os
import re
import threading
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, UnidentifiedImageError

from camcore.checks import checked, text
from camcore.checks import shown as as_shown
from camcore.errors import PictureError
from camcore.pictures.depth import deep_channels, eight_bit_image
from camcore.pictures.file_kinds import camera_raw, in_format, why_unreadable
from camcore.pictures.pieces import excess
from camcore.pictures.srgb import split_alpha, to_srgb
from camcore.pictures.tiff_bands import Directory, check_readable, first_bands, has_bands, read_directory

MAX_BYTES = 10 * 1024 * 1024
MAX_PIXELS = 25_000_000
MIN_SIDE = 8

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_NO_TIFF = FORMATS[:-1]

# EXIF orientation (the value of tag 0x0112) -> what brings the picture upright.
_UPRIGHT = {
    2: (Image.Transpose.FLIP_LEFT_RIGHT, "mirrored"),
    3: (Image.Transpose.ROTATE_180, "rotated"),
    4: (Image.Transpose.FLIP_TOP_BOTTOM, "mirrored"),
    5: (Image.Transpose.TRANSPOSE, "rotated and mirrored"),
    6: (Image.Transpose.ROTATE_270, "rotated"),
    7: (Image.Transpose.TRANSVERSE, "rotated and mirrored"),
    8: (Image.Transpose.ROTATE_90, "rotated"),
}

# Silencing Pillow's warnings swaps a list that the whole process shares, so only one thread may do it at
# a time. That decodes one picture after another, which also bounds the memory that decoding can take.
_DECODING = threading.Lock()


@dataclass(frozen=True, eq=False)
class Picture:
    """An upright RGB picture.

    rgb: uint8 (H, W, 3), read-only, C-contiguous. sha256: hex digest of the file's bytes (of shape and
    pixels where there was no file). notes: what was done to the file's pixels, in plain words.
    name: the file's name as given, not escaped.
    """

    rgb: NDArray[np.uint8]
    sha256: str
    notes: tuple[str, ...] = ()
    name: str = ""

    def __post_init__(self) -> None:
        rgb = self.rgb
        if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3:
            raise PictureError(
                f"{as_shown(rgb)} is not the pixels of a picture. They are a uint8 array (height, width, 3). Use "
                "Picture.from_array, which checks and copies them, or open_picture."
            )

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.rgb.shape[0])

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.rgb.shape[1])

    @classmethod
    @checked(name=text)
    def from_array(cls, rgb: NDArray[np.uint8], *, name: str = "") -> "Picture":
        """A picture from uint8 (H, W, 3) pixels, which are copied; PictureError for anything else."""
        shown = _shown(name)
        if not isinstance(rgb, np.ndarray) or rgb.dtype != np.uint8:
            kind = f"dtype {rgb.dtype}" if isinstance(rgb, np.ndarray) else f"a {type(rgb).__name__}"
            raise PictureError(
                f"{shown} is {kind}, not a uint8 array. Pixels are read as 0 to 255. "
                "Scale them to that range and use .astype(numpy.uint8)."
            )
        if rgb.ndim != 3 or rgb.shape[2] != 3:
            raise PictureError(
                f"{shown} has shape {rgb.shape}, not (height, width, 3). A picture has three channels, "
                "red, green and blue. Repeat a gray channel three times; drop an alpha channel."
            )
        _check_size(rgb.shape[1], rgb.shape[0], shown)
        pixels = np.array(rgb, order="C")
        pixels.setflags(write=False)
        digest = hashlib.sha256(repr(pixels.shape).encode())
        digest.update(pixels.data)
        return cls(pixels, digest.hexdigest(), (), name)


@checked(name=text)
def open_picture(source: str | os.PathLike[str] | bytes | bytearray | memoryview, *, name: str = "") -> Picture:
    """Open a path or a file's bytes as a checked, upright RGB Picture.

    At most MAX_BYTES bytes and MAX_PIXELS pixels (checked before anything is decoded), at least MIN_SIDE
    pixels a side, one of FORMATS. EXIF orientation is applied, colour profiles and CMYK become sRGB,
    transparency is shown on white, more than 8 bits are scaled by the range that they are in, of an
    animation the first frame is taken, of a TIFF of several bands the first three; notes say which of these
    happened. name defaults to the path's last part.

    Raises PictureError for everything that cannot be opened so, damaged and cut-off files included.

    With ``file``, the path of a picture of 48×64 pixels:

    >>> pic = camcore.open_picture(file)
    >>> pic.rgb.shape, pic.rgb.dtype, pic.notes
    ((48, 64, 3), dtype('uint8'), ())
    """
    data, name = _read(source, name)
    shown = _shown(name)
    try:
        with _DECODING, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rgb, notes = _decode(data, shown)
    except PictureError:
        raise
    except Image.DecompressionBombError as error:
        count = re.search(r"\d{7,}", str(error))  # Pillow gives up before it tells us the sides
        millions = f"{int(count[0]) / 1e6:.0f}" if count else "hundreds of"
        raise PictureError(_too_many_pixels(f"{shown} has {millions}")) from error
    except MemoryError as error:
        raise PictureError(
            f"{shown} needs more memory than there is. It is damaged, or too much is running. Try a smaller picture."
        ) from error
    except Exception as error:  # a malformed file can raise nearly anything inside Pillow
        raise PictureError(why_unreadable(data, shown)) from error
    return Picture(rgb, hashlib.sha256(data).hexdigest(), notes, name)


def _shown(name: str) -> str:
    return f"'{name}'" if name else "The picture"


def _read(source: str | os.PathLike[str] | bytes | bytearray | memoryview, name: str) -> tuple[bytes, str]:
    """The file's bytes, at most MAX_BYTES of them, and its name."""
    if isinstance(source, (bytes, bytearray, memoryview)):
        size = memoryview(source).nbytes
        _check_bytes(size, _shown(name))
        return bytes(source), name
    if not isinstance(source, (str, os.PathLike)):
        raise PictureError(
            f"A picture cannot be opened from a {type(source).__name__}. "
            "open_picture reads a path or a file's bytes. For pixels, use Picture.from_array."
        )
    path = Path(os.fsdecode(source))
    shown = _shown(name or str(path))
    try:
        if path.is_dir():
            raise PictureError(f"{shown} is a folder. A picture is one file. Name a file inside it.")
        if not path.exists():
            raise PictureError(f"{shown} does not exist. There is no file at that path. Check its spelling.")
        if not path.is_file():  # reading a pipe or a device might never end
            raise PictureError(f"{shown} is not a regular file. It has no fixed content. Copy it to a file.")
        with path.open("rb") as file:
            _check_bytes(os.fstat(file.fileno()).st_size, shown)
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise PictureError(f"{shown} cannot be read: {error}. Check the path and its permissions.") from error
    _check_bytes(len(data), shown)
    return data, name or path.name


def _check_bytes(size: int, shown: str) -> None:
    if size == 0:
        raise PictureError(f"{shown} is empty (0 bytes). There is nothing to show. Save or send it again.")
    if size > MAX_BYTES:
        raise PictureError(
            f"{shown} has {size / 2**20:.1f} MB, more than the limit of {MAX_BYTES / 2**20:.0f} MB. "
            "Larger files would slow everyone down. Save it smaller, or as JPEG."
        )


def _check_size(width: int, height: int, shown: str) -> None:
    if min(width, height) < MIN_SIDE:
        raise PictureError(
            f"{shown} is {width}×{height} pixels, too small: each side needs at least {MIN_SIDE}. "
            "A network finds nothing in so few pixels. Use a larger picture."
        )
    if width * height > MAX_PIXELS:
        raise PictureError(_too_many_pixels(f"{shown} is {width}×{height}, {width * height / 1e6:.5g}"))


def _check_pieces(data: bytes, shown: str) -> None:
    what = excess(data)
    if what:
        raise PictureError(
            f"{shown} is {what}. A picture needs a few, and so many would take minutes. Open it in an image program "
            "and save it anew."
        )


def _too_many_pixels(size: str) -> str:
    return (
        f"{size} million pixels; the limit is {MAX_PIXELS / 1e6:.0f} million. "
        "Decoding it would take too much memory. Make it smaller and try again."
    )


def _decode(data: bytes, shown: str) -> tuple[NDArray[np.uint8], tuple[str, ...]]:
    """Decode, and bring to upright RGB. Raises PictureError, and whatever Pillow raises."""
    notes: list[str] = []
    _check_pieces(data, shown)
    directory = read_directory(data)
    if directory is not None and directory.is_raw:
        raise PictureError(in_format(camera_raw(directory.make), shown))
    with _opened(data, directory, shown, notes) as opened:
        _check_size(*opened.size, shown)
        _note_frames(opened, data, notes)
        deep = deep_channels(opened)
        turned = _orientation(opened, []) if opened.format == "TIFF" else 1  # Pillow turns a TIFF in loading
        opened.load()
        _check_size(*opened.size, shown)
        to_turn = _orientation(opened, notes)  # not earlier: of a PNG this would load, and hide its damage
        image = eight_bit_image(opened, data, deep, notes)
        image, alpha = split_alpha(image)
        image = to_srgb(image, opened.info.get("icc_profile"), notes)
        if alpha is not None:
            image = Image.composite(image, Image.new("RGB", image.size, "white"), alpha)
            notes.append("transparency shown on white")
    if to_turn in _UPRIGHT:
        image = image.transpose(_UPRIGHT[to_turn][0])
        turned = to_turn
    if turned in _UPRIGHT:
        notes.append(f"{_UPRIGHT[turned][1]} upright (EXIF orientation {turned})")
    rgb = np.ascontiguousarray(image, dtype=np.uint8)
    rgb.setflags(write=False)
    return rgb, tuple(notes)


def _opened(data: bytes, directory: Directory | None, shown: str, notes: list[str]) -> Image.Image:
    """The file as Pillow opens it, nothing decoded; of a TIFF that it has no mode for, the picture in its bands."""
    if directory is None:
        return Image.open(io.BytesIO(data), formats=_NO_TIFF)  # of which a directory that is none says nothing
    check_readable(directory, shown)
    if not has_bands(directory):
        try:
            return Image.open(io.BytesIO(data), formats=FORMATS)
        except UnidentifiedImageError:
            if not min(directory.size):
                raise
    _check_size(*directory.size, shown)
    image, done = first_bands(data, directory, shown)
    notes += done
    image.getexif()[ExifTags.Base.Orientation] = directory.orientation
    if directory.icc:
        image.info["icc_profile"] = directory.icc
    if directory.more:
        notes.append("first of several pages")
    return image


def _note_frames(image: Image.Image, data: bytes, notes: list[str]) -> None:
    if image.format is None:  # read in tiff_bands.py, which has said so
        return
    if image.format == "TIFF":  # counting would walk a chain that a crafted file can make endlessly long
        if getattr(image, "is_animated", False):
            notes.append("first of several pages")
        return
    try:
        # Counting moves the file's position, so it happens on a second handle.
        with Image.open(io.BytesIO(data), formats=FORMATS) as counted:
            frames = getattr(counted, "n_frames", 1)
    except Exception:  # only frames after the first can be meant here, and those are not shown anyway
        notes.append("first frame; the frames after it cannot be read")
        return
    if frames > 1:
        notes.append(f"first of {frames} frames")


def _orientation(image: Image.Image, notes: list[str]) -> int:
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # damaged EXIF data says nothing about the pixels
        notes.append("damaged EXIF data ignored")
        return 1
