"""`check_layer`: what must hold for every layer, so that a layer's test is one row of a table.

    check_layer(layers.Conv2D(4, 3, strides=2), (5, 7, 3))

Everything is computed in float64. Derivatives are compared with central differences in a random direction, and the
gradient that comes from above is random too: with one of ones, a softmax whose backward returns zeros would pass.
"""

import contextlib

import numpy as np

from minikeras import config, layers

EPSILON = 1e-5  # step of the central differences
TOLERANCE = 1e-7  # of derivatives, relative
EXACT = 1e-12  # of the same numbers computed in another way


@contextlib.contextmanager
def settings(floatx="float64", data_format=None):
    """Another float type and data format for a while."""
    before = config.floatx(), config.image_data_format()
    config.set_floatx(floatx)
    config.set_image_data_format(data_format or before[1])
    try:
        yield
    finally:
        config.set_floatx(before[0])
        config.set_image_data_format(before[1])


def relative_error(actual, expected, floor=1e-3):
    """Largest difference, relative to the largest number (at least ``floor``); NaN if there is one in either."""
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape, f"shapes {actual.shape} and {expected.shape} differ"
    if actual.size == 0:
        return 0.0
    return np.abs(actual - expected).max() / max(np.abs(expected).max(), floor)


def assert_equal(actual, expected, tolerance=EXACT, what="outputs"):
    error = relative_error(actual, expected)
    assert error <= tolerance, f"{what}: relative error {error:.2e} exceeds {tolerance:.0e}"


def check_layer(
    make, input_shape, batch=3, inputs=None, mixes_rows=False, config_round_trip=True, tolerance=TOLERANCE,
    seed=0,
):  # fmt: skip
    """Check a layer's shapes, derivatives, buffers and round trips; return the layer, built.

    Args:
        make: a function that makes the layer, called in float64; or a layer of dtype float64.
        input_shape: shape of one sample.
        batch: number of samples.
        inputs: function of (rng, shape); by default normally distributed, which is away from kinks.
        mixes_rows: whether a row of the outputs depends on other rows, as in batch normalization.
        config_round_trip: whether the layer's class can be found by name.
        tolerance: of derivatives.
        seed: of inputs, weights and directions.
    """
    with settings():
        layer, x, dy, rng = _prepare(make, input_shape, batch, inputs, seed)
        state = _state(layer)
        _check_derivatives(layer, x, dy, rng, tolerance)
        _check_buffers(layer, x, dy, state)
        _check_strided(layer, x, dy, state)
        if not mixes_rows:
            _check_rows(layer, x, dy)
        _check_weights_round_trip(layer, make, x)
        if config_round_trip:
            _check_config_round_trip(layer, x)
    return layer


def check_gradients(make, input_shape, batch=3, inputs=None, tolerance=TOLERANCE, seed=0):
    """Check a layer's shapes and derivatives only."""
    with settings():
        layer, x, dy, rng = _prepare(make, input_shape, batch, inputs, seed)
        _check_derivatives(layer, x, dy, rng, tolerance)


def fixed(layer):
    """Let a recurrent layer's dropout draw the same masks each time."""
    begin = layer.cell.begin

    def begin_anew(x, training):
        layer.cell.generator = None
        begin(x, training)

    layer.cell.begin = begin_anew
    return layer


def _prepare(make, input_shape, batch, inputs, seed):
    """The layer, built, with random weights; inputs; gradients of its outputs; what draws the rest."""
    rng = np.random.default_rng(seed)
    layer = make if isinstance(make, layers.Layer) else make()
    x = (inputs or _normal)(rng, (batch, *input_shape))
    declared = layer.compute_output_shape((None, *input_shape))
    layer.build_once((None, *input_shape))
    for weight in layer.weights:  # zeros and ones hide errors
        signs = [-1, 1] if weight.trainable else [1]  # a variance is not negative
        weight.assign((rng.uniform(0.5, 1.5, weight.shape) * rng.choice(signs, weight.shape)).astype(weight.dtype))
    y = _run(layer, x, True)
    assert y.shape == (batch, *declared[1:]), f"declared {declared}, computed {y.shape}"
    assert declared[0] is None
    assert y.dtype == "float64"
    return layer, x, rng.standard_normal(y.shape), rng


def _normal(rng, shape):
    return rng.standard_normal(shape)


def _run(layer, x, training):
    """A copy of the outputs; `x` must stay as it is. A layer that draws random numbers draws the same each time."""
    before = x.copy()
    if hasattr(layer, "generator"):
        layer.generator = None
    y = np.array(layer.run(x, training))
    np.testing.assert_array_equal(x, before, err_msg="inputs were changed")
    return y


def _gradients(layer, x, dy):
    """(outputs, gradient of the inputs, gradients of the trainable weights)"""
    y = _run(layer, x, True)
    for weight in layer.trainable_weights:
        weight.grad = np.full(weight.shape, np.nan)
    dx = layer.backward(dy.copy(order="K"))
    if x.dtype.kind == "f":
        dx = np.array(dx)
        assert dx.shape == x.shape
    return y, dx, [weight.grad.copy() for weight in layer.trainable_weights]


