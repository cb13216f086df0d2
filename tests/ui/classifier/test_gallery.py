"""The gallery's lists hold exactly what the measures count, in the order they promise."""

import numpy as np
import pytest

from camcore.evaluation import measures
from camcore.evaluation.predict import Predictions
from ui.classifier import gallery


def predictions(n: int, classes: int, seed: int = 0) -> Predictions:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, classes, n)
    p = rng.dirichlet(np.ones(classes), n)
    return Predictions(tuple(f"{i}.jpg" for i in range(n)), labels, p, tuple("abcdef"[:classes]))


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.5, 0.83, 1.0])
def test_two_classes(threshold: float) -> None:
    p = predictions(150, 2)
    counts = measures.confusion(p, threshold).counts
    lists = {kind: gallery.items_of(p, kind, threshold) for kind in gallery.KINDS}
    assert len(lists[gallery.FIRST]) == counts[0, 1]
    assert len(lists[gallery.SECOND]) == counts[1, 0]
    assert len(lists[gallery.RIGHT]) == counts.trace()
    assert len(lists[gallery.UNSURE]) == 150
    wrong = p.predicted(threshold) != p.labels
    assert {e.file for e in lists[gallery.WRONG]} == {p.files[i] for i in np.flatnonzero(wrong)}
    assert all(e.right for e in lists[gallery.RIGHT])
    assert not any(e.right for e in lists[gallery.WRONG])
    for kind in (gallery.WRONG, gallery.FIRST, gallery.SECOND, gallery.RIGHT):
        confidence = [e.confidence for e in lists[kind]]
        assert confidence == sorted(confidence, reverse=True)
    dog = {file: row[1] for file, row in zip(p.files, p.probabilities, strict=True)}
    distance = [abs(dog[e.file] - threshold) for e in lists[gallery.UNSURE]]
    assert distance == sorted(distance)


def test_many_classes() -> None:
    p = predictions(90, 4)
    least, *_, surest = gallery.items_of(p, gallery.UNSURE)
    margins = np.diff(np.sort(p.probabilities, axis=1)[:, -2:], axis=1)[:, 0]
    assert p.files.index(least.file) == margins.argmin()
    assert p.files.index(surest.file) == margins.argmax()
    wrong = gallery.items_of(p, gallery.WRONG)
    said = p.probabilities.argmax(axis=1)
    assert {e.file for e in wrong} == {file for file, right in zip(p.files, said == p.labels, strict=True) if not right}


@pytest.mark.parametrize(("total", "asked", "number", "pages", "shown"), [
    (0, 0, 0, 1, 0), (5, 3, 0, 1, 5), (12, 0, 0, 1, 12), (13, 1, 1, 2, 1), (30, -2, 0, 3, 12), (30, 9, 2, 3, 6),
])  # fmt: skip
def test_pages(total: int, asked: int, number: int, pages: int, shown: int) -> None:
    found = tuple(gallery.GalleryItem(str(i), 0, 1, 0.5) for i in range(total))
    on_page, at, of = gallery.page_of(found, asked)
    assert (at, of, len(on_page)) == (number, pages, shown)
    assert on_page == found[number * 12 : number * 12 + shown]
