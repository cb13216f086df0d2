"""The pictures of an audit opened again as the network saw them; those that are gone are counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from camcore.audits.addresses import open_below
from camcore.cache import ByteLRU
from camcore.errors import PictureError
from camcore.shortcuts.transplants import Framed, framed

if TYPE_CHECKING:
    from camcore.audits.manifest import Manifest
    from camcore.network import Network

_HELD_BYTES = 256 << 20


class Gallery:
    """The pictures of an audit by their paths. ``missing``: paths that could not be opened."""

    def __init__(self, network: Network, manifest: Manifest) -> None:
        self.missing: set[str] = set()
        self._network = network
        self._manifest = manifest
        self._held: ByteLRU[Framed] = ByteLRU(_HELD_BYTES, lambda one: one.pixels.nbytes)

    def get(self, path: str) -> Framed | None:
        """A picture; None where it cannot be opened any more."""
        held = self._held.get(path)
        if held is not None or path in self.missing:
            return held
        try:
            pic = open_below(self._manifest.base, path)
        except PictureError:
            self.missing.add(path)
            return None
        return self._held.put(path, framed(self._network, pic, self._manifest.framing))

    def there(self, paths: Iterable[str]) -> Iterator[tuple[str, Framed]]:
        """Those of some pictures that can be opened, with their paths."""
        for path in paths:
            picture = self.get(path)
            if picture is not None:
                yield path, picture
