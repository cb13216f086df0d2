"""Options that make every method quick, for tests that run them all, and the methods that any network has."""

from camcore.methods import METHODS

GENERAL = tuple(key for key, info in METHODS.items() if not info.input.needs_attention)

CHEAP: dict[str, dict[str, object]] = {
    "smoothgradcam++": {"n": 2},
    "sscam": {"n": 2, "sigma": 0.1},
    "iscam": {"n": 2},
    "rise": {"n": 8},
}
