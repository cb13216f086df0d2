"""Pictures that excite a channel or a class, found by activation maximisation, and the kernels of the first layer.

for state in excite(net, "block_6_expand", range(16)):
    print(state.done, state.total, state.excitations[0].reached)
"""

from camcore.filters.ascent import AscentRecipe
from camcore.filters.kernels import FirstKernels, first_kernels
from camcore.filters.legible import legible_layer
from camcore.filters.search import RECIPE, Excitation, SearchState, check_channel, excite, searchable, step_seconds

__all__ = [
    "RECIPE",
    "AscentRecipe",
    "Excitation",
    "FirstKernels",
    "SearchState",
    "check_channel",
    "excite",
    "first_kernels",
    "legible_layer",
    "searchable",
    "step_seconds",
]
