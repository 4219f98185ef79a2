"""Optimizers beside Keras': weights and state after twenty steps with the same gradients, with every option."""

import inspect

import numpy as np
import pytest
from optimizer_cases import AVERAGED, CASES, CONFIGS, DEFAULTS, SHARED
from parity_optimizers import apply_both, assert_equal, gradients, make_both, make_weights

from minikeras import constraints, optimizers


@pytest.mark.parametrize("shared", SHARED, ids=str)
@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_twenty_steps(keras, name, arguments, shared):
    ours, theirs = make_both(keras, name, {**arguments, **shared})
    our_weights, their_weights = make_weights(keras)
    for step in range(20):
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
    assert_equal(our_weights, their_weights, name)
    assert_equal(ours.variables, theirs.variables, name)


@pytest.mark.parametrize("shared", AVERAGED, ids=str)
@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
def test_averages_and_accumulated_gradients(keras, name, arguments, shared):
    ours, theirs = make_both(keras, name, {"learning_rate": 0.05, **arguments, **shared})
    constraint = constraints.MaxNorm(2.0), keras.constraints.MaxNorm(2.0)
    our_weights, their_weights = make_weights(keras, *constraint)
    for step in range(20):
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
        assert int(ours.iterations) == int(theirs.iterations)
    assert_equal(our_weights, their_weights, name)
    assert_equal(ours.variables, theirs.variables, name)
    ours.finalize_variable_values(our_weights)
    theirs.finalize_variable_values(their_weights)
    assert_equal(our_weights, their_weights, name)


@pytest.mark.parametrize("shared", [{}, {"clipnorm": 0.5}, *AVERAGED[2:4]], ids=str)
@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
def test_some_weights_only(keras, name, arguments, shared):
    ours, theirs = make_both(keras, name, {"learning_rate": 0.05, **arguments, **shared})
    our_weights, their_weights = make_weights(keras)
    for step in range(6):
        grads = gradients(step)
        if step % 2:
            apply_both(keras, step, ours, our_weights[1:], theirs, their_weights[1:], grads[1:])
        else:
            apply_both(keras, step, ours, our_weights, theirs, their_weights, grads)
    assert_equal(our_weights, their_weights, name)
    assert_equal(ours.variables, theirs.variables, name)


@pytest.mark.parametrize("name", ["AdamW", "Muon", "Lion"])
def test_exclude_from_weight_decay(keras, name):
    ours, theirs = make_both(keras, name, {"learning_rate": 0.1, "weight_decay": 0.5})
    our_weights, their_weights = make_weights(keras)
    ours.exclude_from_weight_decay(var_list=our_weights[2:3], var_names=["bias"])
    theirs.exclude_from_weight_decay(var_list=their_weights[2:3], var_names=["bias"])
    for step in range(4):
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
    assert_equal(our_weights, their_weights, name)


def test_muon_knows_embeddings_by_their_path(keras):
    for exclude_embeddings in (True, False):
        ours, theirs = make_both(keras, "Muon", {"exclude_embeddings": exclude_embeddings})
        our_weights, their_weights = make_weights(keras, shapes={"my_Embedding_table": (4, 3), "kernel": (4, 3)})
        for step in range(3):
            grads = gradients(step, [(4, 3), (4, 3)])
            apply_both(keras, step, ours, our_weights, theirs, their_weights, grads)
        assert_equal(our_weights, their_weights)
        assert_equal(ours.variables, theirs.variables)


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1e30, np.inf, np.nan])
@pytest.mark.parametrize("shared", SHARED[:4], ids=str)
@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
def test_hard_gradients(keras, name, arguments, shared, scale):
    if name == "Lion" and (np.isnan(scale) or (scale > 1e29 and ("clipnorm" in shared or "global_clipnorm" in shared))):
        pytest.skip("with PyTorch the sign of NaN is 0, so that the weights stop; here, as in NumPy and JAX, it is NaN")
    ours, theirs = make_both(keras, name, {"learning_rate": 0.05, **arguments, **shared})
    our_weights, their_weights = make_weights(keras)
    for step in range(3):
        grads = gradients(step)
        if np.isfinite(scale):
            grads = [np.asarray(g * np.float32(scale), "float32") for g in grads]
        elif step == 1:
            grads[1][2] = scale
            grads[3][1, 1] = -scale
        apply_both(keras, step, ours, our_weights, theirs, their_weights, grads)
        for mine, other in zip(our_weights, their_weights):
            largest = np.nanmax(np.abs(other.numpy()), initial=0.0, where=np.isfinite(other.numpy()))
            # NaN where theirs is. Ftrl is a quotient of a difference of numbers that are nearly equal.
            tolerance = 1e-4 if name == "Ftrl" else 1e-5
            np.testing.assert_allclose(mine.value, other.numpy(), rtol=1e-5, atol=tolerance * largest)


