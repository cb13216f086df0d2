"""A report as a file, in the format that the file's name says."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from camcore.errors import CamcoreError
from camcore.files import write_whole
from camcore.report.archive import to_zip
from camcore.report.document import Report
from camcore.report.html import to_html
from camcore.report.pdf import to_pdf

FORMATS: dict[str, Callable[[Report], bytes]] = {".html": to_html, ".zip": to_zip, ".pdf": to_pdf}


def write_report(path: str | os.PathLike[str], report: Report) -> Path:
    """Write a report as ``.html``, ``.zip`` or ``.pdf``, whole or not at all; returns the path.

    Raises CamcoreError for another ending, a report without entries, or where the file cannot be written.
    """
    home = Path(path)
    make = FORMATS.get(home.suffix.lower())
    if make is None:
        raise CamcoreError(
            f"{home.name!r} is no name for a report. Its ending says the format: one of {', '.join(FORMATS)}. "
            "Choose one of these."
        )
    if not report.items:
        raise CamcoreError("The report is empty, so there is nothing to write. Add an entry first.")
    return write_whole(home, make(report))
