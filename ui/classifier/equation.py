"""A class's score as a sum that a layman can follow; figures rounded so that what is shown adds up."""

from dataclasses import dataclass

from camcore.evidence import Evidence

MINUS = "\N{MINUS SIGN}"


@dataclass(frozen=True)
class Equation:
    """Hundredths of a logit, whole numbers: supporting + opposing = mean, mean + bias = score, exactly."""

    supporting: int
    opposing: int
    mean: int
    bias: int
    score: int


def equation(one: Evidence) -> Equation:
    """The sum of one class. Rounding is taken up by the largest figures: the mean, and its supporting part."""
    score, bias, opposing = (round(100 * value) for value in (one.sum, one.bias, one.opposing))
    mean = score - bias
    return Equation(mean - opposing, opposing, mean, bias, score)


def signed(hundredths: int) -> str:
    """+4.62, −0.48, 0.00."""
    sign = "+" if hundredths > 0 else MINUS if hundredths < 0 else ""
    return f"{sign}{abs(hundredths) / 100:.2f}"


def number(value: float, digits: int = 6) -> str:
    """A figure with its sign, to so many digits after the point."""
    text = f"{abs(value):.{digits}f}"
    return f"{MINUS if value < 0 else '+'}{text}"
