"""The sections of an audit's report, from its rows and groups."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from camcore.audits import report_words
from camcore.audits.figures import ClassFigures, class_figures, confusion, mistakes
from camcore.audits.filters import Filters
from camcore.audits.groups import Group, failing_groups
from camcore.audits.report_pictures import example_jpegs, map_jpeg, overlay_jpeg, patch_jpeg
from camcore.audits.summary import MATRIX, calibration, command
from camcore.errors import CamcoreError
from camcore.report.blocks import (
    Block,
    Bullets,
    Card,
    Cards,
    Cell,
    Command,
    Facts,
    Matrix,
    Paragraph,
    Print,
    Prints,
    Section,
    Table,
)
from camcore.report.evaluation import calibration_chart
from camcore.reviews.listing import list_reviews
from camcore.shortcuts.examples import read_examples
from camcore.shortcuts.judgements import judgement_of
from camcore.shortcuts.mended import read_mendings
from camcore.shortcuts.state import group_key
from camcore.text import percent, readable

if TYPE_CHECKING:
    from camcore.audits.averages import MeanMap
    from camcore.audits.store import Audit

CLASSES, GROUPS, PATCHES, WORST, ERRORS, MISTAKES = 24, 24, 6, 8, 20, 20
"""The most of each that a report shows: rows, groups, patches of a group, mistakes with their map, …"""


def sections(audit: Audit, groups: Sequence[Group], means: Sequence[MeanMap], labelled: bool) -> Iterator[Section]:
    """The sections in reading order; those that have nothing to say are left out."""
    yield _classes(audit, labelled)
    if labelled:
        yield _confusion(audit)
        yield from _calibration(audit)
    yield from _failing(groups)
    yield _groups(audit, groups)
    if labelled:
        yield from _worst(audit)
    if means:
        yield Section("Average maps", (Prints(tuple(map(mean_print, means)), maps=True),))
    yield from _reviews(audit)
    yield from _errors(audit)
    yield Section("Limits", (Bullets(tuple(report_words.limits(audit.manifest, labelled))),))
    yield _making(audit)


def _classes(audit: Audit, labelled: bool) -> Section:
    classes = class_figures(audit)
    counts = ("predicted", "mean probability")
    heads = ("class", "found (recall)", "right when predicted (precision)", *counts) if labelled else ("class", *counts)
    numbers = frozenset((len(heads) - 2, len(heads) - 1))
    table = Table(heads, tuple(_class_row(one, labelled) for one in _worst_first(classes)[:CLASSES]), numbers)
    more = len(classes) - CLASSES
    if more <= 0:
        return Section("By class", (table,))
    which = "The classes found least often" if labelled else "The classes predicted most often"
    return Section("By class", (Paragraph(f"{which}; the audit's table has {more:,} more.", quiet=True), table))


def _class_row(one: ClassFigures, labelled: bool) -> tuple[Cell, ...]:
    counts = (f"{one.said:,}", percent(one.probability))
    return (readable(one.name), one.found, one.precision, *counts) if labelled else (readable(one.name), *counts)


def _worst_first(classes: Sequence[ClassFigures]) -> list[ClassFigures]:
    """All classes in their order where they fit; of more those found least often, or predicted most often."""
    if len(classes) <= CLASSES:
        return list(classes)
    return sorted(classes, key=lambda one: (one.found.high if one.found.n else 2.0, -one.said))


def _confusion(audit: Audit) -> Section:
    table = confusion(audit)
    block: Block
    if 0 < len(table.classes) <= MATRIX:
        block = Matrix(tuple(map(readable, table.classes)), tuple(map(tuple, table.counts.tolist())))
    elif found := mistakes(audit, MISTAKES):
        rows = tuple(
            (readable(one.label), readable(one.said), f"{one.count:,} of {one.of:,}", percent(one.count / one.of))
            for one in found
        )
        block = Table(("true class", "predicted", "pictures", "share"), rows, frozenset((2, 3)))
    else:
        block = Paragraph("Every answer is right.")
    return Section("Confusion", (block,), half=True)


def _calibration(audit: Audit) -> Iterator[Section]:
    bins = calibration(audit)
    if bins is None:
        return
    yield Section("Calibration", (calibration_chart(bins),), half=True)


def _failing(groups: Sequence[Group]) -> Iterator[Section]:
    failing = failing_groups(groups)
    if not failing:
        return
    rows = tuple(
        (
            report_words.group_name(one),
            f"{one.size:,}",
            one.accuracy or "–",
            percent(one.class_accuracy.value) if one.class_accuracy else "–",
            "clearly below" if one.clearly_failing else "",
        )
        for one in failing[:GROUPS]
    )
    table = Table(("group", "pictures", "accuracy", "its class", ""), rows, frozenset((1, 3)), flags=4)
    yield Section("Where it fails", (Paragraph(report_words.failing(failing)), table))


def _groups(audit: Audit, groups: Sequence[Group]) -> Section:
    shown = _shown(groups)
    blocks: list[Block] = [Paragraph(report_words.GROUPS), Cards(tuple(group_card(audit, one) for one in shown))]
    left_out = report_words.not_shown(groups, shown)
    return Section("What the answers rest on", (*blocks, *([Paragraph(left_out, quiet=True)] if left_out else [])))


def _shown(groups: Sequence[Group]) -> list[Group]:
    """Suspects and groups of classes with enough pictures; where these are many, those that fail, then the largest."""
    divided = [one for one in groups if one.suspect or report_words.divided(one)]
    if len(divided) <= GROUPS:
        return divided
    return sorted(divided, key=lambda one: (not one.suspect, not one.clearly_failing, -one.size))[:GROUPS]


def group_card(audit: Audit, one: Group) -> Card:
    """A group with its mean map, patches, figures, trial and judgement."""
    name = report_words.group_name(one)
    return Card(
        name,
        Print(map_jpeg(one.mean_map), "mean map", alt=f"Mean map of {name}"),
        tuple(
            Print(patch_jpeg(audit.manifest, patch), patch.path, alt=f"Patch of {patch.path}")
            for patch in one.patches[:PATCHES]
        ),
        tuple(filter(None, (report_words.size(one), report_words.beside_class(one)))),
        report_words.flagged(one),
        tuple(
            filter(
                None,
                (
                    *report_words.trial(one),
                    *_judged(audit, one),
                    report_words.channels(one),
                    report_words.stability(one),
                ),
            )
        ),
        *_turned(audit, one),
    )


def _turned(audit: Audit, one: Group) -> tuple[tuple[tuple[Print, Print], ...], str]:
    """Pictures that a suspect group's patch turned, before and after, and what they are."""
    examples = read_examples(audit.folder, group_key(one)) if one.suspect else ()
    if not examples:
        return (), ""
    before, after = "A picture of another class", f"The same with the patch: predicted as {readable(one.label)}"
    pairs = tuple(
        (Print(first, "before", alt=before), Print(second, "after", alt=after))
        for first, second in map(example_jpegs, examples)
    )
    return pairs, report_words.turned(one, len(examples))


