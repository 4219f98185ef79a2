"""What surrounds the formulas: constraints, weight decay, clipping, averages, accumulated and given gradients."""

import numpy as np
import pytest
from optimizer_cases import SHARED, gradients, make, make_variables, train

from minikeras import config, constraints, optimizers


@pytest.fixture
def float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


def test_constraint_follows_the_update():
    variables = make_variables()
    variables[0].constraint = constraints.NonNeg()
    variables[3].constraint = constraints.UnitNorm(axis=0)
    free, _ = train(make("SGD", {}), make_variables(), steps=1)
    values, _ = train(make("SGD", {}), variables, steps=1)
    np.testing.assert_array_equal(values[0], np.maximum(free[0], 0))
    np.testing.assert_allclose((values[3] ** 2).sum(axis=0), 1, rtol=1e-5)
    np.testing.assert_array_equal(values[1], free[1])


def test_exclude_from_weight_decay(float64):
    arguments = {"learning_rate": 0.1, "weight_decay": 0.5}
    variables = make_variables("float64")
    before = [v.numpy() for v in variables]
    optimizer = make("SGD", arguments)
    optimizer.exclude_from_weight_decay(var_list=[variables[0]], var_names=["bia", "scale"])
    optimizer.apply([np.zeros(v.shape) for v in variables], variables)
    for i, (variable, value) in enumerate(zip(variables, before)):
        np.testing.assert_allclose(variable.value, value if i < 3 else value * 0.95, rtol=1e-14)
    with pytest.raises(ValueError, match="before the optimizer is built"):
        optimizer.exclude_from_weight_decay(var_names=["kernel"])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_gradient_that_is_not_finite(bad):
    def after(**shared):
        variables = make_variables()
        grads = [np.zeros(v.shape) for v in variables]
        grads[1][2] = bad
        make("SGD", {}, **shared).apply(grads, variables)  # without a warning from NumPy
        return [np.isfinite(v.value) for v in variables]

    assert after()[1].tolist() == [True, True, False, True]
    assert not any(finite.any() for finite in after(global_clipnorm=1.0))
    one_weight = after(clipnorm=1.0)
    assert one_weight[1].tolist() == ([False] * 4 if np.isnan(bad) else [True, True, False, True])
    assert all(finite.all() for i, finite in enumerate(one_weight) if i != 1)
    assert after(clipvalue=1.0)[1].tolist() == ([True, True, False, True] if np.isnan(bad) else [True] * 4)


def test_apply():
    variables = make_variables(shapes={"a": (2,), "b": (3,)})
    before = [v.numpy() for v in variables]
    optimizer = make("SGD", {"learning_rate": 0.5})
    with pytest.raises(ValueError, match="without variables needs a built optimizer"):
        optimizer.apply([np.ones(2)])
    assert optimizer.apply_gradients([(np.ones(2), variables[0]), (np.ones(3), variables[1])]) == 1
    optimizer.apply([np.ones(2), np.ones(3)])
    np.testing.assert_allclose(variables[1].value, before[1] - 1, rtol=1e-6)
    with pytest.warns(UserWarning, match="variables b"):
        optimizer.apply([np.ones(2), None], variables)
    np.testing.assert_allclose(variables[1].value, before[1] - 1, rtol=1e-6)
    np.testing.assert_allclose(variables[0].value, before[0] - 1.5, rtol=1e-6)
    optimizer.apply([])
    assert optimizer.iterations == 3
    with pytest.raises(ValueError, match="No gradients"):
        optimizer.apply([None, None], variables)
    with pytest.raises(ValueError, match="2 variables.*1 gradients"):
        optimizer.apply([np.ones(2)], variables)
    with pytest.raises(ValueError, match=r"'b'.*\(3,\).*\(2,\)"):
        optimizer.apply([np.ones(2), np.ones(2)], variables)


@pytest.mark.parametrize("shared", SHARED[1:], ids=str)
def test_settings_may_be_changed_while_training(shared):
    variables, twins = make_variables(), make_variables()
    optimizer, right = make("SGD", {}), make("SGD", {}, **shared)
    right.build(twins)
    train(optimizer, variables, steps=2)
    for variable, twin in zip(variables, twins):
        twin.assign(variable.value)
    [(argument, value)] = shared.items()
    setattr(optimizer, argument, value)
    for each, weights in ((optimizer, variables), (right, twins)):
        each.apply(gradients(1, weights), weights)
    for variable, twin in zip(variables, twins):
        np.testing.assert_array_equal(variable.value, twin.value)


def test_custom_optimizer():
    class SignSGD(optimizers.Optimizer):
        def update(self, w, g, scratch, learning_rate):
            assert type(learning_rate) is float  # a number of NumPy's may compute in another precision
            np.sign(g, out=scratch)
            scratch *= learning_rate
            w -= scratch

    variables = make_variables()
    before = [v.numpy() for v in variables]
    values, _ = train(optimizers.get(SignSGD(0.5, clipvalue=1.0)), variables, steps=1)
    for value, old, gradient in zip(values, before, gradients(0, variables)):
        np.testing.assert_allclose(value, old - 0.5 * np.sign(gradient), rtol=1e-6)
    with pytest.raises(NotImplementedError, match="no `update"):
        train(optimizers.Optimizer(0.1), variables, steps=1)




def mean_gradients(steps, variables):
    return [sum(grads) / len(steps) for grads in zip(*(gradients(step, variables) for step in steps))]


