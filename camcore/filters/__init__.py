"""What a filter, a channel or a class responds to: pictures found by activation maximisation, and first kernels.

for state in excite(net, "block_6_expand", range(16)):
    print(state.done, state.total, state.excitations[0].reached)
"""

from camcore.filters.ascent import Recipe
from camcore.filters.kernels import FirstKernels, first_kernels
from camcore.filters.searching import RECIPE, Excitation, Search, check_channel, excite, pace, searchable

__all__ = [
    "RECIPE",
    "Excitation",
    "FirstKernels",
    "Recipe",
    "Search",
    "check_channel",
    "excite",
    "first_kernels",
    "pace",
    "searchable",
]
