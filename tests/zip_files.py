"""ZIP files of pictures, in memory."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np
from PIL import Image


def picture(kind: str = "PNG") -> bytes:
    """The file of a small black picture."""
    file = io.BytesIO()
    Image.fromarray(np.zeros((16, 16, 3), np.uint8)).save(file, kind)
    return file.getvalue()


def packed(files: Mapping[str, bytes]) -> io.BytesIO:
    """An archive of files by their names."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    file.seek(0)
    return file
