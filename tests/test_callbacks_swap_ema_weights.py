"""SwapEMAWeights: when the moving average of the weights is in the model, and when the weights are."""

import numpy as np
import pytest

import minikeras
from minikeras.callbacks import EarlyStopping, LambdaCallback, SwapEMAWeights

RNG = np.random.default_rng(0)
X = RNG.normal(size=(12, 4)).astype("float32")
Y = RNG.normal(size=(12, 1)).astype("float32")


def make(**arguments):
    minikeras.utils.set_random_seed(0)
    model = minikeras.Sequential([minikeras.layers.Dense(1, use_bias=False)])
    optimizer = minikeras.optimizers.SGD(0.1, **{"use_ema": True, "ema_momentum": 0.75, **arguments})
    return model.compile(optimizer, "mse", input_shape=(4,))


def kernel(model):
    return model.get_weights()[0].copy()


def average(model):
    return model.optimizer.moving_averages(model.trainable_weights)[0].copy()


def reference(epochs):
    """(weights, average) after each epoch of 2 batches, without the callback."""
    model, states = make(), []
    look = LambdaCallback(on_epoch_end=lambda epoch, logs: states.append((kernel(model), average(model))))
    model.fit(X, Y, batch_size=6, epochs=epochs, shuffle=False, verbose=0, callbacks=[look])
    return states


def watch(model, swap, epochs=3, after=(), **arguments):
    """Return what each hook of a callback after ``swap`` finds in the model."""
    seen = []

    def look(name):
        return lambda *args, **kwargs: seen.append((name, kernel(model)))

    hooks = ("on_epoch_begin", "on_epoch_end", "on_test_begin", "on_test_end")
    callbacks = [*after, swap, LambdaCallback(**{name: look(name) for name in hooks})]
    model.fit(X, Y, batch_size=6, epochs=epochs, shuffle=False, verbose=0, callbacks=callbacks, **arguments)
    return seen


def test_validation_is_of_the_average():
    states = reference(3)
    model = make()
    seen = watch(model, SwapEMAWeights(), validation_data=(X, Y))
    for name, place in (("on_test_begin", 1), ("on_test_end", 0), ("on_epoch_end", 0)):
        found = [value for hook, value in seen if hook == name]
        np.testing.assert_array_equal(found, [state[place] for state in states])
    np.testing.assert_array_equal(kernel(model), states[-1][1])


def test_the_average_between_epochs():
    states = reference(3)
    model = make()
    seen = watch(model, SwapEMAWeights(swap_on_epoch=True))
    found = [value for hook, value in seen if hook == "on_epoch_end"]
    np.testing.assert_array_equal(found, [after for _, after in states])
    found = [value for hook, value in seen if hook == "on_epoch_begin"]
    np.testing.assert_array_equal(found[1:], [before for before, _ in states[:-1]])
    np.testing.assert_array_equal(kernel(model), states[-1][1])
    np.testing.assert_array_equal(average(model), states[-1][1])


def test_a_training_that_is_stopped_ends_with_the_average():
    """In Keras it ends with the weights, as after no swap at all."""
    states = reference(2)
    model = make()
    stop = LambdaCallback(on_epoch_end=lambda epoch, logs: setattr(model, "stop_training", epoch == 1))
    watch(model, SwapEMAWeights(swap_on_epoch=True), epochs=9, after=[stop])
    np.testing.assert_array_equal(kernel(model), states[-1][1])


def test_evaluate_and_predict():
    """Keras does not swap back after predict."""
    model, swap = make(), SwapEMAWeights()
    for _ in range(3):
        model.train_on_batch(X, Y)
    before, after = kernel(model), average(model)
    assert np.abs(before - after).max() > 1e-3
    np.testing.assert_allclose(model.predict(X, verbose=0, callbacks=[swap]), X @ after, rtol=1e-5)
    np.testing.assert_array_equal(kernel(model), before)
    expected = np.mean((X @ after - Y) ** 2)
    assert model.evaluate(X, Y, verbose=0, callbacks=[swap]) == pytest.approx(expected, rel=1e-5)
    np.testing.assert_array_equal(kernel(model), before)
    np.testing.assert_array_equal(average(model), after)


def test_the_weights_come_back_when_the_run_is_interrupted():
    def interrupt(batch, logs):
        raise KeyboardInterrupt

    model = make()
    model.train_on_batch(X, Y)
    model.train_on_batch(X, Y)
    before = kernel(model)
    with pytest.raises(KeyboardInterrupt):
        model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights(), LambdaCallback(on_test_batch_end=interrupt)])
    np.testing.assert_array_equal(kernel(model), before)


def test_several_optimizers():
    """Those that keep an average are swapped, the others left alone."""
    optimizers, layers = minikeras.optimizers, minikeras.layers
    model = minikeras.Sequential([layers.Dense(2, name="first"), layers.Dense(1, name="last")], name="net")
    both = optimizers.OptimizerMap(optimizers.SGD(0.1), {"net/last/.*": optimizers.SGD(0.1, use_ema=True)})
    model.compile(optimizers.MultiOptimizer(both), "mse", input_shape=(4,))
    for _ in range(3):
        model.train_on_batch(X, Y)
    before, seen = model.get_weights(), []
    look = LambdaCallback(on_test_begin=lambda logs: seen.extend(model.get_weights()))
    model.evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights(), look])
    assert [np.array_equal(a, b) for a, b in zip(before, seen)] == [True, True, False, False]
    for a, b in zip(before, model.get_weights()):
        np.testing.assert_array_equal(a, b)


def test_optimizers_without_an_average():
    model = make(use_ema=False)
    before = kernel(model)
    with pytest.raises(ValueError, match="SwapEMAWeights needs an optimizer .*use_ema=True"):
        model.fit(X, Y, verbose=0, callbacks=[SwapEMAWeights(), EarlyStopping("loss")])
    np.testing.assert_array_equal(kernel(model), before)


def test_optimizers_that_have_taken_no_step():
    with pytest.raises(ValueError, match=r"has none yet: call fit\(\) first"):
        make().evaluate(X, Y, verbose=0, callbacks=[SwapEMAWeights()])
