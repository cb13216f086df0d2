"""Refusals of the gate: of networks that deserve none, and of those with a planted cue, by rule.

    python benchmarks/gate.py [--blocks 40] [--each 24] [--courts 2] [--teach 300] [--pictures 320] [--write]

Heads on the smallest MobileNet (0.25), taught as in benchmarks/release.py: each a logistic regression, by a seed of its
own, on the averaged last activations of nine in ten of the pictures. The trunk sees each picture once: the audits of
the heads are made of its kept activations, which a real audit of one head is held against. Clean heads come in blocks
of six: `camcore spread` proposes limits from five, and the sixth asks to take the first one's place. Other heads have
learned from dogs of which a share have a striped mark, and ask by the limits of one block each. All on pets, half of
whose dogs have the mark, without masks.

Printed: how many of either kind those limits refuse, as they are and loosened, and each rule; and one head against
itself, saved and loaded again: nothing may differ. Then some heads of each kind that are audited in full, with their
groups tried: does the rule `suspects` at most 0 refuse them, and are they as accurate as the old one without any mark?
--write puts the tables into docs/release.md; ``--blocks 0`` leaves the first, ``--courts 0`` the second one as it is.
"""

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
from data import ROOT, SHARED, table
from evidence_page import markdown, write_section
from numpy.typing import NDArray
from release import CLASSES, DRAWN, draw_pets, features
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

import camcore
from camcore.audits.manifest import write_manifest
from camcore.audits.schema import SCHEMA, write_part
from camcore.audits.store import Audit, open_audit
from camcore.batches import BATCH
from camcore.framing import frame_picture
from camcore.metrics.intervals import rate
from camcore.models.grafting import HEAD
from camcore.release.gate import CheckResult, outcome
from camcore.release.policy import Policy
from camcore.release.proposal import to_toml
from camcore.release.spread import loosened
from camcore.training.new_head import replace_head

BLOCK = 6
"""Clean heads of which five give the limits, and the sixth asks."""
SHARES = (0.1, 0.25, 0.5, 1.0)
"""Of the teaching dogs that have the mark."""
CHANGES = ("accuracy_lost", "class_accuracy_lost", "flips", "regressions", "reasons_moved")
MARGINS = (0.0, 1.0, 2.0)
"""By which the limits are loosened, as `camcore spread --margin` does."""
COLUMNS = [
    "",
    "right without any mark",
    *(f"refused, margin {margin:g}" for margin in MARGINS),
    f"by which, margin {MARGINS[1]:g}",
]
SUSPECTS = "[suspects]\nat_most = 0.0"

Floats = NDArray[np.float32]
Weights = tuple[Floats, Floats]


