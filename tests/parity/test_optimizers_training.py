"""Training with averages, accumulated gradients, schedules and pauses, beside Keras'."""

import numpy as np
import pytest
from optimizer_cases import AVERAGED, DEFAULTS

import minikeras

RNG = np.random.default_rng(0)
X = RNG.normal(size=(24, 6, 6, 1)).astype("float32")
Y = RNG.normal(size=(24, 3)).astype("float32")


def make_both(keras, optimizer):
    keras.utils.set_random_seed(0)
    models = []
    for k in (keras, minikeras):
        layers = [
            k.layers.Conv2D(2, 3, activation="relu", kernel_constraint=k.constraints.MaxNorm(1.0)),
            k.layers.BatchNormalization(),
            k.layers.Flatten(),
            k.layers.Dense(3, kernel_regularizer=k.regularizers.L2(0.01)),
        ]
        models.append(k.Sequential([k.Input((6, 6, 1)), *layers]))
        models[-1].compile(optimizer(k.optimizers), "mse")
    theirs, ours = models
    ours.set_weights([w.numpy() for w in theirs.weights])
    return ours, theirs


def fit_both(ours, theirs, callbacks=lambda k: []):
    import keras

    logs = []
    for model, k in ((ours, minikeras), (theirs, keras)):
        history = model.fit(X, Y, batch_size=4, epochs=3, shuffle=False, verbose=0, callbacks=callbacks(k))
        logs.append(history.history)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        assert np.max(np.abs(mine - other)) <= 5e-5 * np.max(np.abs(other))
    return logs


@pytest.mark.parametrize("shared", [{}, *AVERAGED], ids=str)
@pytest.mark.parametrize("name", ["SGD", "Nadam", "Lamb"])
def test_fit(keras, name, shared):
    ours, theirs = fit = make_both(keras, lambda o: getattr(o, name)(learning_rate=0.01, **shared))
    logs = fit_both(*fit)
    np.testing.assert_allclose(logs[0]["loss"], logs[1]["loss"], rtol=2e-5)
    assert int(ours.optimizer.iterations) == int(theirs.optimizer.iterations)


@pytest.mark.parametrize("name", [name for name, _ in DEFAULTS if name not in ("SGD", "Nadam", "Lamb", "Ftrl")])
def test_fit_of_the_others(keras, name):
    fit_both(*make_both(keras, lambda o: getattr(o, name)(learning_rate=0.01)))


def test_fit_with_a_schedule(keras):
    fit = make_both(keras, lambda o: o.Adam(o.schedules.CosineDecay(0.0, 9, warmup_target=0.05, warmup_steps=4)))
    fit_both(*fit)


def test_fit_with_pauses(keras):
    rates = [0.0, 0.05, 0.01]
    logs = fit_both(
        *make_both(keras, lambda o: o.Adam(0.1)),
        lambda k: [k.callbacks.LearningRateScheduler(lambda epoch, rate: rates[epoch])],
    )
    assert logs[0]["learning_rate"] == pytest.approx(rates)
    assert logs[1]["learning_rate"] == pytest.approx(rates)


def test_fit_with_several_optimizers(keras):
    fit_both(*make_both(keras, lambda o: o.MultiOptimizer(o.OptimizerMap(o.Adam(0.05), {".*bias": o.SGD(0.1, 0.9)}))))
