"""The kernel's count of resident memory: what work touched, and nothing where there is no such count."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from camcore import memory

MB = 1 << 20


@pytest.mark.skipif(memory.begin() is None, reason="this system keeps no count of resident memory")
def test_the_peak_is_what_was_touched_though_it_is_gone():
    np.ones(400 * MB, np.uint8)  # an earlier, higher peak
    start = memory.begin()
    np.ones(100 * MB, np.uint8)
    assert 95 * MB < memory.peak_over(start) < 200 * MB
    start = memory.begin()
    assert memory.peak_over(start) < 50 * MB


@pytest.mark.skipif(memory.begin() is None, reason="this system keeps no count of resident memory")
def test_memory_that_falls_is_no_negative_peak():
    assert memory.peak_over(1 << 60) == 0


def test_without_a_count_there_is_none(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "_PROCESS", Path(tmp_path / "absent"))
    assert memory.begin() is None
    assert memory.peak_over(None) is None
    assert memory.peak_over(5) is None


def test_a_status_without_the_line(monkeypatch, tmp_path):
    (tmp_path / "status").write_text("Name:\tpython\n")
    monkeypatch.setattr(memory, "_PROCESS", tmp_path)
    assert memory.begin() is None
    (tmp_path / "status").write_text("Name:\tpython\nVmHWM:\t    3072 kB\nVmRSS:\t    2048 kB\n")
    assert memory.begin() == 2 * MB
    assert memory.peak_over(2 * MB) == MB