class Bench:
    """A trunk with a head that takes any weights, and audits of its heads."""

    def __init__(self, home: Path, teach: int, pictures: int) -> None:
        self.home = home
        trunk = camcore.load("MobileNet", alpha=0.25)
        self.net = replace_head(trunk, CLASSES)
        rows = [row for row in table("cats_dogs") if row["split"] == "train"]
        files = [[SHARED / "cats_dogs" / row["file"] for row in rows if row["label"] == one][:teach] for one in "01"]
        self.cats, self.dogs = (features(trunk, one, marked=False) for one in files)
        self.marked = features(trunk, files[1], marked=True)
        draw_pets(pictures, home)
        self.first = self.audited("seed 0", self.head(0), court=False)
        columns = ["path", "sha256", "height", "width", "label"]
        self.rows = self.first.table([*columns, "map", "probability", "evidence"])
        self.activations = self._activations("marked")
        self.truth = np.array([label == CLASSES[1] for label in self.rows["label"].to_pylist()])
        self.plain = self._activations("plain").mean(axis=(1, 2))

    def head(self, seed: int, share: float = 0.0) -> Weights:
        """The weights of a head that a seed teaches."""
        count = len(self.dogs)
        drawn = np.random.default_rng(seed).permutation(count)[: round(DRAWN * count)]
        dogs = np.where(np.arange(count)[:, None] < round(share * count), self.marked, self.dogs)
        fitted = LogisticRegression(C=0.1, max_iter=1000)
        fitted.fit(np.concatenate([self.cats[drawn], dogs[drawn]]), np.repeat([0, 1], len(drawn)))
        return fitted.coef_.T.astype(np.float32), fitted.intercept_.astype(np.float32)

    def audited(self, name: str, weights: Weights, court: bool) -> Audit:
        """A head audited in full."""
        self.net.model.get_layer(HEAD).set_weights(list(weights))
        self.net.name = name
        out = self.home / "audits" / name
        for _ in camcore.audit(self.net, self.home / "marked", out, workers=0, court=court):
            pass
        return open_audit(out)

    def made(self, name: str, weights: Weights) -> Audit:
        """The same audit, without groups, made of the kept activations."""
        kernel, bias = weights
        A, n = self.activations, len(self.activations)
        score = (A.mean(axis=(1, 2)) @ kernel + bias)[:, 0]
        said = (score > 0).astype(int)
        M = np.maximum((A @ kernel)[..., 0] * np.where(said, 1, -1)[:, None, None], 0)
        M /= np.maximum(M.max(axis=(1, 2), keepdims=True), 1e-12)
        evidence = np.einsum("nij,nijk->nk", M, A) / np.maximum(M.sum(axis=(1, 2)), 1e-12)[:, None]
        p = np.stack([expit(-score), expit(score)], axis=1)
        kept = {name: self.rows[name] for name in ("path", "sha256", "height", "width", "label")}
        columns = {
            "index": np.arange(n),
            "predicted": [CLASSES[one] for one in said],
            "correct": said == self.truth,
            "probability": p[np.arange(n), said].astype(np.float32),
            "label_probability": p[np.arange(n), self.truth.astype(int)].astype(np.float32),
            "logits": list(np.stack([-score, score], axis=1).astype(np.float16)),
            "map": list(M.reshape(n, -1).astype(np.float16)),
            "evidence": list(evidence.astype(np.float16)),
            "error": pa.nulls(n, pa.string()),
        }
        out = self.home / "made" / name
        write_part(out, 0, pa.table({**kept, **columns}).select(SCHEMA.names))
        network = replace(self.first.manifest.network, name=name, weights_sha256=f"{abs(hash(score.tobytes())):064x}")
        write_manifest(out, replace(self.first.manifest, network=network, chunk=n))
        return open_audit(out)

    def difference(self) -> float:
        """The largest difference of maps and probabilities between the audit of a head and the one made for it."""
        made = self.made("again", self.head(0)).table(["probability", "map"])
        return max(
            float(np.abs(np.stack(made[name].to_pylist()) - np.stack(self.rows[name].to_pylist())).max())
            for name in ("probability", "map")
        )

    def right(self, weights: Weights) -> float:
        """The share of the pets without any mark that a head gets right."""
        return float(((self.plain @ weights[0] + weights[1] > 0)[:, 0] == self.truth).mean())

    def _activations(self, folder: str) -> Floats:
        layer, found = self.net.layer_with_grid(None).path, []
        paths = self.rows["path"].to_pylist()
        for start in range(0, len(paths), BATCH):
            opened = [camcore.open_picture(self.home / folder / path) for path in paths[start : start + BATCH]]
            framed = np.stack([frame_picture(pic, self.net.input_size, self.net.framing)[0] for pic in opened])
            found.append(self.net.tap(self.net.preprocess(framed), [layer]).activations[layer])
        return np.concatenate(found)


def limits(audits: Sequence[Audit]) -> list[Policy]:
    """The policies that all of these pass, as `camcore spread` proposes them: one for each of MARGINS."""
    *_, last = camcore.spread_audits(audits)
    assert last.result is not None
    return [camcore.read_policy(to_toml(loosened(last.result, margin)).encode()) for margin in MARGINS]


def checked(new: Audit, old: Audit, policy: str) -> CheckResult:
    """The outcome of a gate."""
    *_, last = camcore.check_audits(new, old, camcore.read_policy(policy.encode()))
    assert last.result is not None
    return last.result


def refusing(new: Audit, old: Audit, policies: Sequence[Policy]) -> list[list[str]]:
    """The rules that refuse a network, by each of the policies."""
    versions = checked(new, old, "[unreadable]\nat_most = 0.0").versions
    return [[one.rule.name for one in outcome(versions, policy).rules if one.refuses] for policy in policies]


def identical(bench: Bench) -> int:
    """The changes that a head shows which is checked against itself, saved and loaded again."""
    bench.net.model.get_layer(HEAD).set_weights(list(bench.head(0)))
    bench.net.model.save(bench.home / "again.keras")
    again = camcore.load(bench.home / "again.keras", labels=CLASSES, preprocess="tf", framing=bench.net.framing)
    out = bench.home / "audits" / "again"
    for _ in camcore.audit(again, bench.home / "marked", out, workers=0, court=False):
        pass
    policy = "".join(f'[{name}]\nat_most = 0.0\nby = "figure"\n' for name in CHANGES)
    result = checked(open_audit(out), bench.first, policy)
    return sum((one.figure.value, one.figure.low, one.figure.high) != (0, 0, 0) for one in result.rules if one.figure)


