"""The one list of methods. Picker, help, command line, README table and test matrix are all made from it.

A new method is one function in its family's module and one row here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from numbers import Integral
from types import MappingProxyType
from typing import Any, Literal

from camcore.errors import MethodError, nearest
from camcore.methods import gradient, score

Family = Literal["gradient", "perturbation"]


@dataclass(frozen=True)
class Option:
    """One option of a method: its default and what it may be."""

    default: Any
    choices: tuple[str, ...] = ()
    low: int | None = None
    high: int | None = None
    help: str = ""


@dataclass(frozen=True)
class MethodInfo:
    """What there is to know about a method.

    ``needs``: the inputs its function takes. ``cost``: in words; ``passes``: in forward passes, as a function
    of the layer's channels and the options, without the shared pass that gives activations and gradients.
    ``signed``: the raw map may be negative. ``at_own_layer``: defined at one layer of the network only.
    """

    key: str
    title: str
    class_name: str
    family: Family
    paper: str
    year: int
    equation: str
    url: str
    needs: tuple[str, ...]
    cost: str
    signed: bool
    summary: str
    compute: Callable[..., Any] = field(repr=False)
    caution: Callable[..., str | None] | None = field(default=None, repr=False)
    passes: Callable[[int, Mapping[str, Any]], float] = field(default=lambda channels, options: 0.0, repr=False)
    options: Mapping[str, Option] = field(default_factory=lambda: MappingProxyType({}))
    class_specific: bool = True
    at_own_layer: bool = False

    @property
    def variants(self) -> tuple[str, ...]:
        """The named variants, the default first; empty where there is one form only."""
        variant = self.options.get("variant")
        return variant.choices if variant else ()

    def checked(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """The options with defaults filled in. Raises MethodError for one that does not exist or fit."""
        for name in options:
            if name not in self.options:
                known = ", ".join(self.options) or "none"
                raise MethodError(
                    f"{self.title} has no option {name!r}. Its options: {known}.{_near(name, self.options)}"
                )
        return {
            name: self._value(name, option, options.get(name, option.default)) for name, option in self.options.items()
        }

    def _value(self, name: str, option: Option, value: Any) -> Any:
        if option.choices:
            if value not in option.choices:
                raise MethodError(
                    f"{self.title}: {name}={value!r} is not one of {', '.join(map(repr, option.choices))}."
                    f"{_near(str(value), option.choices)}"
                )
            return value
        if isinstance(value, bool) or not isinstance(value, Integral):
            raise MethodError(f"{self.title}: {name}={value!r} must be a whole number, such as {option.default}.")
        value = int(value)
        if (option.low is not None and value < option.low) or (option.high is not None and value > option.high):
            high = "" if option.high is None else f" and at most {option.high}"
            raise MethodError(f"{self.title}: {name}={value} must be at least {option.low}{high}.")
        return value


def _near(name: str, known: Iterable[str]) -> str:
    near = nearest(name, known)
    return f" Did you mean {near!r}?" if near else ""


def _variant(*choices: str) -> Mapping[str, Option]:
    return MappingProxyType(
        {"variant": Option(choices[0], choices, help="the paper's form, or that of the authors' code")}
    )


_AG = ("activations", "gradients")
_SHARED = "one forward and one backward pass, shared by the whole gradient family"

_ROWS = (
    MethodInfo(
        key="cam",
        title="CAM",
        class_name="CAM",
        family="gradient",
        paper="Zhou et al., Learning Deep Features for Discriminative Localization, CVPR 2016",
        year=2016,
        equation="equation 2",
        url="https://arxiv.org/abs/1512.04150",
        needs=(*_AG, "global average pooling and a linear head"),
        cost=_SHARED,
        signed=True,
        summary="The exact split of the class score over the places: evidence for and against adds up to it.",
        compute=gradient.cam,
        at_own_layer=True,
    ),
    MethodInfo(
        key="gradcam",
        title="Grad-CAM",
        class_name="GradCAM",
        family="gradient",
        paper="Selvaraju et al., Grad-CAM: Visual Explanations from Deep Networks, ICCV 2017",
        year=2017,
        equation="equations 1 and 2",
        url="https://arxiv.org/abs/1610.02391",
        needs=_AG,
        cost=_SHARED,
        signed=False,
        summary="Where the channels that raise the class score are active; the usual first choice.",
        compute=gradient.gradcam,
    ),
    MethodInfo(
        key="gradcam++",
        title="Grad-CAM++",
        class_name="GradCAMPlusPlus",
        family="gradient",
        paper="Chattopadhay et al., Grad-CAM++: Improved Visual Explanations, WACV 2018",
        year=2018,
        equation="equations 10 to 19",
        url="https://arxiv.org/abs/1710.11063",
        needs=_AG,
        cost=_SHARED,
        signed=False,
        summary="Grad-CAM that gives small or repeated objects of the class their share.",
        compute=gradient.gradcam_plus_plus,
        caution=gradient.gradcam_plus_plus_caution,
        options=_variant("paper", "authors"),
    ),
    MethodInfo(
        key="hirescam",
        title="HiResCAM",
        class_name="HiResCAM",
        family="gradient",
        paper="Draelos and Carin, Use HiResCAM instead of Grad-CAM, 2020",
        year=2020,
        equation="equation 3",
        url="https://arxiv.org/abs/2011.08891",
        needs=_AG,
        cost=_SHARED,
        signed=True,
        summary="Each place weighed by its own gradient: places that the score really used, for and against.",
        compute=gradient.hirescam,
    ),
    MethodInfo(
        key="elementwise",
        title="Element-wise Grad-CAM",
        class_name="ElementWiseGradCAM",
        family="gradient",
        paper="Pillai and Pirsiavash, Explainable Models with Consistent Interpretations, AAAI 2021",
        year=2021,
        equation="its rectified product",
        url="https://ojs.aaai.org/index.php/AAAI/article/view/16344",
        needs=_AG,
        cost=_SHARED,
        signed=False,
        summary="As HiResCAM, but only what speaks for the class counts, channel by channel.",
        compute=gradient.elementwise,
    ),
    MethodInfo(
        key="xgradcam",
        title="XGrad-CAM",
        class_name="XGradCAM",
        family="gradient",
        paper="Fu et al., Axiom-based Grad-CAM, BMVC 2020",
        year=2020,
        equation="equation 9",
        url="https://arxiv.org/abs/2008.02312",
        needs=_AG,
        cost=_SHARED,
        signed=False,
        summary="Grad-CAM whose channel weights count a gradient where the channel is active.",
        compute=gradient.xgradcam,
        caution=gradient.xgradcam_caution,
    ),
    MethodInfo(
        key="layercam",
        title="LayerCAM",
        class_name="LayerCAM",
        family="gradient",
        paper="Jiang et al., LayerCAM: Exploring Hierarchical Class Activation Maps, TIP 2021",
        year=2021,
        equation="equations 5 and 6",
        url="https://doi.org/10.1109/TIP.2021.3089943",
        needs=_AG,
        cost=_SHARED,
        signed=False,
        summary="Place-wise positive gradients: keeps its sense at early layers, for fine detail.",
        compute=gradient.layercam,
    ),
    MethodInfo(
        key="scorecam",
        title="Score-CAM",
        class_name="ScoreCAM",
        family="perturbation",
        paper="Wang et al., Score-CAM: Score-Weighted Visual Explanations, CVPR-W 2020",
        year=2020,
        equation="algorithm 1",
        url="https://arxiv.org/abs/1910.01279",
        needs=("activations", "masked forward passes"),
        cost="one forward pass per channel that varies over space",
        signed=False,
        summary="No gradient: each channel weighed by the score of the picture seen through it alone.",
        compute=score.scorecam,
        passes=lambda channels, options: float(channels),
        options=_variant("paper", "authors"),
    ),
    MethodInfo(
        key="fasterscorecam",
        title="Faster Score-CAM",
        class_name="FasterScoreCAM",
        family="perturbation",
        paper="Tabayashi, Faster Score-CAM, github.com/tabayashi0117/Score-CAM, 2020",
        year=2020,
        equation="its README",
        url="https://github.com/tabayashi0117/Score-CAM",
        needs=("activations", "masked forward passes"),
        cost="one forward pass per channel kept (n=10)",
        signed=False,
        summary="Score-CAM over the n channels that vary most over the picture: seconds become milliseconds.",
        compute=score.scorecam,
        passes=lambda channels, options: float(min(channels, options["n"])),
        options=MappingProxyType(
            {
                "n": Option(10, low=1, high=10_000, help="how many channels to keep"),
                **_variant("paper", "authors"),
            }
        ),
    ),
)

METHODS: Mapping[str, MethodInfo] = MappingProxyType({row.key: row for row in _ROWS})


def find_method(key: str) -> MethodInfo:
    """The row of ``key``. Raises MethodError, with the nearest match, where there is none."""
    if isinstance(key, str) and key in METHODS:
        return METHODS[key]
    names = {name: row.key for row in _ROWS for name in (row.key, row.title, row.class_name)}
    near = nearest(key, names, 0.5)
    hint = f" Did you mean {names[near]!r}?" if near else ""
    raise MethodError(f"There is no method {key!r}.{hint} The methods: {', '.join(METHODS)}.")