@pytest.mark.parametrize("shared", SHARED, ids=str)
@pytest.mark.parametrize("name", ["Adam", "Nadam", "Lamb"])
def test_accumulated_gradients_are_one_update_by_their_mean(name, shared, float64):
    variables, twins = make_variables("float64"), make_variables("float64")
    optimizer, right = make(name, shared, gradient_accumulation_steps=3), make(name, shared)
    for step in range(7):
        before = [v.numpy() for v in variables]
        optimizer.apply(gradients(step, variables), variables)
        if step % 3 == 2:
            right.apply(mean_gradients(range(step - 2, step + 1), twins), twins)
        else:
            assert all(np.array_equal(v.value, old) for v, old in zip(variables, before))
        assert optimizer.iterations == optimizer.updates == (step + 1) // 3
    assert int(optimizer.variables[0].value) == 7
    for variable, twin in zip(variables, twins):
        np.testing.assert_allclose(variable.value, twin.value, rtol=1e-12, atol=1e-13)


def test_accumulated_gradients_of_some_weights(float64):
    variables = make_variables("float64", {"a": (3,), "b": (2,)})
    before = [v.numpy() for v in variables]
    optimizer = make("SGD", {"learning_rate": 1.0, "gradient_accumulation_steps": 2})
    optimizer.apply([np.ones(3), np.ones(2)], variables)
    optimizer.apply([np.ones(3)], variables[:1])  # the update: b's gradient is forgotten, as in Keras
    np.testing.assert_allclose(variables[0].value, before[0] - 1)
    np.testing.assert_array_equal(variables[1].value, before[1])
    for _ in range(2):
        optimizer.apply([np.zeros(3), np.ones(2)], variables)
    np.testing.assert_allclose(variables[1].value, before[1] - 1)


@pytest.mark.parametrize("frequency", [None, 1, 3])
def test_moving_average(frequency, float64):
    variables = make_variables("float64")
    optimizer = make("SGD", {"learning_rate": 0.1}, use_ema=True, ema_momentum=0.8, ema_overwrite_frequency=frequency)
    averages, weights = None, [v.numpy() for v in variables]
    for step in range(7):
        grads = gradients(step, variables)
        weights = [w - 0.1 * g for w, g in zip(weights, grads)]
        averages = weights if averages is None else [0.8 * a + (1 - 0.8) * w for a, w in zip(averages, weights)]
        if frequency and (step + 1) % frequency == 0:
            weights = averages
        optimizer.apply(grads, variables)
        for found, right in zip(variables, weights):
            np.testing.assert_allclose(found.value, right, rtol=1e-12, atol=1e-14)
        for found, right in zip(optimizer.moving_averages(variables), averages):
            np.testing.assert_allclose(found, right, rtol=1e-12, atol=1e-14)
    optimizer.finalize_variable_values(variables[::-1])
    for found, right in zip(variables, averages):
        np.testing.assert_allclose(found.value, right, rtol=1e-12, atol=1e-14)


def test_finalizing_without_an_average_changes_nothing():
    variables = make_variables()
    before = [v.numpy() for v in variables]
    for optimizer in (make("SGD", {}), make("SGD", {}, use_ema=True)):
        optimizer.finalize_variable_values(variables)  # the second has averaged nothing yet
    assert all(np.array_equal(v.value, old) for v, old in zip(variables, before))
    optimizer.build(variables[:2])
    with pytest.raises(ValueError, match="Unknown variable"):
        optimizer.finalize_variable_values(variables)


def test_the_average_is_that_of_the_weights_wherever_they_are():
    """Another optimizer may have moved a weight that this one averages without updating it."""
    variables = make_variables(shapes={"a": (3,), "b": (2,)})
    optimizer = make("SGD", {}, use_ema=True, ema_momentum=0.0)
    optimizer.build(variables)
    make("SGD", {}).build(variables)
    variables[1].assign([5.0, 6.0])
    optimizer.apply([np.ones(3)], variables[:1])
    np.testing.assert_array_equal(optimizer.moving_averages(variables[1:])[0], [5.0, 6.0])


def test_loss_scale_factor():
    variables, twins = make_variables(), make_variables()
    optimizer = make("SGD", {}, loss_scale_factor=8.0)
    assert optimizer.scale_loss(0.5) == 4.0
    assert make("SGD", {}).scale_loss(0.5) == 0.5
    optimizer.apply([8 * g for g in gradients(1, variables)], variables)
    make("SGD", {}).apply(gradients(1, twins), twins)
    for variable, twin in zip(variables, twins):
        np.testing.assert_array_equal(variable.value, twin.value)
    train(optimizer, variables, steps=2)  # training scales neither the loss nor the gradients
    train(make("SGD", {}), twins, steps=2)
    for variable, twin in zip(variables, twins):
        np.testing.assert_array_equal(variable.value, twin.value)


def test_a_custom_optimizer_that_takes_each_weight_whole():
    class Normalized(optimizers.Optimizer):
        """Steps of one length."""

        elementwise = False
        scratches = 2
        start = np.zeros(2, "float32")

        def slots(self):
            return ["lengths"]

        def slot_start(self, name, variable):
            return self.start if variable.ndim else None

        def update(self, w, g, scratch, learning_rate, lengths):
            step, other = scratch
            assert step.shape == other.shape == w.shape
            if lengths is None:
                return
            lengths += np.linalg.norm(g)
            np.multiply(g, learning_rate / np.linalg.norm(g), out=step)
            w -= step

    variables = make_variables()
    before = [v.numpy() for v in variables]
    optimizer = Normalized(0.5, use_ema=True, gradient_accumulation_steps=2)
    expected = optimizer.expected_variables(variables)
    train(optimizer, variables, steps=2)
    assert [(v.shape, v.dtype) for v in optimizer.variables] == expected
    assert not np.any(Normalized.start)
    for variable, old in zip(variables, before):
        assert np.linalg.norm(variable.value - old) == pytest.approx(0.5 if variable.ndim else 0.0, abs=1e-6)
