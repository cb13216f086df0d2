"""What a file is, by how it begins: named when it is refused, with what to do."""

import gzip
import io

import numpy as np
import pytest

from camcore.errors import PictureError
from camcore.pictures.file_kinds import begins_as_picture, kind_of
from camcore.pictures.picture import open_picture


def numpy_file(**arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    if arrays:
        np.savez(file, **arrays)
    else:
        np.save(file, np.zeros((9, 9)))
    return file.getvalue()


def nifti(magic: bytes = b"n+1\0") -> bytes:
    return (348).to_bytes(4, "little") + bytes(340) + magic + bytes(100)


KINDS = [
    (bytes(128) + b"DICM" + bytes(50), "DICOM", "Picture.from_array"),
    (nifti(), "NIfTI", "Picture.from_array"),
    (nifti(b"ni1\0"), "NIfTI", "slice"),
    ((540).to_bytes(4, "little") + b"n+2\0" + bytes(600), "NIfTI", "slice"),
    (gzip.compress(nifti(), mtime=0), "NIfTI (gzip)", "slice"),
    (gzip.compress(b"anything", mtime=0), "gzip", "Unpack"),
    (b"\x1f\x8b\x08 damaged", "gzip", "Unpack"),
    (numpy_file(), "numpy .npy", "numpy.load"),
    (numpy_file(a=np.zeros(3)), "numpy .npz", "numpy.load"),
    (b"PK\x03\x04" + bytes(60), "ZIP or office", "Take the picture out"),
    (b"II*\0\x10\0\0\0CR\x02\0" + bytes(60), "camera raw (CR2)", "Develop"),
    (b"\0\0\0\x18ftypcrx " + bytes(50), "camera raw (CR3)", "Develop"),
    (b"FUJIFILMCCD-RAW 0201" + bytes(50), "camera raw (RAF)", "Develop"),
    (b"IIRO\x08\0\0\0" + bytes(50), "camera raw (ORF)", "Develop"),
    (b"IIU\0\x08\0\0\0" + bytes(50), "camera raw (RW2)", "Develop"),
    (b"\0\0\0\x18ftypheic" + bytes(50), "HEIC", "JPEG or PNG"),
    (b"\0\0\0\x18ftyphevc" + bytes(50), "HEIC", "JPEG or PNG"),
    (b"\0\0\0\x18ftypmif1" + bytes(50), "HEIF", "JPEG or PNG"),
    (b"\0\0\0\x1cftypavif" + bytes(50), "AVIF", "JPEG or PNG"),
    (b"\0\0\0\x18ftypisom" + bytes(50), "video", "one frame"),
    (b"\x1aE\xdf\xa3" + bytes(50), "WebM or Matroska video", "one frame"),
    (b"RIFF\0\0\0\0AVI LIST" + bytes(50), "AVI video", "one frame"),
    (b"\xff\x0a" + bytes(50), "JPEG XL", "JPEG or PNG"),
    (b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(50), "JPEG XL", "JPEG or PNG"),
    (b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(50), "JPEG 2000", "JPEG or PNG"),
    (b'<?xml version="1.0"?>\n<!-- made -->\n<svg width="9">', "SVG", "shapes"),
    (b"%PDF-1.7", "PDF", "JPEG or PNG"),
    (b"8BPS\0\x01" + bytes(50), "Photoshop", "JPEG or PNG"),
    (b"\x89HDF\r\n\x1a\n" + bytes(50), "HDF5", "h5py"),
]


@pytest.mark.parametrize(("data", "name", "what_to_do"), KINDS)
def test_other_kinds_are_named_with_what_to_do(data, name, what_to_do):
    with pytest.raises(PictureError) as caught:
        open_picture(data, name="it")
    message = str(caught.value)
    assert message.startswith(f"'it' is in {name} format. Only JPEG, PNG, WebP, GIF, BMP or TIFF can be opened. ")
    assert what_to_do in message
    assert not begins_as_picture(data)


def test_a_web_page_is_text_and_a_wave_file_no_webp():
    for data, words in ((b"<!doctype html><html>", "holds text"), (b"RIFF\xff\0\0\0WAVEfmt ", "known format")):
        with pytest.raises(PictureError, match=words):
            open_picture(data)
    assert kind_of(b"RIFF\0\0\0\0WEBPVP8 ").name == "WebP"
