"""The gradient of 1×1 convolutions: equal to the general convolution's own, and its derivative to differences."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from camcore.graph.pointwise import matrix_product_gradients


def gradients(x, kernel, strides=1, padding="SAME", products=True):
    """∂Σ(y³)/∂x and ∂/∂kernel of y = conv(x), and the kinds of operations that gave them."""

    def ends(x, kernel):
        graph = tf.compat.v1.get_default_graph()
        if products:
            with matrix_product_gradients(graph):
                y = tf.nn.conv2d(x, kernel, strides, padding)
        else:
            y = tf.nn.conv2d(x, kernel, strides, padding)
        return tf.gradients(tf.reduce_sum(y**3), [x, kernel])

    made = tf.function(ends, autograph=False).get_concrete_function(
        tf.TensorSpec([None, *x.shape[1:]], x.dtype), tf.TensorSpec(kernel.shape, kernel.dtype)
    )
    kinds = {op.type for op in made.graph.get_operations()}
    return [part.numpy() for part in made(tf.constant(x), tf.constant(kernel))], kinds


CASES = {
    "1×1": ((2, 5, 4, 6), (1, 1, 6, 3), 1, "SAME"),
    "one cell": ((1, 1, 1, 6), (1, 1, 6, 3), 1, "VALID"),
    "strided": ((3, 5, 4, 16), (1, 1, 16, 3), 2, "SAME"),
    "3×3": ((2, 5, 4, 6), (3, 3, 6, 3), 1, "SAME"),
    "1×3": ((2, 5, 4, 6), (1, 3, 6, 3), 1, "VALID"),
    "padded by hand": ((2, 5, 4, 6), (1, 1, 6, 3), 1, [[0, 0], [1, 0], [0, 1], [0, 0]]),
}


@pytest.mark.parametrize("case", CASES)
def test_equal_to_the_convolutions_own_gradient(case):
    shape, kernel_shape, strides, padding = CASES[case]
    rng = np.random.default_rng(0)
    x, kernel = rng.standard_normal(shape), rng.standard_normal(kernel_shape)
    found, kinds = gradients(x, kernel, strides, padding)
    wanted, _ = gradients(x, kernel, strides, padding, products=False)
    for one, other in zip(found, wanted, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12, atol=1e-12)
    assert ("Conv2DBackpropInput" in kinds) == (case not in ("1×1", "one cell"))


def test_the_second_derivative_equals_finite_differences():
    """ShapleyCAM differentiates the gradient again."""
    inputs = keras.Input((3, 3, 4), dtype="float64")
    outputs = keras.layers.Conv2D(5, 1, activation="tanh", dtype="float64")(inputs)
    model = keras.Model(inputs, keras.layers.GlobalAveragePooling2D(dtype="float64")(outputs))
    rng = np.random.default_rng(1)
    x, direction = rng.standard_normal((1, 3, 3, 4)), rng.standard_normal((1, 3, 3, 4))

    def first(x):
        with matrix_product_gradients(tf.compat.v1.get_default_graph()):
            y = model(x)[:, 2]
        return tf.gradients(y, x)[0]

    def second(x):
        return tf.gradients(first(x) * direction, x)[0]

    spec = [tf.TensorSpec([None, 3, 3, 4], tf.float64)]
    gradient = tf.function(first, spec, autograph=False)
    product = tf.function(second, spec, autograph=False)(tf.constant(x)).numpy()
    h = 1e-5
    differences = (gradient(tf.constant(x + h * direction)) - gradient(tf.constant(x - h * direction))) / (2 * h)
    np.testing.assert_allclose(product, differences, atol=1e-9)
