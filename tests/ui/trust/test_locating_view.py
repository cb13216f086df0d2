"""Where maps lie, in words and tables: hand-made figures."""

import csv
import io
from typing import Any

from camcore.metrics.localisation import Located, table
from ui.trust.locating_view import lines, located_csv, rows_csv, sentence


def located(method: str, hit: bool = True, energy: float = 0.5, **more: Any) -> Located:
    return Located(**{"method": method, "hit": hit, "energy": energy, "area": 0.25, "iou": 0.4, "empty": False} | more)


RANDOMS = [located("random", True, 0.2), located("random", False, 0.4)]


def test_the_sentence() -> None:
    assert sentence(located("gradcam"), RANDOMS) == (
        "50 % of the map lies on the object, which is 25 % of what the network sees; its maximum hits it. Random maps "
        "have 30 % there."
    )
    assert "is empty" in sentence(located("gradcam", False, 0.0, empty=True), RANDOMS)
    assert "does not see the object" in sentence(located("gradcam", area=0.0), RANDOMS)


def test_each_figure_stands_beside_the_controls() -> None:
    pointing, energy, iou = lines([located("gradcam", False), located("centre", True, 0.6), *RANDOMS])
    assert (pointing.map, pointing.centre, pointing.random) == ("miss", "hit", "1 of 2")
    assert (energy.map, energy.centre, energy.random) == ("50 %", "60 %", "30 % (20 % to 40 %)")
    assert (iou.map, iou.random) == ("40 %", "40 %")
    assert [line.centre for line in lines([located("gradcam")])] == ["–", "–", "–"]


def test_a_control_can_be_the_map_itself() -> None:
    pointing, *_ = lines([located("centre", False), located("centre", True), *RANDOMS])
    assert (pointing.map, pointing.centre) == ("miss", "hit")


def test_tables_can_be_read_back() -> None:
    one = list(csv.DictReader(io.StringIO(located_csv([located("gradcam"), *RANDOMS]).decode())))
    assert [row["method"] for row in one] == ["gradcam", "random", "random"]
    assert float(one[1]["energy"]) == 0.2
    (row,) = csv.DictReader(io.StringIO(rows_csv(table(RANDOMS)).decode()))
    assert (row["pictures"], float(row["pointing"]), float(row["energy"])) == ("2", 0.5, 0.30000000000000004)
    assert float(row["energy_low"]) <= 0.3 <= float(row["energy_high"])