def row(name: str, right: Sequence[float], found: Sequence[list[list[str]]]) -> list[str]:
    """A line of the table of refusals."""
    counts = Counter(rule for one in found for rule in one[1])
    rules = ", ".join(f"`{rule}` {count}" for rule, count in counts.most_common()) or "–"
    refused = (_counted([bool(one[place]) for one in found]) for place in range(len(MARGINS)))
    return [name, f"{np.mean(right):.1%}", *refused, rules]


def _counted(flags: Sequence[bool]) -> str:
    one = rate(sum(flags), len(flags))
    return f"{one.count} of {one.n} ({one.low:.0%} to {one.high:.0%})" if one.n else "–"


def refusals(bench: Bench, blocks: int, each: int) -> list[list[str]]:
    """The table of refusals by limits from other seeds."""
    policies, right, found = [], [], []
    for block in range(blocks):
        heads = [bench.head(seed) for seed in range(block * BLOCK, (block + 1) * BLOCK)]
        *five, sixth = (bench.made(f"seed {block * BLOCK + place}", one) for place, one in enumerate(heads))
        policies.append((limits(five), five[0]))
        found.append(refusing(sixth, five[0], policies[-1][0]))
        right.append(bench.right(heads[-1]))
        print(f"block {block}: {found[-1]}", flush=True)
    rows = [row("clean, another seed", right, found)]
    for share in SHARES:
        right, found = [], []
        for number in range(each):
            weights = bench.head(planted_seed(share, number), share)
            policy, old = policies[number % len(policies)]
            found.append(refusing(bench.made(f"mark on {share:.0%}, {number}", weights), old, policy))
            right.append(bench.right(weights))
        rows.append(row(planted_name(share), right, found))
        print(rows[-1], flush=True)
    return rows


def suspected(bench: Bench, courts: int) -> list[list[str]]:
    """The table of heads whose groups were tried, each checked in the place of the head of seed 0."""
    heads = [("clean, another seed", bench.head(BLOCK * (number + 1))) for number in range(2 * courts)]
    heads += [
        (planted_name(share), bench.head(planted_seed(share, number), share))
        for share in SHARES
        for number in range(courts)
    ]
    rows = []
    for number, (name, weights) in enumerate(heads):
        (rule,) = checked(bench.audited(f"tried {number}", weights, court=True), bench.first, SUSPECTS).rules
        assert rule.figure is not None
        rows.append([name, f"{bench.right(weights):.1%}", f"{rule.figure.value:.0%}", f"**{rule.state}**"])
        print(rows[-1], flush=True)
    return rows


def planted_name(share: float) -> str:
    """A head with the mark in the first column."""
    return f"a mark on {share:.0%} of its dogs"


def planted_seed(share: float, number: int) -> int:
    """A seed that no clean head has."""
    return 10_000 + round(1000 * share) + number


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--blocks", type=int, default=40, help="of six clean heads")
    parser.add_argument("--each", type=int, default=24, help="heads for each share of marked dogs")
    parser.add_argument("--courts", type=int, default=2, help="of these that are audited in full; of clean ones twice")
    parser.add_argument("--teach", type=int, default=300, help="pictures of each class to learn from")
    parser.add_argument("--pictures", type=int, default=320, help="pets that are checked")
    parser.add_argument("--write", action="store_true")
    given = parser.parse_args()

    sections = {}
    page = ROOT / "docs" / "release.md"
    with tempfile.TemporaryDirectory(prefix="camcore-gate-") as folder:
        bench = Bench(Path(folder), given.teach, given.pictures)
        print(f"made of activations, maps and probabilities differ by at most {bench.difference():.4f}", flush=True)
        setting = (
            f"{given.pictures} pets, {given.pictures // 4} of the {given.pictures // 2} dogs with a mark; heads on "
            f"MobileNet (0.25), each from nine in ten of {given.teach} pictures of a class"
        )
        if given.blocks:
            rows, seen = refusals(bench, given.blocks, given.each), identical(bench)
            sections["How often it refuses"] = (
                f"{setting}; the limits of each check from {BLOCK - 1} other clean seeds, as `camcore spread` proposes "
                f"them. Wilson intervals of 95 %.\n\n{markdown(COLUMNS, rows)}\n\n"
                f"One network against itself, saved and loaded again: {seen} of the {len(CHANGES)} rules on changes "
                "saw one."
            )
        if given.courts:
            columns = ["the new network", "right without any mark", "largest suspect group", "`suspects` at most 0"]
            sections["Refused for a suspect"] = (
                f"{setting}. The old one, of a clean seed, is right on {bench.right(bench.head(0)):.1%} without any "
                f"mark.\n\n{markdown(columns, suspected(bench, given.courts))}"
            )
    for title, text in sections.items():
        print(f"\n{title}\n\n{text}")
        if given.write:
            write_section(title, text, page)


if __name__ == "__main__":
    main()