def _judged(audit: Audit, one: Group) -> list[str]:
    """A person's judgement on a suspect group, and the networks that were mended of it."""
    try:
        judgement, mendings = judgement_of(audit.folder, one), read_mendings(audit.folder, group_key(one))
    except CamcoreError as error:
        return [str(error)]
    said = [] if judgement is None else [report_words.judgement(judgement)]
    return [*said, *(report_words.mended(name, made) for name, made in mendings.items())]


def _worst(audit: Audit) -> Iterator[Section]:
    """The wrong answers of the highest probability, with their maps."""
    columns = ["path", "label", "predicted", "probability"]
    rows = audit.table(columns, Filters(right=False), "surest", WORST).to_pylist()
    prints = tuple(
        Print(
            overlay_jpeg(audit.manifest, row["path"], values),
            f"{readable(row['predicted'])} {percent(row['probability'])}, true class {readable(row['label'])}",
            row["path"],
            f"{row['path']} with its map for {readable(row['predicted'])}",
        )
        for row, values in zip(rows, audit.maps([row["path"] for row in rows]), strict=True)
    )
    if prints:
        yield Section("The most confident mistakes", (Prints(prints),))


def mean_print(one: MeanMap) -> Print:
    """A mean map with its caption."""
    name = "all classes" if one.label is None else readable(one.label)
    kind = {True: "right", False: "wrong", None: "pictures"}[one.right]
    return Print(map_jpeg(one.values), name, f"{kind}: {one.count:,}", f"Mean map: {name}, {kind}: {one.count:,}")


def _reviews(audit: Audit) -> Iterator[Section]:
    reviews = list_reviews(audit.folder)
    if not reviews:
        return
    told = (
        "Each review is of a random sample of the maps, with sham maps among them that are not marked as such. The "
        "records with every answer are in the audit's folder reviews."
    )
    rows = tuple((one.about, one.text) for one in reviews)
    yield Section("Judged by people", (Paragraph(told), Facts(rows)))


def _errors(audit: Audit) -> Iterator[Section]:
    failed = audit.manifest.failed
    if not failed:
        return
    rows = audit.table(["path", "error"], Filters(failed=True), limit=ERRORS).to_pylist()
    blocks: list[Block] = [Facts(tuple((row["path"], row["error"]) for row in rows))]
    if failed > len(rows):
        blocks.append(Paragraph(f"The audit's table has {failed - len(rows):,} more.", quiet=True))
    yield Section("Pictures that could not be used", tuple(blocks))


def _making(audit: Audit) -> Section:
    blocks: list[Block] = [Facts(tuple(report_words.facts(audit.manifest)))]
    again = command(audit.manifest, audit.folder)
    if again:
        blocks += [Paragraph("To make it again:", quiet=True), Command(again)]
    return Section("How this was made", tuple(blocks))
