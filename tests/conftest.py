"""Settings that hold for every test."""

import os

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Quiet TensorFlow, and never a download by accident: no test may need a network.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CAMCORE_WEIGHTS_URL", "http://127.0.0.1:9/")

# As importing camcore does; some tests import Keras first.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")


# What takes longest, by how its tests' names begin: the first to start, so that neither process is left alone with one
# of them at the end.
_LONGEST = ("browser/", "test_all_backbones.py", "pages/", "training/test_surgery.py", "verdict/", "models/")


def _place(item: pytest.Item) -> int:
    """The place of a test among the longest; behind them all others."""
    starts = enumerate(_LONGEST)
    return next((place for place, start in starts if item.nodeid.startswith(f"tests/{start}")), len(_LONGEST))


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Bytes by their number: a ZIP file holds the time, and both processes have to collect the same names."""
    return f"{argname} of {len(val)} bytes" if isinstance(val, bytes) else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The longest first; slow tests run where CI is set, or when asked for with ``-m slow``; a browser's failure is
    tried once more."""
    items.sort(key=_place)
    for item in items:
        if item.get_closest_marker("browser") is not None:
            item.add_marker(pytest.mark.flaky(reruns=1))  # on a busy machine a click may come too early
    if os.environ.get("CI") or "slow" in (config.getoption("-m") or ""):
        return
    skip = pytest.mark.skip(reason="slow; runs on CI, or with -m slow")
    for item in items:
        if "slow" in item.keywords:
            item.add_marker(skip)


BROWSER = "tests/browser"


class _Scheduling(LoadFileScheduling):
    """A file's tests in one process; all browser tests, which share servers and a browser, in one."""

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(f"{BROWSER}/") else super()._split_scope(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Take the place of ``--dist loadfile``."""
    return _Scheduling(config, log) if config.getoption("dist") == "loadfile" else None