@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
def test_weights_of_zero(keras, name, arguments):
    ours, theirs = make_both(keras, name, {"learning_rate": 0.05, **arguments})
    our_weights, their_weights = make_weights(keras, scale=0.0)
    for step in range(3):
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
    assert_equal(our_weights, their_weights, name)


@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
def test_learning_rate_changes_and_pauses(keras, name, arguments):
    ours, theirs = make_both(keras, name, {"learning_rate": 0.1, **arguments})
    our_weights, their_weights = make_weights(keras)
    for step, learning_rate in enumerate((0.1, 0.03, 0.0, 1e-3, 0.2)):
        if name == "Ftrl" and learning_rate == 0:
            continue  # divides by it
        ours.learning_rate = theirs.learning_rate = learning_rate
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
        assert float(ours.learning_rate) == float(theirs.learning_rate.numpy())
        assert int(ours.iterations) == int(theirs.iterations.numpy())
    assert_equal(our_weights, their_weights, name)


@pytest.mark.parametrize("scale", [128.0, 0.3])
@pytest.mark.parametrize("name, arguments", DEFAULTS, ids=str)
def test_loss_scale_factor(keras, name, arguments, scale):
    ours, theirs = make_both(keras, name, {**arguments, "loss_scale_factor": scale, "clipnorm": 1.0})
    our_weights, their_weights = make_weights(keras)
    for step in range(20):
        grads = [np.float32(scale) * g for g in gradients(step)]
        apply_both(keras, step, ours, our_weights, theirs, their_weights, grads)
    assert_equal(our_weights, their_weights, name)
    assert ours.scale_loss(2.0) == theirs.scale_loss(2.0) == 2 * scale


def test_every_argument_is_varied():
    varied = {argument for row in [*SHARED, *AVERAGED, {"loss_scale_factor": 2}] for argument in row}
    for name, rows in CASES.items():
        own = {argument for row in rows for argument in row}
        left = set(inspect.signature(getattr(optimizers, name)).parameters) - varied - own - {"name", "kwargs"}
        assert left == set(), name


def test_several_optimizers(keras):
    def make(module, variables=None):
        kinds = module.optimizers
        return kinds.MultiOptimizer(
            kinds.OptimizerMap(
                kinds.Adam(0.1, name="a", gradient_accumulation_steps=2), {"bi.s": kinds.SGD(0.1, 0.5, name="s")}
            ),
            name="multi",
        )

    class Ours:
        pass

    Ours.optimizers = optimizers
    ours, theirs = make(Ours), make(keras)
    our_weights, their_weights = make_weights(keras)
    expected = ours.expected_variables(our_weights)
    for step in range(7):
        apply_both(keras, step, ours, our_weights, theirs, their_weights)
    assert_equal(our_weights, their_weights)
    assert_equal(ours.variables, theirs.variables)
    assert [v.path for v in ours.variables] == [v.path for v in theirs.variables]
    assert expected == [(v.shape, v.dtype) for v in ours.variables]
    assert int(ours.iterations) == int(theirs.iterations) == 7
    again = optimizers.get(keras.optimizers.serialize(theirs))
    assert [o.get_config() for o in again.optimizers] == [o.get_config() for o in theirs.optimizers]
    again = keras.optimizers.deserialize(optimizers.serialize(ours))
    assert [o.get_config() for o in again.optimizers] == [o.get_config() for o in ours.optimizers]
