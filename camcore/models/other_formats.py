"""Files that are no Keras model, recognised by content as well as by name, with advice for each."""

from __future__ import annotations

import zipfile
from pathlib import Path

from camcore.errors import ModelError
from camcore.files import opened_plain

HDF5 = b"\x89HDF\r\n\x1a\n"
_HEAD = 4096
_TORCH_ENDINGS = (".pt", ".pth", ".ckpt", ".bin")
_OLD_TORCH = b"\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # the number that torch.save wrote before it wrote zip archives

_REBUILD = (
    "Rebuild the network in Keras and copy its weights, or have a Python function do so and name it in CAMCORE_MODELS."
)
_FORMATS = "A model is a .keras or an HDF5 file."
_TENSORFLOW = "Take the model that it was made from, and save it by model.save('my_model.keras')."
_KEEP = "Save the whole model where it was made: model.save('my_model.keras')."


def refuse_foreign(path: Path) -> None:
    """Raise ModelError where a file is neither an HDF5 file nor an archive as Keras writes it. Runs nothing of it."""
    try:
        with opened_plain(path) as file:
            start = file.read(_HEAD)
    except OSError as error:
        raise ModelError(f"'{path}' cannot be opened: {error.strerror or error}. Allow reading it.") from error
    if start.startswith(HDF5):
        return
    if start.startswith(b"PK"):
        _refuse_archive(path)
        return
    what, why, advice = _refusal(path, start)
    raise ModelError(f"'{path}' is no Keras model: it is {what}. {why} {advice}")


def _refuse_archive(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise ModelError(
            f"'{path}' is a zip archive that is not whole: {str(error).rstrip('.')}. A copy or download of it broke "
            "off. Copy it again."
        ) from error
    if "config.json" in names:
        return
    if any(name.rpartition("/")[2] == "data.pkl" for name in names):
        what, why = "a PyTorch file", "camcore runs Keras models."
        raise ModelError(f"'{path}' is no Keras model: it is {what}. {why} {_REBUILD}")
    if any(name.rpartition("/")[2] == "saved_model.pb" for name in names):
        raise ModelError(
            f"'{path}' is no Keras model: it is an archive of a SavedModel folder. Unpack it and name the folder; "
            "running one needs --unsafe (safe_mode=False in Python)."
        )
    inside = ", ".join(names[:3]) or "nothing"
    raise ModelError(
        f"'{path}' is no Keras model: it is a zip archive that holds {inside}, and no config.json. A .keras file has "
        f"one. {_KEEP}"
    )


def _refusal(path: Path, start: bytes) -> tuple[str, str, str]:
    """An error that names the kind of file, why it cannot be loaded, and what to do."""
    suffix = path.suffix.lower()
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not start:
        return "empty", "A copy or download of it broke off.", "Copy it again."
    if start.startswith(b"version https://git-lfs"):
        return "a pointer of Git LFS", "The file itself was not fetched.", "Fetch it with git lfs pull."
    if text.startswith((b"<!doctype html", b"<html", b"<?xml", b"<head")):
        return (
            "a web page (HTML)",
            "The address that it was fetched from gave a page instead of the file.",
            "Download the file itself.",
        )
    if start[4:8] == b"TFL3" or suffix == ".tflite":
        return "a TensorFlow Lite model", "Its operations have no gradients.", _TENSORFLOW
    if (start[8:9] == b"{" and int.from_bytes(start[:8], "little") < 100 << 20) or suffix == ".safetensors":
        return "a safetensors file", "It holds weights alone, as a rule of a PyTorch network.", _REBUILD
    if suffix == ".onnx" or _is_onnx(start):
        return "an ONNX model", "camcore runs Keras models.", _REBUILD
    if _OLD_TORCH in start[:64] or suffix in (".pt", ".pth"):
        return "a PyTorch file", "camcore runs Keras models.", _REBUILD
    if (start[:1] == b"\x80" and start[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05")) or suffix in (".pkl", ".joblib"):
        if suffix in _TORCH_ENDINGS:
            return "a PyTorch file", "camcore runs Keras models.", _REBUILD
        return "a pickle", "Opening one runs whatever code it names.", _KEEP
    if suffix in (".bin", ".ckpt") or path.name == "checkpoint" or suffix == ".index" or ".data-0" in path.name:
        return "a checkpoint, weights without a model", "What they are the weights of is not in it.", _KEEP
    if suffix in (".pb", ".pbtxt"):
        return "a frozen graph of TensorFlow 1", "It holds no Keras model, and has no layers.", _TENSORFLOW
    if text.startswith((b"{", b"[")) or b"class_name:" in text:
        if b"class_name" in text:
            return (
                "an architecture without weights (JSON or YAML)",
                "It knows nothing.",
                "Build the model from it, load its weights and save both: model.save('my_model.keras').",
            )
        return "JSON text", _FORMATS, _KEEP
    if not start.strip(b"\0"):
        return "full of zeros", "A copy or download of it broke off.", "Copy it again."
    if _is_text(start):
        return f"text, which begins with {start[:40].decode('utf-8', 'replace')!r}", _FORMATS, _KEEP
    shown = start[:12].hex(" ")
    return f"of an unknown kind (it begins with the bytes {shown})", _FORMATS, _KEEP


def _is_text(start: bytes) -> bool:
    try:
        text = start[:200].decode("utf-8", "strict" if len(start) <= 200 else "ignore")
    except UnicodeDecodeError:
        return False
    return len(text) > len(start[:200]) // 2 and all(letter.isprintable() or letter.isspace() for letter in text)


def _is_onnx(start: bytes) -> bool:
    """A ModelProto begins with its ir_version (field 1, a small number) and its producer or graph."""
    return start[:1] == b"\x08" and start[1:2] < b"\x20" and start[2:3] in (b"\x12", b"\x1a", b"\x3a", b"\x42")
