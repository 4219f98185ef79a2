"""Every optimizer against a slow restatement of its formula, in double precision, with every option."""

import numpy as np
import pytest
from optimizer_cases import CONFIGS, SHARED, gradients, make, make_variables, train

from minikeras import config, optimizers


@pytest.fixture
def float64():
    config.set_floatx("float64")
    yield
    config.set_floatx("float32")


# The formulas once more, as the papers have them: (w, g, state, t, arguments) -> w.


def mean(state, name, value, part):
    """Let a running mean follow."""
    state[name] = (1 - part) * state.get(name, 0.0) + part * value
    return state[name]


def slow_sgd(w, g, state, t, learning_rate, momentum=0.0, nesterov=False):
    if not momentum:
        return w - learning_rate * g
    state["m"] = momentum * state.get("m", 0.0) - learning_rate * g
    return w + momentum * state["m"] - learning_rate * g if nesterov else w + state["m"]


def slow_rmsprop(w, g, state, t, learning_rate, rho=0.9, momentum=0.0, epsilon=1e-7, centered=False):
    variance = mean(state, "v", g**2, 1 - rho)
    if centered:
        variance = variance - mean(state, "a", g, 1 - rho) ** 2
    state["m"] = momentum * state.get("m", 0.0) + learning_rate * g / (variance + epsilon) ** 0.5
    return w - state["m"]


def slow_adagrad(w, g, state, t, learning_rate, initial_accumulator_value=0.1, epsilon=1e-7):
    state["a"] = state.get("a", initial_accumulator_value) + g**2
    return w - learning_rate * g / (state["a"] + epsilon) ** 0.5


def slow_adadelta(w, g, state, t, learning_rate, rho=0.95, epsilon=1e-7):
    root = (mean(state, "g", g**2, 1 - rho) + epsilon) ** 0.5
    step = (state.get("d", 0.0) + epsilon) ** 0.5 / root * g
    mean(state, "d", step**2, 1 - rho)
    return w - learning_rate * step


def slow_adam(w, g, state, t, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7, amsgrad=False):
    m, v = mean(state, "m", g, 1 - beta_1), mean(state, "v", g**2, 1 - beta_2)
    state["v_hat"] = np.maximum(state.get("v_hat", 0.0), v) if amsgrad else v
    # Algorithm 1 of the paper, whose epsilon is this one / sqrt(1 - beta_2^t).
    root = (1 - beta_2**t) ** 0.5
    return w - learning_rate * (m / (1 - beta_1**t)) / ((state["v_hat"] ** 0.5 + epsilon) / root)


