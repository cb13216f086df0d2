"""The outcome of a gate as JUnit XML, which build servers read: a test case for each rule.

A rule that failed is a failure, one that could not be examined an error, or skipped where the policy lets it pass.
The elements and attributes are those that Jenkins' schema (junit-10.xsd) and GitHub's readers know.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from camcore.release.judged import FAILED, NOT_EXAMINED

if TYPE_CHECKING:
    from camcore.release.gate import CheckResult
    from camcore.release.judged import Judgement

SUITE = "camcore.check"

_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 has no way to write."""


def to_junit(result: CheckResult) -> bytes:
    """The outcome as XML in UTF-8. Text from outside is escaped, and what XML cannot hold replaced by �."""
    outcomes = [_outcome(one) for one in result.rules]
    counts = {
        "tests": str(len(outcomes)),
        "failures": str(outcomes.count("failure")),
        "errors": str(outcomes.count("error")),
        "skipped": str(outcomes.count("skipped")),
    }
    root = ElementTree.Element("testsuites", {"name": SUITE, **{k: v for k, v in counts.items() if k != "skipped"}})
    suite = ElementTree.SubElement(root, "testsuite", {"name": SUITE, **counts})
    properties = ElementTree.SubElement(suite, "properties")
    for name, value in _facts(result):
        ElementTree.SubElement(properties, "property", {"name": name, "value": _text(value)})
    for one, outcome in zip(result.rules, outcomes, strict=True):
        case = ElementTree.SubElement(suite, "testcase", {"name": one.rule.name, "classname": SUITE})
        said = _text(one.sentence)
        if outcome is None:
            ElementTree.SubElement(case, "system-out").text = said
        else:
            ElementTree.SubElement(case, outcome, _attributes(one, outcome, said)).text = said
    ElementTree.SubElement(suite, "system-out").text = _text("\n".join([result.verdict, *result.notes]))
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="utf-8", xml_declaration=True) + b"\n"


def _outcome(one: Judgement) -> str | None:
    if one.state == NOT_EXAMINED:
        return "error" if one.refuses else "skipped"
    return "failure" if one.state == FAILED else None


def _attributes(one: Judgement, outcome: str, said: str) -> dict[str, str]:
    return {"message": said} if outcome == "skipped" else {"message": said, "type": one.state}


def _facts(result: CheckResult) -> list[tuple[str, str]]:
    facts = [("policy", result.policy.name), ("policy_sha256", result.policy.sha256)]
    for which, audit in (("new", result.versions.new), ("old", result.versions.old)):
        network = audit.manifest.network
        facts += [(f"{which}_network", network.name), (f"{which}_weights_sha256", network.weights_sha256)]
    manifest = result.versions.new.manifest
    return [*facts, ("pictures", manifest.pictures), ("pictures_sha256", manifest.pictures_sha256)]


def _text(value: str) -> str:
    return _NO_XML.sub("\N{REPLACEMENT CHARACTER}", value)
