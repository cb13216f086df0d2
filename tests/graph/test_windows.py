"""The arithmetic of one window: TensorFlow's padding, a window after a window, two fields in one."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from camcore.graph.reach import Axis
from camcore.graph.windows import same_padding


@pytest.mark.parametrize("side", range(5, 14))
@pytest.mark.parametrize("kernel", [1, 2, 3, 5])
@pytest.mark.parametrize("step", [1, 2, 3])
def test_same_padding_is_tensorflows(side, kernel, step):
    """An impulse at pixel 0 with weights 1, 2, 3, … shows at the first cell which tap met it."""
    x = np.zeros((1, side, 1, 1), np.float32)
    x[0, 0] = 1
    taps = np.arange(1, kernel + 1, dtype=np.float32).reshape(kernel, 1, 1, 1)
    first = tf.nn.conv2d(x, taps, [step, 1], "SAME").numpy()[0, 0, 0, 0]
    assert same_padding(side, kernel, step, 1) == max(first - 1, 0)


def test_same_padding_of_an_open_side_is_that_of_a_multiple_of_the_step():
    for kernel, step in [(3, 2), (7, 2), (3, 1), (5, 3)]:
        assert same_padding(None, kernel, step, 1) == same_padding(12, kernel, step, 1)


def test_window_and_union():
    axis = Axis().window(3, 2, 1, 0).window(3, 1, 2, 2)
    assert (axis.stride, axis.size, axis.centre) == (2, 3 + 4 * 2, 1 + (2 - 2) * 2)
    both = Axis(2, 3, 1).union(Axis(2, 5, 4))
    assert (both.stride, both.size, both.centre) == (2, 7, 3)
