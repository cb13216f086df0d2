"""The kernel's count of resident memory: what work touched, and nothing where there is no such count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from camcore import peak_memory as memory

MB = 1 << 20
counted = pytest.mark.skipif(memory.begin().resident is None, reason="this system counts no resident memory")


@counted
def test_the_peak_is_what_was_touched_though_it_is_gone():
    np.ones(400 * MB, np.uint8)  # an earlier, higher peak
    start = memory.begin()
    np.ones(100 * MB, np.uint8)
    assert 95 * MB < memory.peak_over(start) < 200 * MB
    start = memory.begin()
    assert memory.peak_over(start) < 50 * MB


def test_tensors_count_though_their_memory_was_kept(monkeypatch, tmp_path):
    """The second run of the same work: the process does not grow, the tensors are there all the same."""
    monkeypatch.setattr(memory, "_PROCESS", tmp_path)
    tf = pytest.importorskip("tensorflow")
    if memory.begin().tensors is None:
        pytest.skip("this TensorFlow counts no tensors")
    for _ in range(2):
        start = memory.begin()
        tf.ones([25 * MB // 2]) + 1  # 50 MB, and as much for the sum
        assert 99 * MB < memory.peak_over(start) < 160 * MB
        start = memory.begin()
        assert memory.peak_over(start) < 10 * MB


def counts(monkeypatch, tmp_path, status: str, tensors: dict[str, int] | None) -> None:
    """A system that keeps these counts."""
    (tmp_path / "status").write_text(status)
    monkeypatch.setattr(memory, "_PROCESS", tmp_path)
    monkeypatch.setattr(memory, "_tensors", lambda what, forget=False: tensors[what] if tensors else None)


STATUS = "Name:\tpython\nVmHWM:\t    3072 kB\nVmRSS:\t    2048 kB\n"


@pytest.mark.parametrize(
    ("status", "tensors", "wanted"),
    [
        (STATUS, {"current": 10 * MB, "peak": 17 * MB}, 7 * MB),
        (STATUS, {"current": 10 * MB, "peak": 10 * MB}, MB),
        (STATUS, None, MB),
        ("Name:\tpython\n", {"current": 10 * MB, "peak": 17 * MB}, 7 * MB),
        ("Name:\tpython\n", None, None),
        ("VmHWM:\t 1 kB\nVmRSS:\t 5 kB\n", None, 0),
    ],
)
def test_the_larger_rise_counts_of_those_that_are_kept(monkeypatch, tmp_path, status, tensors, wanted):
    counts(monkeypatch, tmp_path, status, tensors)
    assert memory.peak_over(memory.begin()) == wanted


def test_a_system_that_forgets_no_peak_has_no_resident_count(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_PROCESS", Path(tmp_path / "absent"))
    assert memory.begin().resident is None