def slow_adamax(w, g, state, t, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = mean(state, "m", g, 1 - beta_1)
    state["u"] = np.maximum(beta_2 * state.get("u", 0.0), abs(g))
    return w - learning_rate / (1 - beta_1**t) * m / (state["u"] + epsilon)


def slow_nadam(w, g, state, t, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    u = [beta_1 * (1 - 0.5 * 0.96**i) for i in range(1, t + 2)]
    m, v = mean(state, "m", g, 1 - beta_1), mean(state, "v", g**2, 1 - beta_2)
    ahead = u[t] * m / (1 - np.prod(u)) + (1 - u[t - 1]) * g / (1 - np.prod(u[:t]))
    return w - learning_rate * ahead / ((v / (1 - beta_2**t)) ** 0.5 + epsilon)


def slow_lamb(w, g, state, t, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m, v = mean(state, "m", g, 1 - beta_1), mean(state, "v", g**2, 1 - beta_2)
    step = m / (1 - beta_1**t) / ((v / (1 - beta_2**t)) ** 0.5 + epsilon)
    return w - learning_rate * np.linalg.norm(w) * step / np.linalg.norm(step)


def slow_lion(w, g, state, t, learning_rate, beta_1=0.9, beta_2=0.99):
    step = np.sign(beta_1 * state.get("m", 0.0) + (1 - beta_1) * g)
    mean(state, "m", g, 1 - beta_2)
    return w - learning_rate * step


def slow_ftrl(
    w, g, state, t, learning_rate, learning_rate_power=-0.5, initial_accumulator_value=0.1,
    l1_regularization_strength=0.0, l2_regularization_strength=0.0, l2_shrinkage_regularization_strength=0.0, beta=0.0,
):  # fmt: skip
    before = state.get("n", initial_accumulator_value)
    state["n"] = before + g**2
    rate = state["n"] ** -learning_rate_power / learning_rate
    sigma = rate - before**-learning_rate_power / learning_rate
    state["z"] = state.get("z", 0.0) + g + 2 * l2_shrinkage_regularization_strength * w - sigma * w
    excess = np.sign(state["z"]) * np.maximum(abs(state["z"]) - l1_regularization_strength, 0)
    return -excess / (rate + beta / learning_rate + 2 * l2_regularization_strength)


def slow_adafactor(
    w, g, state, t, learning_rate, beta_2_decay=-0.8, epsilon_1=1e-30, epsilon_2=1e-3, clip_threshold=1.0,
    relative_step=True,
):  # fmt: skip
    v = mean(state, "v", g**2 + epsilon_1, t**beta_2_decay)
    if w.ndim >= 2:  # the means of rows and columns are linear, so they can be taken of the mean
        rows, columns = v.mean(axis=-1, keepdims=True), v.mean(axis=-2, keepdims=True)
        v = rows * columns / v.mean(axis=(-1, -2), keepdims=True)
    u = g / v**0.5
    u = u / max(1, (u**2).mean() ** 0.5 / clip_threshold)
    return w - max(epsilon_2, (w**2).mean() ** 0.5) * min(learning_rate, t**-0.5) * u


def slow_muon(
    w, g, state, t, learning_rate, momentum=0.95, nesterov=True, ns_steps=5, muon_a=3.4445, muon_b=-4.7750,
    muon_c=2.0315, rms_rate=0.2, adam_lr_ratio=1, adam_beta_1=0.9, adam_beta_2=0.999, epsilon=1e-7,
    exclude_layers=(), exclude_embeddings=True,
):  # fmt: skip
    if w.ndim != 2 or (exclude_layers and w.shape == (23, 7)):
        return slow_adam(w, g, state, t, learning_rate * adam_lr_ratio, adam_beta_1, adam_beta_2, epsilon)
    state["m"] = momentum * state.get("m", 0.0) + g
    left, s, right = np.linalg.svd(g + momentum * state["m"] if nesterov else state["m"], full_matrices=False)
    s = s / (np.linalg.norm(s) + 1e-7)
    for _ in range(ns_steps):
        s = muon_a * s + muon_b * s**3 + muon_c * s**5
    scale = 1 if rms_rate is None else max(w.shape) ** 0.5 * rms_rate
    return w - learning_rate * scale * left * s @ right


def slow_schedule_free(w, g, state, t, learning_rate, beta_1=0.9, beta_2=0.999, epsilon=1e-8, warmup_steps=0):
    rate = learning_rate * (min(1, t / warmup_steps) if warmup_steps else 1)
    v = mean(state, "v", g**2, 1 - beta_2)
    steps = state.setdefault("m", [w])
    steps.append(steps[-1] - rate * g / ((v / (1 - beta_2**t)) ** 0.5 + epsilon))
    return sum(steps[1:]) / t


SLOW = {
    "SGD": slow_sgd, "RMSprop": slow_rmsprop, "Adagrad": slow_adagrad, "Adadelta": slow_adadelta, "Adam": slow_adam,
    "AdamW": slow_adam, "Adamax": slow_adamax, "Nadam": slow_nadam, "Lamb": slow_lamb, "Lion": slow_lion,
    "Ftrl": slow_ftrl, "Adafactor": slow_adafactor, "Muon": slow_muon, "ScheduleFreeAdamW": slow_schedule_free,
}  # fmt: skip
RATES = {"SGD": 0.01, "ScheduleFreeAdamW": 0.0025}
DECAYS = {"AdamW": 0.004, "Muon": 0.004}


def slow_clip(grads, clipnorm=None, clipvalue=None, global_clipnorm=None):
    def norm(arrays):
        return sum(float((g**2).sum()) for g in arrays) ** 0.5

    if clipnorm:
        return [g * min(1, clipnorm / norm([g])) for g in grads]
    if clipvalue:
        return [np.where(np.abs(g) > clipvalue, np.sign(g) * clipvalue, g) for g in grads]
    if global_clipnorm:
        return [g * min(1, global_clipnorm / norm(grads)) for g in grads]
    return grads


@pytest.mark.parametrize("shared", SHARED, ids=str)
@pytest.mark.parametrize("name, arguments", CONFIGS, ids=str)
def test_formula(name, arguments, shared, float64):
    if name == "ScheduleFreeAdamW" and shared.get("weight_decay"):
        return  # its formula in closed form has no place for the decay
    variables = make_variables("float64")
    expected = [v.numpy() for v in variables]
    values, _ = train(make(name, {**arguments, **shared}), variables)

    arguments = {"learning_rate": RATES.get(name, 0.001), "weight_decay": DECAYS.get(name), **arguments, **shared}
    decay = arguments.pop("weight_decay")
    adam_decay = arguments.pop("adam_weight_decay", 0.004 if name == "Muon" else decay)
    clips = {key: arguments.pop(key) for key in ("clipnorm", "clipvalue", "global_clipnorm") if key in arguments}
    states = [{} for _ in expected]
    for step in range(12):
        grads = slow_clip(gradients(step, variables), **clips)
        for i, (w, g, state) in enumerate(zip(expected, grads, states)):
            matrix = w.ndim == 2 and not (arguments.get("exclude_layers") and w.shape == (23, 7))
            w = w - w * ((decay if matrix else adam_decay) or 0.0) * arguments["learning_rate"]
            expected[i] = SLOW[name](w, g, state, step + 1, **arguments)
    for value, right in zip(values, expected):
        assert np.max(np.abs(value - right)) <= 1e-10 * np.max(np.abs(right))


def test_every_optimizer_has_its_formula():
    kinds = {name for name in optimizers.__all__ if isinstance(getattr(optimizers, name), type)}
    assert kinds - set(SLOW) == {"Optimizer", "MultiOptimizer", "OptimizerMap"}


def test_l1_makes_weights_exactly_zero():
    variables = make_variables()
    values, _ = train(make("Ftrl", {"learning_rate": 0.5, "l1_regularization_strength": 3.0}), variables, steps=2)
    assert 0 < np.mean(values[3] == 0) < 1


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 4)], ids=str)
def test_muon_makes_matrices_nearly_orthogonal(shape):
    x = np.random.default_rng(0).normal(size=shape)
    singular = np.linalg.svd(optimizers.Muon().orthogonal(x), compute_uv=False)
    assert np.all((singular > 0.6) & (singular < 1.3))


@pytest.mark.parametrize("scale", [0.0, 1e-30, 1.0, 1e10, 1e30])
@pytest.mark.parametrize("name, arguments", [c for c in CONFIGS if c[0] != "Ftrl"], ids=str)
def test_steps_are_free_of_warnings_and_small_gradients_are_harmless(name, arguments, scale):
    variables = make_variables()
    optimizer = make(name, arguments)
    with np.errstate(all="warn"):  # which the tests turn into errors
        for step in range(3):
            with np.errstate(over="ignore"):
                grads = [(g * scale).astype("float32") for g in gradients(step, variables)]
            optimizer.apply(grads, variables)
    if scale <= 1e10:
        assert all(np.isfinite(v.value).all() for v in variables)
