"""The room of load.py without browsers: what an action costs the server, and how long eight visitors at once wait.

    python benchmarks/clients.py [--model MobileNetV2] [--rounds 3] [--pictures 300]

The visitors speak with the server as a browser does and draw nothing (visitor.py), so that all that is counted is the
server's. Each action is done alone first: its bytes, and the server's CPU seconds until the map is shown and until all
is there, the evidence, too. Seconds of waiting depend on what else the machine does; CPU seconds hardly.
"""

import argparse
import asyncio
import statistics
import tempfile
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, NamedTuple

import psutil
from load import PICTURES, SAMPLES, fill, server
from visitor import Visitor, visitor

LINK, CLASS = "Inspect, a link", "Inspect, a class: its Grad-CAM"
COMPARE, SCORE = "Compare, a link to two methods", "Inspect, a Score-CAM"
AUDIT = "Audit, to its end"


class Cost(NamedTuple):
    """The price of an action: seconds until it is shown, the server's CPU seconds until then and in all; bytes."""

    seconds: float
    shown: float
    whole: float
    received: int


class Room:
    """The visitors of one server. ``alone``: the costs of an action; ``waits``: the seconds of many at once."""

    def __init__(self, url: str, process: psutil.Process, model: str) -> None:
        self.url, self.process, self.model = url, process, model
        self.alone: dict[str, list[Cost]] = {}
        self.waits: dict[str, list[float]] = {}
        self.together = False

    def cpu(self) -> float:
        """CPU seconds of the server so far."""
        used = self.process.cpu_times()
        return float(used.user + used.system)

    async def act(self, action: str, one: Visitor, do: Awaitable[None], shown: Any) -> None:
        """Do something and wait until it is shown; alone, until all else is there, too."""
        cpu, received = self.cpu(), one.received
        clock = asyncio.get_running_loop().time
        began = clock()
        await do
        await one.until(shown)
        seconds, then = clock() - began, self.cpu()
        if self.together:
            self.waits.setdefault(action, []).append(seconds)
            return
        await one.rest()
        self.alone.setdefault(action, []).append(Cost(seconds, then - cpu, self.cpu() - cpu, one.received - received))

    async def inspect(self, sample: str, rounds: int) -> None:
        """Open a photograph, then press the classes of the list, one after another."""
        async with visitor(self.url) as one:
            await self.act(LINK, one, one.open("", f"model={self.model}&sample={sample}"), has_map)
            rows = one.data("scores")["rows"]
            for turn in range(rounds):
                wanted = rows[1 + turn % 4]["id"]
                await self.act(
                    CLASS, one, one.pick("scores", "picked", wanted), lambda now, id=wanted: explains(now, id)
                )

    async def compare(self, samples: list[str]) -> None:
        """Open links to two methods on these photographs."""
        for sample in samples:
            async with visitor(self.url) as one:
                address = f"model={self.model}&sample={sample}&methods=gradcam,layercam"
                await self.act(COMPARE, one, one.open("compare", address), lambda now: grids(now) >= 2)

    async def score_cam(self, sample: str) -> None:
        """Run a Score-CAM to its end."""
        async with visitor(self.url) as one:
            await one.open("", f"model={self.model}&sample={sample}&method=scorecam")
            await one.until(lambda now: "Run Score-CAM" in now.buttons())
            await self.act(SCORE, one, one.press("Run Score-CAM"), has_score_cam)

    async def audit(self, folder: Path) -> None:
        """Audit a folder to its end."""
        async with visitor(self.url) as one:
            await one.open("audit", f"model={self.model}&pictures={folder}")
            await one.until(lambda now: "Audit these pictures" in now.buttons())
            await self.act(
                AUDIT, one, one.press("Audit these pictures"), lambda now: "look at the right thing?" in now.text()
            )


def has_map(one: Visitor) -> bool:
    """The photograph has its overlay."""
    return bool(one.data("compare").get("overlay"))


def explains(one: Visitor, index: int) -> bool:
    """The map on the page is that of the class."""
    return any(row["selected"] and row["id"] == index for row in one.data("scores").get("rows", ()))


def grids(one: Visitor) -> int:
    """The number of maps side by side."""
    return sum(bool(cell.get("grid")) for line in one.data("maps").get("lines", ()) for cell in line["cells"])


def has_score_cam(one: Visitor) -> bool:
    """The map on the page is a whole Score-CAM."""
    shown = one.data("compare")
    return "Score-CAM" in str(shown.get("alt")) and not shown["busy"]


async def measure(model: str, rounds: int, pictures: int, home: Path) -> None:
    """Print the table."""
    fill(home / "alone", slice(0, pictures))
    fill(home / "together", slice(pictures, 2 * pictures))
    with server(home / "home") as (url, process):
        room = Room(url, process, model)
        await room.inspect("coffee", rounds)
        room.alone.clear()  # with TensorFlow and the network on their way
        for sample in SAMPLES[:2]:
            await room.inspect(sample, rounds)
        await room.compare(["chelsea", "rocket"])
        await room.score_cam("coffee")
        await room.audit(home / "alone")
        room.together = True
        await asyncio.gather(
            room.score_cam("rocket"),
            room.audit(home / "together"),
            *(room.inspect(sample, rounds) for sample in SAMPLES[1:]),
            room.compare(["coffee", "motorcycle"]),
            room.compare(["astronaut", "rocket"]),
        )
    print(
        f"{model:31}{'CPU s: shown':>14}{'all there':>11}{'kB':>7}{'alone':>8}{'8 at once':>11}{'longest':>9}   seconds"
    )
    for action, costs in room.alone.items():
        shown, whole, received, seconds = (
            statistics.median(one)
            for one in zip(*((c.shown, c.whole, c.received, c.seconds) for c in costs), strict=True)
        )
        waits = room.waits[action]
        print(
            f"{action:31}{shown:>14.2f}{whole:>11.2f}{received / 1e3:>7.0f}{seconds:>8.1f}"
            f"{statistics.median(waits):>11.1f}{max(waits):>9.1f}"
        )


def main() -> None:
    """Parse the command line and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="MobileNetV2", help="a network of the catalogue")
    parser.add_argument("--rounds", type=int, default=3, help="classes that each visitor of Inspect presses")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="pictures of each audit")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(measure(arguments.model, arguments.rounds, arguments.pictures, Path(home)))


if __name__ == "__main__":
    main()
