"""The powers of a visitor: this module decides, pages ask it.

Started for oneself, the app lets its visitor do what the person at this machine may. Started for strangers
(``camcore app --public``, or ``CAMCORE_PUBLIC=1``), a visitor sees the folders that the operator names in
``CAMCORE_FOLDERS`` and no others, is told no path of the server, changes nothing of others, and has a folder for the
session: what he uploads and trains lies there, is his alone, and goes when he leaves.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

import streamlit as st

from camcore.errors import CamcoreError
from camcore.places import FOLDERS, PUBLIC, choose_networks_by, home
from ui._compat import in_session

YOURS = "yours"
"""The first part of the names that a visitor reads for what lies in his own folder."""
CLOSED = (
    "This server shows no folders but those that its operator has opened to visitors. Choose one of the list where "
    "there is one, or upload pictures of your own."
)
NOT_YOURS = "This server is open to many visitors, and this belongs to all of them. Only its operator can change it."
NO_DOWNLOAD = "Only the operator of this server can fetch them."
MOST_UPLOADED = 2 << 30
"""Bytes that a visitor may upload to a public server in a session."""
MOST_KEPT = 4 << 30
"""Bytes of a visitor's folder there."""
JOBS_AT_ONCE = 4
"""Pieces of work of one visitor that run there at a time; further ones wait for these."""

_HOME, _UPLOADED = "visitor_home", "visitor_uploaded"
_QUOTED = re.compile(r"(['\"“])/[^'\"”\n]*/([^'\"”/\n]*)")
_BARE = re.compile(r"(?<![\w:/.…<])/(?:[^\s/'\"“”<>,;:|]+/)+")


@dataclass(frozen=True)
class Policy:
    """The mode of the server. ``folders``: those open to visitors, by the names that visitors read."""

    public: bool = False
    folders: Mapping[str, Path] = field(default_factory=dict)

    @property
    def changes(self) -> bool:
        """Whether a visitor may change what belongs to the server: its weights, networks and choices."""
        return not self.public

    def require_changes(self) -> None:
        """Raise CamcoreError where a visitor may not change what belongs to the server."""
        if not self.changes:
            raise CamcoreError(NOT_YOURS)


def policy() -> Policy:
    """The mode that this server was started in."""
    return _policy(os.environ.get(PUBLIC, ""), os.environ.get(FOLDERS, ""))


@lru_cache(maxsize=8)
def _policy(public: str, folders: str) -> Policy:
    paths = [Path(part).expanduser().absolute() for part in folders.split(os.pathsep) if part.strip()]
    named: dict[str, Path] = {}
    for path in paths:
        names = [path.name, *(f"{path.name} {number}" for number in range(2, len(paths) + 2))]
        named.setdefault(next(name for name in names if named.get(name, path) == path and name != YOURS), path)
    return Policy(public.strip().lower() in ("1", "true", "yes", "on"), named)


def introduce() -> None:
    """Tell a visitor of a public server what he is."""
    if policy().public:
        st.sidebar.caption(
            "An open server: what you upload and train here is yours alone, and goes when you close the page."
        )


# ---- folders


def own_folder(name: str) -> Path:
    """A folder of this visitor's, which goes when the session ends. Raises CamcoreError where none can be made."""
    own = st.session_state.get(_HOME)
    try:
        if own is None:
            from ui.visitor_home import VisitorHome  # not before there is something to keep

            own = st.session_state[_HOME] = VisitorHome(alone=not policy().public)
        folder: Path = own.path / name
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CamcoreError(
            f"Nothing can be kept for you on this machine: {error.strerror or error}. Whoever runs this app has to "
            "free space, allow writing, or set TMPDIR to another folder and start it again."
        ) from error
    return folder


def place(text: str) -> Path:
    """The folder that a visitor means by a text. CamcoreError on a public server for any that is not open to him."""
    now = policy()
    if not now.public:
        try:
            return Path(text).expanduser().absolute()
        except RuntimeError:  # ~nobody
            return Path(text).absolute()
    if text in now.folders:
        return now.folders[text]
    first, _, rest = text.partition("/")
    parts = rest.split("/")
    if first == YOURS and "\0" not in rest and not {"", ".", ".."} & set(parts):
        return own_folder(parts[0]).joinpath(*parts[1:])
    raise CamcoreError(CLOSED)


def shown(path: Path) -> str:
    """The name of a folder as a visitor reads and writes it: its path, or on a public server none of the server's."""
    now = policy()
    if not now.public:
        return str(path)
    for name, folder in now.folders.items():
        if path == folder:
            return name
    own = st.session_state.get(_HOME)
    if own is not None and path.is_relative_to(own.path):
        return f"{YOURS}/{path.relative_to(own.path).as_posix()}"
    return path.name


def may_write(folder: Path) -> bool:
    """Whether a visitor's work may write into a folder: on a public server into his own alone."""
    own = st.session_state.get(_HOME)
    return not policy().public or (own is not None and folder.resolve().is_relative_to(own.path))


def in_own_folder(path: Path, name: str) -> bool:
    """True where a path lies in this visitor's folder of a name; False where there is none."""
    own = st.session_state.get(_HOME)
    return own is not None and path.is_relative_to(own.path / name)


def veiled(text: str) -> str:
    """A text for a visitor: on a public server without the paths of the server's files."""
    return _BARE.sub("…/", _QUOTED.sub(r"\1…/\2", renamed(text, visitor_names()))) if policy().public else text


def visitor_names() -> dict[str, str]:
    """What a visitor of a public server reads in place of paths: the names of the folders that he may see."""
    now = policy()
    if not now.public:
        return {}
    from camcore.models.description import BUNDLED

    own = st.session_state.get(_HOME)
    known = {str(folder): name for name, folder in now.folders.items()}
    known |= {f"{folder}{os.sep}": "" for folder in (BUNDLED, home() / "networks")}  # a network's name is enough
    return known | ({} if own is None else {str(own.path): YOURS})


def renamed(text: str, names: Mapping[str, str]) -> str:
    """A text with ``visitor_names`` in place of the paths."""
    for path in sorted(names, key=len, reverse=True):
        text = text.replace(path, names[path])
    return text


# ---- budgets


def count_upload(size: int) -> None:
    """Note that a visitor has uploaded so many bytes. Raises CamcoreError on a public server beyond his budget."""
    if not policy().public:
        return
    used = st.session_state.get(_UPLOADED, 0) + size
    if used > MOST_UPLOADED:
        raise CamcoreError(
            f"You have uploaded {used / 1e9:.1f} GB in this session, more than the {MOST_UPLOADED / 1e9:.1f} GB that "
            "this server takes of each visitor. Upload fewer pictures, or run the app on a machine of your own."
        )
    st.session_state[_UPLOADED] = used
    check_room()


def check_room() -> None:
    """Raise CamcoreError on a public server where a visitor's folder is full."""
    own = st.session_state.get(_HOME)
    if policy().public and own is not None and own.size() > MOST_KEPT:
        raise CamcoreError(
            f"Your uploads, networks and audits take more than {MOST_KEPT / 1e9:.1f} GB, the most that this server "
            "keeps for a visitor. Reload the page to begin with an empty folder, or run the app on a machine of your "
            "own."
        )


def _networks() -> Path | None:
    if not policy().public:
        return None
    return own_folder("networks") if in_session() else home() / "nobody"  # where no visitor is, nothing is changed


choose_networks_by(_networks)
