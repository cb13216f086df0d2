"""Writes one section of docs/evidence.md: what a command printed, with the command. Other sections stay."""

import sys
from pathlib import Path

from data import ROOT

_FIRST = "MobileNetV2"
PAGE = ROOT / "docs" / "evidence.md"

_HEAD = """# Evidence over many pictures

Each section was written by the command above its table, with `--write`; run it again to refresh it. A method is worth
its map only where it beats the controls below it: smooth random noise and a blob in the middle of the picture.
"""


def titled(title: str, network: str) -> str:
    """A section's title, with the network's name where it is not the one that the page begins with."""
    return title if network == _FIRST else f"{title}, {network}"


def write_section(title: str, text: str, page: Path = PAGE) -> None:
    """Put a section in its place, or at the end; the command is the one that runs."""
    body = page.read_text(encoding="utf-8") if page.exists() else _HEAD
    head, *sections = body.split("\n## ")
    command = " ".join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]])
    new = f"{title}\n\n```bash\n{command}\n```\n\n{text.strip()}\n"
    kept = [section.strip("\n") + "\n" for section in sections]
    places = [place for place, section in enumerate(kept) if section.split("\n", 1)[0] == title]
    if places:
        kept[places[0]] = new
    else:
        kept.append(new)
    page.write_text(head.strip("\n") + "\n" + "".join(f"\n## {section}" for section in kept), encoding="utf-8")
    print(f"wrote {page.relative_to(ROOT)}")


def markdown(columns: list[str], rows: list[list[str]]) -> str:
    """A table."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
