"""What a network is made of, for pages that only have to offer its layers."""

from collections.abc import Generator
from typing import Any

from ui.engine import engine
from ui.facts import Facts
from ui.questions import NetworkKey
from ui.works import Part, Work, works


def meeting(key: NetworkKey) -> Work:
    """Loads the network, and no more: its layers have to be known before one is chosen; its Facts."""

    def steps(net: Any) -> Generator[Part, None, None]:
        yield Part(1.0, Facts.of(net))

    return Work(key, "meeting", f"Loading {key.name}", steps, lambda facts: 1024 * len(facts.layers))


def known_facts(key: NetworkKey) -> Facts | None:
    """The facts of a network that is loaded, or was once."""
    net = engine().peek(key)
    return works().known(meeting(key)) if net is None else Facts.of(net)
