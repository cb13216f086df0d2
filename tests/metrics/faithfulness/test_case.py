"""What is asked: areas, scores and log-odds, and that equal pictures are asked once."""

import numpy as np
import pytest
from bright import OFFSET, SLOPE, a_case, a_map, counter, picture, probability, shades

import camcore
from camcore.errors import CamcoreError
from camcore.methods.control import centre, random
from camcore.metrics.faithfulness.case import controls, subject_of
from camcore.metrics.faithfulness.scoring import AlteredPicture, score_pictures


@pytest.mark.parametrize("activation", ["sigmoid", "softmax"])
def test_scores_are_probabilities_and_log_odds_their_logits(activation):
    case = a_case(counter(activation=activation), picture(shades()))
    rows = np.stack([case.picture, case.picture * 0.5, case.picture * 0])
    means = rows.mean(axis=(1, 2, 3))
    assert case.scores(rows) == pytest.approx(probability(means), abs=1e-12)
    assert case.log_odds(*case.answer(rows)) == pytest.approx(SLOPE * means + OFFSET, abs=1e-12)
    assert case.from_log_odds(case.log_odds(*case.answer(rows))) == pytest.approx(case.scores(rows), abs=1e-12)


def test_the_score_of_a_regression_is_its_output():
    case = a_case(counter(activation="linear"), picture(shades()))
    wanted = SLOPE * case.picture.mean() + OFFSET
    assert not case.has_probabilities
    assert case.scores(case.picture[None])[0] == pytest.approx(wanted, abs=1e-12)
    assert case.log_odds(*case.answer(case.picture[None]))[0] == pytest.approx(wanted, abs=1e-12)


def test_a_letterbox_has_an_area_of_its_own():
    net = counter((12, 10))
    case = a_case(net, picture(shades((8, 10))), "letterbox")
    assert case.area == (slice(2, 10), slice(0, 10))
    assert case.area_size == (8, 10)
    subject = subject_of(case, a_map(net, picture(shades((8, 10))), np.ones((12, 10)), "letterbox"))
    assert subject.raster.shape == (8, 10)
    assert case.mean == pytest.approx(shades((8, 10)).mean() / 255)


def test_controls_are_those_of_the_methods():
    case = a_case(counter((14, 21)), picture(shades((14, 21))))
    blob, *noise = controls(case, 2)
    assert (blob.name, [one.seed for one in noise]) == ("centre", [0, 1])
    assert np.array_equal(blob.raster, centre((14, 21)))
    assert np.array_equal(noise[1].raster, random((14, 21), seed=1))
    (_, fine) = controls(case, 1, (14, 21))
    assert np.array_equal(fine.raster, np.random.default_rng(0).random((14, 21)))  # a value for each pixel


def test_equal_pictures_are_scored_once():
    case = a_case(counter(), picture(shades()))
    made = []

    def altered(key: str) -> AlteredPicture:
        return AlteredPicture(key, lambda: made.append(key) or case.picture)

    answers = {"known": 0.5}
    passes = sum(score_pictures(case, [altered(key) for key in ("a", "b", "a", "known", "b")], answers))
    assert (passes, made) == (2, ["a", "b"])
    assert answers["a"] == answers["b"] == pytest.approx(probability(case.picture.mean()))


def test_chunks_are_bounded():
    case = a_case(counter((224, 224)), picture(shades((8, 8))))
    pictures = [AlteredPicture(number, lambda: case.picture) for number in range(35)]
    assert list(score_pictures(case, pictures, {})) == [16, 16, 3]


def test_maps_of_other_questions_are_refused():
    net, pic = counter(), picture(shades())
    case = a_case(net, pic)
    (other,) = camcore.explain(net, pic, "gradcam", classes=0, framing="stretch")
    with pytest.raises(CamcoreError, match=r"class 0 .* cannot be judged with counter, class 1"):
        subject_of(case, other)
    (cropped,) = camcore.explain(net, pic, "gradcam", classes=1, framing="crop")
    with pytest.raises(CamcoreError, match="framed by 'crop'"):
        subject_of(case, cropped)
