"""How often does the gate refuse a network for nothing, and how often one with a planted cue, by which rule?

    python benchmarks/gate.py [--teach 300] [--pictures 320] [--seeds 48] [--out FOLDER] [--write]

Heads on the smallest MobileNet (0.25), as benchmarks/release.py teaches them: each a logistic regression, by a seed of
its own, on the averaged last activations of nine in ten of the pictures. The clean ones come in blocks of six: `camcore
spread` proposes limits from five, and the sixth asks to take the first one's place, each of the six in turn. Others
have learned from dogs of which a share have a striped mark; each asks to take the place of a clean one, by the limits
of a block. All on pets with masks, half of whose dogs have the mark.

Printed: how many of either kind are refused by those limits, by them with the rule on suspects, and for each rule how
many it refuses. At last a head against itself, saved and loaded again: nothing may differ. --write puts the table into
docs/release.md.
"""

import argparse
import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from data import ROOT, SHARED, table
from evidence_page import markdown, write_section
from numpy.typing import NDArray
from release import CLASSES, DRAWN, draw_pets, features
from sklearn.linear_model import LogisticRegression

import camcore
from camcore.audits.store import Audit
from camcore.metrics.intervals import rate
from camcore.models.grafting import HEAD
from camcore.release.gate import CheckResult
from camcore.release.proposal import to_toml
from camcore.training.new_head import replace_head

BLOCK = 6
"""Clean heads of which five give the limits, and the sixth asks."""
SHARES = (0.1, 0.25, 0.5, 1.0)
"""Of the teaching dogs that have the mark."""
EACH = 12
"""Heads for each of these shares."""
COLUMNS = ["", "refused by these limits", "by `suspects` at most 0", "by either", "by which of the limits"]
SUSPECTS = "\n[suspects]\nat_most = 0.0\n"
Weights = tuple[NDArray[np.float32], NDArray[np.float32]]
Features = NDArray[np.float32]


@dataclass(frozen=True)
class Outcome:
    """The rules that refused a network, and whether the rule on suspects did."""

    refused_by: tuple[str, ...]

    @property
    def by_limits(self) -> bool:
        return any(name != "suspects" for name in self.refused_by)


class Bench:
    """A trunk with a head that takes any weights, and the audits of the heads."""

    def __init__(self, home: Path, teach: int, pictures: int) -> None:
        self.home = home
        self.trunk = camcore.load("MobileNet", alpha=0.25)
        self.net = replace_head(self.trunk, CLASSES)
        rows = [row for row in table("cats_dogs") if row["split"] == "train"]
        files = [[SHARED / "cats_dogs" / row["file"] for row in rows if row["label"] == one][:teach] for one in "01"]
        self.cats, self.dogs = (features(self.trunk, one, marked=False) for one in files)
        self.marked = features(self.trunk, files[1], marked=True)
        draw_pets(pictures, home)

    def head(self, seed: int, share: float = 0.0) -> Weights:
        """The weights of a head that a seed teaches."""
        count = len(self.dogs)
        drawn = np.random.default_rng(seed).permutation(count)[: round(DRAWN * count)]
        dogs = np.where(np.arange(count)[:, None] < round(share * count), self.marked, self.dogs)
        fitted = LogisticRegression(C=0.1, max_iter=1000)
        fitted.fit(np.concatenate([self.cats[drawn], dogs[drawn]]), np.repeat([0, 1], len(drawn)))
        return fitted.coef_.T.astype(np.float32), fitted.intercept_.astype(np.float32)

    def audit(self, name: str, weights: Weights, court: bool) -> Audit:
        """The audit of a head on the pets."""
        self.net.model.get_layer(HEAD).set_weights(list(weights))
        self.net.name = name
        out = self.home / "audits" / name
        for _ in camcore.audit(self.net, self.home / "marked", out, workers=0, court=court):
            pass
        return camcore.open_audit(out)

    def limits(self, audits: Sequence[Audit]) -> str:
        """The policy that all of these pass, as `camcore spread` proposes it."""
        *_, last = camcore.spread_audits(audits, masks=self.home / "masks")
        assert last.result is not None
        return to_toml(last.result)

    def check(self, new: Audit, old: Audit, policy: str) -> CheckResult:
        """The outcome of a gate."""
        *_, last = camcore.check_audits(new, old, camcore.read_policy(policy.encode()), masks=self.home / "masks")
        assert last.result is not None
        return last.result

    def asks(self, new: Audit, old: Audit, policy: str) -> Outcome:
        """What becomes of a network that asks to take another one's place."""
        return Outcome(tuple(one.rule.name for one in self.check(new, old, policy).rules if one.refuses))


