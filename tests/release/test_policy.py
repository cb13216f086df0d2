"""Policies: what is read, and that everything else is refused with its line, its key and what to write."""

from __future__ import annotations

import hashlib
import os
import re
import shlex
import time
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml

from camcore import __main__ as command_line
from camcore.errors import CamcoreError
from camcore.metrics.intervals import rate
from camcore.release.enough import check_enough
from camcore.release.kinds import KINDS, Rule
from camcore.release.policy import MOST_BYTES, read_policy


def test_rules_stand_in_the_order_in_which_they_are_judged(tmp_path: Path) -> None:
    text = b"""
# a comment
[reasons_moved]
at_most = 0.2
distance = 0.4
reason = "evidence"
[accuracy]
at_least = 0.9
by = "figure"
if_not_examined = "pass"
[pictures]
at_least = 200
"""
    file = tmp_path / "policy.toml"
    file.write_bytes(b"\xef\xbb\xbf" + text)  # as Windows' editor saves it
    policy = read_policy(file)
    assert policy.rules == (
        Rule("pictures", 200),
        Rule("accuracy", 0.9, by="figure", if_not_examined="pass"),
        Rule("reasons_moved", 0.2, distance=0.4, reason="evidence"),
    )
    assert (policy.name, policy.sha256) == (str(file), hashlib.sha256(file.read_bytes()).hexdigest())
    assert read_policy(text).rules == policy.rules
    assert read_policy(b"accuracy.at_least = 0.9").rules == (Rule("accuracy", 0.9),)
    assert read_policy(b"accuracy = {at_least = 0.9}").rules == (Rule("accuracy", 0.9),)


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_a_rule_of_its_limit_alone(name: str) -> None:
    limit = KINDS[name].limit
    (rule,) = read_policy(f"[{name}]\n{limit} = {100 if KINDS[name].whole else 0.5}".encode()).rules
    assert (rule.name, rule.by, rule.if_not_examined) == (name, "worst", "refuse")
    other = {"at_least": "at_most", "at_most": "at_least"}[limit]
    with pytest.raises(CamcoreError, match=f"no key '{other}'"):
        read_policy(f"[{name}]\n{limit} = 1\n{other} = 1".encode())


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no rules"),
        ("# only a comment", "no rules"),
        ("[acuracy]\nat_least = 0.9", r"Line 1: There is no rule 'acuracy'.* \[accuracy\], perhaps"),
        ("\n[nonsense]\nat_least = 1", "Line 2: There is no rule 'nonsense'.*Use one of these"),
        ("[accuracy]\n# a comment\nat_lest = 0.9", r"Line 3: \[accuracy\] has no key 'at_lest'.*at_least, perhaps"),
        ("[pictures]\nat_least = 5\nif_not_examined = 'pass'", r"Line 3: \[pictures\] has no key 'if_not_examined'"),
        ("[suspects]\nat_most = 0.1\nby = 'worst'", r"\[suspects\] has no key 'by'"),
        ("[accuracy]\nby = 'figure'", r"Line 1: \[accuracy\] has no limit. Write at_least"),
        ("accuracy = 0.9", r"Line 1: accuracy = 0.9 is no rule. Write \[accuracy\]"),
        ("[[accuracy]]\nat_least = 0.9", "is no rule"),
        ("[accuracy]\nat_least = '0.9'", "Line 2: .*at_least='0.9' cannot be used.*a finite number"),
        ("[accuracy]\nat_least = true", "a finite number"),
        ("[accuracy]\nat_least = nan", "a finite number"),
        ("[accuracy]\nat_least = 95", r"at_least=95\.0 .*at most 1"),
        ("[accuracy]\nat_least = -0.1", "at least 0"),
        ("[accuracy_lost]\nat_most = -2", "at least -1"),
        ("[pictures]\nat_least = 0.5", "a whole number"),
        ("[pictures]\nat_least = 0", "at least 1"),
        ("[accuracy]\nat_least = 0.9\nby = 'lower'", "by='lower' .*'figure', 'worst', 'best'"),
        ("[flips]\nat_most = 0.1\nif_not_examined = true", "if_not_examined=True .*'refuse', 'pass'"),
        ("[class_accuracy]\nat_least = 0.5\nsmallest_class = 0", "smallest_class=0"),
        ("[reasons_moved]\nat_most = 0.5\ndistance = 1.5", "distance=1.5"),
        ("[reasons_moved]\nat_most = 0.5\nreason = 'heat'", "'map', 'evidence'"),
        ("[accuracy]\nat_least = 1", "Line 2: .*at_least = 1 cannot be met.*by = 'figure'"),
        ("[flips]\nat_most = 0", "at_most = 0 cannot be met"),
        ("[accuracy_lost]\nat_most = -0.05\n[flips]\nat_most = 0.01", "contradict each other"),
        ("[accuracy]\nat_least = 0.9\n[accuracy]\nat_least = 0.8", "no TOML.*line 3"),
        ("[accuracy\nat_least = 0.9", "no TOML.*line 1"),
        ("a = " + "[" * 5000, "no TOML"),
        ("a = " + "9" * 5000, "no TOML"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, said: str) -> None:
    with pytest.raises(CamcoreError) as raised:
        read_policy(text.encode())
    assert re.search(said, str(raised.value))
    assert str(raised.value).startswith("The policy 'policy' cannot be used. ")


