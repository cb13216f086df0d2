"""JUnit XML: the elements and attributes that build servers know, and counts that agree with the cases."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
from cued import Cued

import camcore
from camcore.release.junit import to_junit

POLICY = """
[accuracy]
at_least = 0.9
[reasons_moved]
at_most = 0.1
[evidence_inside]
at_least = 0.5
[calibration_error]
at_most = 0.9
"""

# Of Jenkins' junit-10.xsd: of each element the attributes that it must have, those that it may have, and its children.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": (set(), {"name", "time", "tests", "failures", "errors"}, {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors"},
        {"group", "time", "skipped", "timestamp", "hostname", "id", "package", "file", "log", "url"},
        {"testsuite", "properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, set(), set()),
    "testcase": (
        {"name"},
        {"time", "classname", "group"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "failure": (set(), {"type", "message"}, set()),
    "error": (set(), {"type", "message"}, set()),
    "skipped": (set(), {"type", "message"}, set()),
    "system-out": (set(), set(), set()),
}


@pytest.fixture(scope="module")
def result(cue: Cued) -> camcore.CheckResult:
    """A rule that is kept, one that is not, and one that cannot be examined; and one that then passes."""
    return cue.check(POLICY, masks=False)


def read(content: bytes) -> ElementTree.Element:
    """The root, after a look at every element's attributes and children."""
    root = ElementTree.fromstring(content)
    for parent in root.iter():
        needed, more, children = SCHEMA[parent.tag]
        assert needed <= set(parent.attrib) <= needed | more, parent.tag
        assert {child.tag for child in parent} <= children, parent.tag
    return root


def outcomes(root: ElementTree.Element) -> dict[str, list[str]]:
    return {case.attrib["name"]: [child.tag for child in case] for case in root.iter("testcase")}


def test_a_case_for_each_rule(result: camcore.CheckResult) -> None:
    root = read(to_junit(result))
    assert outcomes(root) == {
        "accuracy": ["system-out"],
        "calibration_error": ["system-out"],
        "evidence_inside": ["error"],
        "reasons_moved": ["failure"],
    }
    (suite,) = root
    counts = {name: int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")}
    assert counts == {"tests": 4, "failures": 1, "errors": 1, "skipped": 0}
    properties = {one.attrib["name"]: one.attrib["value"] for one in root.iter("property")}
    assert properties["new_weights_sha256"] == result.versions.new.manifest.network.weights_sha256
    for case, one in zip(root.iter("testcase"), result.rules, strict=True):
        assert case[0].text == one.sentence
        assert case[0].attrib.get("message", one.sentence) == one.sentence


def test_what_the_policy_lets_pass_is_skipped(cue: Cued) -> None:
    result = cue.check("[evidence_inside]\nat_least = 0.5\nif_not_examined = 'pass'", masks=False)
    root = read(to_junit(result))
    assert outcomes(root) == {"evidence_inside": ["skipped"]}
    assert root[0].attrib["skipped"] == "1"


def test_text_from_outside_is_text(result: camcore.CheckResult) -> None:
    hostile = "</failure><![CDATA[ & \"'\x00\x1b\ud800\uffff\n]]>"
    rules = tuple(replace(one, figure=None, remark=hostile) for one in result.rules)
    policy = replace(result.policy, name=hostile)
    root = read(to_junit(replace(result, rules=rules, policy=policy, notes=(hostile,))))
    kept = re.sub("[\x00\x1b\ud800\uffff]", "\ufffd", hostile)
    assert [case[0].text for case in root.iter("testcase")] == [kept] * len(rules)
    assert {one.attrib["name"]: one.attrib["value"] for one in root.iter("property")}["policy"] == kept