def identical(bench: Bench, audit: Audit, weights: Weights) -> int:
    """The rules on changes that see one where a head is checked against itself, saved and loaded again."""
    bench.net.model.get_layer(HEAD).set_weights(list(weights))
    bench.net.model.save(bench.home / "again.keras")
    again = camcore.load(bench.home / "again.keras", labels=CLASSES, preprocess="tf", framing=bench.net.framing)
    out = bench.home / "audits" / "again"
    for _ in camcore.audit(again, bench.home / "marked", out, workers=0, court=False):
        pass
    changes = ("accuracy_lost", "class_accuracy_lost", "flips", "regressions", "evidence_inside_lost", "reasons_moved")
    policy = "".join(f"[{name}]\nat_most = 0.0\n" for name in changes)
    result = bench.check(camcore.open_audit(out), audit, policy)
    return sum((one.figure.value, one.figure.low, one.figure.high) != (0, 0, 0) for one in result.rules if one.figure)


def row(name: str, outcomes: Sequence[Outcome]) -> list[str]:
    """A line of the table."""
    limits = rate(sum(one.by_limits for one in outcomes), len(outcomes))
    suspects = rate(sum("suspects" in one.refused_by for one in outcomes), len(outcomes))
    either = rate(sum(bool(one.refused_by) for one in outcomes), len(outcomes))
    counts = Counter(rule for one in outcomes for rule in one.refused_by if rule != "suspects")
    rules = ", ".join(f"`{rule}` {count}" for rule, count in counts.most_common())
    cells = (f"{one.count} of {one.n} ({one.low:.0%} to {one.high:.0%})" for one in (limits, suspects, either))
    return [name, *cells, rules]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--teach", type=int, default=300, help="pictures of each class to learn from")
    parser.add_argument("--pictures", type=int, default=320, help="pets that are checked")
    parser.add_argument("--seeds", type=int, default=48, help="clean heads, in blocks of six")
    parser.add_argument("--each", type=int, default=EACH, help="heads for each share of marked dogs")
    parser.add_argument("--out", help="where pictures and audits are kept (default: a temporary folder)")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()

    home = Path(given.out or tempfile.mkdtemp())
    os.makedirs(home, exist_ok=True)
    bench = Bench(home, given.teach, given.pictures)
    clean: list[Outcome] = []
    policies: list[tuple[str, Audit]] = []
    for block in range(given.seeds // BLOCK):
        seeds = range(block * BLOCK, (block + 1) * BLOCK)
        audits = [bench.audit(f"seed {seed}", bench.head(seed), court=True) for seed in seeds]
        for place, asking in enumerate(audits):
            others = audits[:place] + audits[place + 1 :]
            policy = bench.limits(others)
            clean.append(bench.asks(asking, others[0], _with_suspects(policy)))
        policies.append((bench.limits(audits[:-1]), audits[0]))
        print(f"block {block}: {sum(bool(one.refused_by) for one in clean)} of {len(clean)} refused", flush=True)
    rows = [row("clean, another seed", clean)]
    for share in SHARES:
        found = []
        for number in range(given.each):
            seed = 1000 + round(1000 * share) + number
            audit = bench.audit(f"mark on {share:.0%}, seed {seed}", bench.head(seed, share), court=True)
            policy, old = policies[number % len(policies)]
            found.append(bench.asks(audit, old, _with_suspects(policy)))
        rows.append(row(f"a mark on {share:.0%} of its dogs", found))
        print(rows[-1], flush=True)
    changed = identical(bench, policies[0][1], bench.head(0))
    text = (
        f"{given.pictures} pets with masks, {given.pictures // 4} of the {given.pictures // 2} dogs with a mark; heads "
        f"on MobileNet (0.25), each from nine in ten of {given.teach} pictures of a class; the limits of each check "
        f"from five other seeds, as `camcore spread` proposes them.\n\n{markdown(COLUMNS, rows)}\n\n"
        f"One network against itself, saved and loaded again: {changed} of the 6 rules on changes saw one."
    )
    print(text)
    if given.write:
        write_section("How often it refuses", text, ROOT / "docs" / "release.md")


def _with_suspects(policy: str) -> str:
    """The limits with a rule on suspects in place of the one that `camcore spread` proposes."""
    return policy.partition("\n[suspects]")[0] + SUSPECTS


if __name__ == "__main__":
    main()