def test_the_limits_at_the_ends_can_be_met_by_the_figure() -> None:
    assert read_policy(b"[accuracy]\nat_least = 1\nby = 'figure'").rules[0].limit == 1
    assert read_policy(b"[flips]\nat_most = 0\nby = 'figure'").rules[0].limit == 0


def test_names_of_many_parts_take_no_time() -> None:
    """The Audit page reads the policy of any visitor at each of its runs."""
    began = time.monotonic()
    with pytest.raises(CamcoreError, match="There is no rule 'a'"):
        read_policy(b"a" + b".a" * ((MOST_BYTES - 6) // 2) + b" = 1")
    assert time.monotonic() - began < 5


def test_files_that_are_none(tmp_path: Path) -> None:
    latin, huge, pipe = tmp_path / "latin.toml", tmp_path / "huge.toml", tmp_path / "pipe"
    latin.write_bytes("[accuracy]\n# für\nat_least = 0.9".encode("latin-1"))
    huge.write_bytes(b"#" * (MOST_BYTES + 1))
    os.mkfifo(pipe)
    for file, said in (
        (latin, "Line 2 is no text in UTF-8"),
        (huge, f"more than {MOST_BYTES:,} bytes"),
        (pipe, "it is no plain file"),
        (tmp_path, "cannot be read"),
        (tmp_path / "none", "cannot be read: No such file"),
        (str(tmp_path / "no\0ne"), "cannot be read"),
    ):
        with pytest.raises(CamcoreError, match=said):
            read_policy(file)


@pytest.mark.parametrize(("text", "needed"), [("[accuracy]\nat_least = 0.95", 73), ("[flips]\nat_most = 0.01", 381)])
def test_the_pictures_that_a_limit_takes(text: str, needed: int) -> None:
    policy = read_policy(text.encode())
    check_enough(policy, needed, needed)
    with pytest.raises(CamcoreError, match=f"cannot be met by {needed - 1} pictures.*It takes {needed}"):
        check_enough(policy, needed - 1, needed - 1)
    right = "accuracy" in text
    one, fewer = (rate(n if right else 0, n) for n in (needed, needed - 1))
    limit = policy.rules[0].limit
    assert one.low >= limit > fewer.low if right else one.high <= limit < fewer.high


def test_as_many_pictures_as_the_policy_asks_for() -> None:
    policy = read_policy(b"[pictures]\nat_least = 200")
    check_enough(policy, 200, 0)
    with pytest.raises(CamcoreError, match="cannot be met by 199 pictures"):
        check_enough(policy, 199, 0)


PAGE = Path(__file__).resolve().parents[2] / "docs" / "release.md"


def test_the_build_of_the_page_is_a_workflow_whose_commands_can_be_run() -> None:
    (text,) = re.findall(r"(?s)```yaml\n(.*?)```", PAGE.read_text("utf-8"))
    workflow = yaml.safe_load(text)
    assert set(workflow) == {"name", True, "jobs"}  # YAML 1.1 reads "on" as a truth value, and so does every reader
    (job,) = workflow["jobs"].values()
    assert all(("uses" in step) != ("run" in step) for step in job["steps"])
    used = {step["uses"].split("@")[0]: step for step in job["steps"] if "uses" in step}
    (command,) = [words for step in job["steps"] if (words := shlex.split(step.get("run", "")))[:1] == ["python"]]
    given = command_line._parser().parse_args(command[3:])
    assert callable(given.run)
    assert used["mikepenz/action-junit-report"]["with"]["report_paths"] == given.junit
    assert all(fnmatch(name, used["actions/upload-artifact"]["with"]["path"]) for name in (given.junit, given.html))
    assert used["actions/cache"]["with"]["path"] == given.out
    for name in ("actions/upload-artifact", "mikepenz/action-junit-report"):
        assert used[name]["if"] == "always()", "what was refused is what one wants to read"


def test_the_policy_of_the_page_has_every_rule() -> None:
    page = PAGE.read_text("utf-8")
    (text,) = re.findall(r"(?s)```toml\n(.*?)```", page)
    assert [rule.name for rule in read_policy(text.encode()).rules] == list(KINDS)
    parser = command_line._parser()
    for line in re.findall(r"(?m)^python -m camcore (.*)$", page.replace("\\\n", " ")):
        words = shlex.split(line.split(">")[0], comments=True)
        assert callable(parser.parse_args(words).run), line
