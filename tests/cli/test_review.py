"""``python -m camcore review``: what it prints of an audit's reviews, and that it fails for one that was altered."""

from __future__ import annotations

import json
import re

import pytest
from reviewed import reviewed_audit

import camcore
from camcore.__main__ import main


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return reviewed_audit(tmp_path_factory.mktemp("reviewed"), 40)


def test_reviews_are_listed_and_verified(made, capsys):
    assert main(["review", str(made.folder)]) == 0
    assert "no review" in capsys.readouterr().out
    review = camcore.start_review(made.folder, "Ada", said="dog", goal=0.7)
    while review.number is not None:
        review = review.answer("wrong" if review.items[review.number].sham else "right")
    camcore.start_review(made.folder, "Bob").answer("right")
    assert main(["review", str(made.folder)]) == 0
    printed = capsys.readouterr().out
    assert re.search(r"Ada, \d{4}-\d\d-\d\d\n  At least", printed)
    assert re.search(r"Bob, .*\n  Not finished: 1 map judged", printed)
    assert main(["review", str(made.folder), "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert [one["verified"] for one in facts] == [True, True]
    ada = next(one for one in facts if one["header"]["reviewer"] == "Ada")
    assert (ada["result"]["state"], ada["result"]["low"]) == ("yes", review.outcome.low)

    review.file.write_text(review.file.read_text().replace('"wrong"', '"right"'))
    assert main(["review", str(made.folder)]) == 1
    said = capsys.readouterr()
    assert "holds no intact record" in said.out
    assert "1 of 2 reviews cannot be verified" in said.err


def test_what_is_no_audit_is_told(tmp_path, capsys):
    assert main(["review", str(tmp_path)]) == 1
    assert "manifest of an audit" in capsys.readouterr().err