def _state(layer):
    """What `call` changes, as moving averages: to be put back before a comparison."""
    return [weight.numpy() for weight in layer.weights]


def _check_derivatives(layer, x, dy, rng, tolerance):
    _, dx, dweights = _gradients(layer, x, dy)
    points = [("inputs", x, dx)] if x.dtype.kind == "f" else []  # indices have no derivatives
    points += [(w.path, w.value, dw) for w, dw in zip(layer.trainable_weights, dweights)]
    for name, point, gradient in points:
        direction = rng.standard_normal(point.shape)
        start, sums = point.copy(), []
        for step in (EPSILON, -EPSILON):
            point[...] = start + step * direction
            sums.append(np.sum(_run(layer, x, True) * dy))
        point[...] = start
        numeric = (sums[0] - sums[1]) / (2 * EPSILON)
        analytic = np.sum(gradient * direction)
        scale = max(abs(numeric), np.linalg.norm(gradient), 1e-2)  # the direction may be nearly orthogonal
        error = abs(analytic - numeric) / scale
        assert error <= tolerance, f"gradient of {name}: {analytic} but {numeric} by differences, error {error:.1e}"


def _check_buffers(layer, x, dy, state):
    """Nothing is left over from the last call: not in buffers, nor from a larger batch."""
    layer.set_weights(state)
    expected = _gradients(layer, x, dy)
    layer.set_weights(state)
    for array in layer._buffers.values():
        array.fill(np.nan if array.dtype.kind == "f" else 1)
    for weight in layer.trainable_weights:
        weight.grad = np.full(weight.shape, np.nan)
    _assert_same(_gradients(layer, x, dy), expected, "with NaN in the buffers")
    layer.set_weights(state)
    _run(layer, x, False)
    _assert_same(_gradients(layer, x, dy), expected, "after inference")

    layer.set_weights(state)
    fresh = layer.twin()
    small = _gradients(fresh, x[:1], dy[:1])
    layer.set_weights(state)
    _gradients(layer, np.concatenate([x, x]), np.concatenate([dy, dy]))
    layer.set_weights(state)
    _assert_same(_gradients(layer, x[:1], dy[:1]), small, "a small batch after a larger one")

    layer.set_weights(state)
    layer.needs_input_gradient = False
    _run(layer, x, True)
    for weight in layer.trainable_weights:
        weight.grad = np.full(weight.shape, np.nan)
    layer.backward(dy.copy())
    layer.needs_input_gradient = True
    for weight, dw in zip(layer.trainable_weights, expected[2]):
        assert_equal(weight.grad, dw, what=f"gradient of {weight.path} without that of the inputs")
    layer.set_weights(state)


def _check_strided(layer, x, dy, state):
    """Arrays that are transposed views give what contiguous ones give."""
    expected = _gradients(layer, x, dy)
    layer.set_weights(state)
    strided = [np.asfortranarray(a) for a in (x, dy)]
    _assert_same(_gradients(layer, *strided), expected, "Fortran order")
    layer.set_weights(state)
    spread = [np.repeat(a, 2, axis=-1)[..., ::2] for a in (x, dy)]
    _assert_same(_gradients(layer, *spread), expected, "every other element")
    layer.set_weights(state)


def _check_rows(layer, x, dy):
    y, dx, dweights = _gradients(layer, x, dy)
    rows = [_gradients(layer, x[i : i + 1], dy[i : i + 1]) for i in range(len(x))]
    assert_equal(np.concatenate([row[0] for row in rows]), y, what="outputs row by row")
    assert_equal(np.concatenate([row[1] for row in rows]), dx, what="gradient of the inputs row by row")
    for i, dw in enumerate(dweights):
        assert_equal(sum(row[2][i] for row in rows), dw, what="gradient of a weight, summed up row by row")


def _check_weights_round_trip(layer, make, x):
    if isinstance(make, layers.Layer):
        return
    other = make()
    other.build_once((None, *x.shape[1:]))
    other.set_weights(layer.get_weights())
    np.testing.assert_array_equal(_run(other, x, False), _run(layer, x, False), err_msg="weights round trip")


def _check_config_round_trip(layer, x):
    serialized = layers.serialize(layer)
    other = layers.deserialize(serialized)
    assert type(other) is type(layer)
    assert layers.serialize(other) == serialized
    other.build_once((None, *x.shape[1:]))
    other.set_weights(layer.get_weights())
    np.testing.assert_array_equal(_run(other, x, False), _run(layer, x, False), err_msg="config round trip")


def _assert_same(actual, expected, what):
    assert_equal(actual[0], expected[0], what=f"outputs, {what}")
    assert_equal(actual[1], expected[1], what=f"gradient of the inputs, {what}")
    for a, e in zip(actual[2], expected[2]):
        assert_equal(a, e, what=f"gradient of a weight, {what}")
