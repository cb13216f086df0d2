"""Options that make every method quick, for tests that run them all."""

CHEAP: dict[str, dict[str, object]] = {
    "smoothgradcam++": {"n": 2},
    "sscam": {"n": 2, "sigma": 0.1},
    "iscam": {"n": 2},
    "rise": {"n": 8},
}
