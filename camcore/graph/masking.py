"""One picture seen through many masks: what the Score-CAM family asks."""

from __future__ import annotations

from typing import Any

from camcore.graph.compiled import Function
from camcore.graph.traced_network import Anatomy


def masking(anatomy: Anatomy, input_size: tuple[int, int], grid: tuple[int, ...]) -> Function:
    """A compiled function (x (1, …), maps (m, *grid), scale, noise (H, W) or (1, 1)) → logits (m, classes).

    Each map is upsampled bilinearly (half-pixel centres) to the input, the noise added, stretched to 0..1,
    multiplied by the scale, and the image with it.
    """
    import tensorflow as tf

    def build() -> Function:
        forward, source = anatomy.forward(), anatomy.source

        signature = [
            tf.TensorSpec([1, *source.shape[1:]], source.dtype),
            tf.TensorSpec([None, *grid], tf.float32),
            tf.TensorSpec([], tf.float32),
            tf.TensorSpec([None, None], tf.float32),
        ]

        def masked(x: Any, maps: Any, scale: Any, noise: Any) -> Any:
            masks = tf.image.resize(maps[..., tf.newaxis], input_size, "bilinear")
            masks += noise[..., tf.newaxis]
            low = tf.reduce_min(masks, axis=(1, 2, 3), keepdims=True)
            high = tf.reduce_max(masks, axis=(1, 2, 3), keepdims=True)
            precision = source.dtype if source.dtype.is_floating else tf.float32
            masks = tf.cast(scale * tf.math.divide_no_nan(masks - low, high - low), precision)
            if anatomy.channels_first:
                masks = tf.transpose(masks, (0, 3, 1, 2))
            seen = tf.cast(x, precision) * masks
            return forward(tf.cast(seen if source.dtype.is_floating else tf.round(seen), source.dtype))[0]

        return anatomy.cutter.compiled(masked, signature)

    return anatomy.cutter.kept(("masked", grid), build)
