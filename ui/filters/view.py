"""The Filters page's frame: its parts, its headline, the first layer's kernels, and the search in words."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

import streamlit as st

from camcore.filters import FirstKernels
from ui import errors, words
from ui.filters import export
from ui.filters.choices import name_of
from ui.filters.pixels import png_url
from ui.filters.work import LayerResponse, SearchSpec
from ui.query import NetworkKey

if TYPE_CHECKING:
    from streamlit.delta_generator import DeltaGenerator


def head(
    place: DeltaGenerator, network: NetworkKey, response: LayerResponse | None, one: SearchSpec | None, missing: bool
) -> None:
    """The headline."""
    if response is None or one is None:
        text = f"{network.name} is not on this machine yet" if missing else f"What {network.name} responds to"
    elif network.weights == "random":
        what = name_of(response, one.layer, one.indices[0])
        text = f"{response.name} has learned nothing yet; this is what excites its {what}"
    elif one.layer is None:
        text = f"This is what {response.name} takes for “{name_of(response, None, one.indices[0])}”"
    else:
        text = f"This is what {name_of(response, one.layer, one.indices[0])} of {one.layer} responds to"
    place.header(words.plain(text), anchor=False)


def kernels(response: LayerResponse) -> None:
    """The first layer's kernels, drawn as they are."""
    st.subheader("What the first layer looks for", anchor="kernels")
    first = response.kernels
    if first is None:
        errors.notices([response.no_kernels])
        return
    count, height, width = first.weights.shape[:3]
    st.markdown(
        words.plain(
            f"The first convolution, {first.layer}, looks at the photograph’s pixels directly, so its {count} kernels "
            f"of {height}×{width} pixels can be drawn as they are, all on one scale. Grey has no weight, bright counts "
            "for a colour, dark against it."
        )
    )
    st.html(f'<div class="cam-kernels">{_kernel_images(first)}</div>')
    export.kernels(response.name, first)


def _kernel_images(first: FirstKernels) -> str:
    parts = []
    for index, rgb in enumerate(first.rgb):
        alt = html.escape(f"Kernel {index} of {first.layer}")
        parts.append(f'<img src="{png_url(rgb)}" alt="{alt}" title="{index}">')
    return "".join(parts)


def explained(response: LayerResponse) -> None:
    """The search in words, one click below."""
    with st.expander("How these pictures are made"):
        st.markdown(
            "Nobody drew these pictures, and no photograph is in them. The search begins with grey noise, asks the "
            "network in which direction each pixel must change for the channel (or the class) to respond more, takes "
            "a small step, and repeats that: *activation maximisation* (Erhan, Bengio, Courville and Vincent, 2009). "
            "As such a search, left alone, ends in noise that only a network can see, it works with the spectrum of "
            "the picture in decorrelated colours, shifts and zooms it a little before every look, and is pulled "
            "towards smooth pictures ([Olah et al. 2017](https://distill.pub/2017/feature-visualization/)). What is "
            "made as large as possible is the channel's mean over the whole picture, so that what it looks for "
            "returns everywhere. The value reached is measured on the finished picture, in whole numbers as it "
            "is shown and saved."
        )
        st.markdown(
            "**How far to trust them.** They show what drives a channel up, not all that it is used for, and another "
            "seed may show another side of it. Pictures for classes are seldom pretty: the score of a class rises "
            "with texture as much as with shape, which is itself worth knowing. A network with *random weights* makes "
            "pictures, too: compare before reading meaning into one."
        )
