"""What models, optimizers and logs had once: `fit_generator`, `predict_classes`, `optimizer.lr`, ``history["acc"]``."""

import functools
import itertools

from minikeras.legacy.warning import deprecate
from minikeras.optimizers import schedules
from minikeras.optimizers.numbers import Number

FIT_GENERATOR = (
    "steps_per_epoch", "epochs", "verbose", "callbacks", "validation_data", "validation_steps",
)  # fmt: skip
LOOP = ("steps",)
KERAS_1 = {"nb_epoch", "samples_per_epoch", "nb_val_samples", "max_q_size", "nb_worker", "pickle_safe"}


def old_method(model, name):
    """Return a method of a model that Keras had once."""
    method = METHODS.get(name)
    if method is None:
        raise AttributeError(f"{type(model).__name__!r} object has no attribute {name!r}")
    return functools.partial(method, model)


def predict_classes(model, x, batch_size=None, verbose=0):
    """Return the number of the class of each row."""
    deprecate(
        "`predict_classes(x)` is an old method: use `model.predict(x).argmax(axis=-1)`, or with one output "
        "`(model.predict(x) > 0.5).astype('int32')`"
    )
    outputs = model.predict(x, batch_size=batch_size, verbose=verbose)
    return outputs.argmax(axis=-1) if outputs.shape[-1] > 1 else (outputs > 0.5).astype("int32")


def predict_proba(model, x, batch_size=None, verbose=0):
    deprecate("`predict_proba(x)` is an old method: use `model.predict(x)`")
    return model.predict(x, batch_size=batch_size, verbose=verbose)


def fit_generator(model, generator, *args, **kwargs):
    """Train on a generator. In Keras 1 ``samples_per_epoch`` and ``nb_val_samples`` counted rows, not batches."""
    deprecate("`fit_generator(generator)` is an old method: use `model.fit(generator)`")
    names = FIT_GENERATOR
    if KERAS_1 & kwargs.keys():
        names = ("samples_per_epoch", "nb_epoch", *FIT_GENERATOR[2:])
    _bind("fit_generator", names, args, kwargs)
    if "nb_epoch" in kwargs:
        if "epochs" in kwargs:
            raise TypeError("fit_generator got both `nb_epoch`, an old spelling, and `epochs`: give `epochs` alone")
        deprecate("`nb_epoch` of fit_generator is an old spelling: use `epochs`")
        kwargs["epochs"] = kwargs.pop("nb_epoch")
    generator = _count_batches(kwargs, "samples_per_epoch", generator, "steps_per_epoch")
    if "nb_val_samples" in kwargs:
        data = kwargs.get("validation_data")
        kwargs["validation_data"] = _count_batches(kwargs, "nb_val_samples", data, "validation_steps")
    generator = _endless(generator, kwargs.get("steps_per_epoch"), kwargs.get("shuffle", True))
    return model.fit(generator, **kwargs)


def evaluate_generator(model, generator, *args, **kwargs):
    """Evaluate on a generator; ``val_samples`` of Keras 1 counted rows."""
    deprecate("`evaluate_generator(generator)` is an old method: use `model.evaluate(generator)`")
    return model.evaluate(*_loop("evaluate_generator", generator, args, kwargs), **kwargs)


def predict_generator(model, generator, *args, **kwargs):
    """Predict on a generator; ``val_samples`` of Keras 1 counted rows."""
    deprecate("`predict_generator(generator)` is an old method: use `model.predict(generator)`")
    return model.predict(*_loop("predict_generator", generator, args, kwargs), **kwargs)


def reset_states(model):
    """Let all stateful layers start from zeros again."""
    deprecate("`model.reset_states()` is an old method: use `layer.reset_state()` of each stateful layer")
    for layer in model.leaves():
        if hasattr(layer, "reset_state"):
            layer.reset_state()


METHODS = {
    function.__name__: function
    for function in (
        predict_classes, predict_proba, fit_generator, evaluate_generator, predict_generator, reset_states,
    )
}  # fmt: skip


def _loop(method, generator, args, kwargs):
    _bind(method, LOOP, args, kwargs)
    kwargs.setdefault("verbose", 0)
    return (_count_batches(kwargs, "val_samples", generator, "steps"),)


def _bind(method, names, args, kwargs):
    """Give arguments their names, and leave those out that said how batches are made."""
    from minikeras.legacy.arguments import LOOPS

    if len(args) > len(names):
        raise TypeError(f"{method} takes at most {len(names) + 1} arguments. Received {len(args) + 1}")
    for name, value in zip(names, args):
        if name in kwargs:
            raise TypeError(f"{method} got multiple values for argument {name!r}")
        kwargs[name] = value
    for name in LOOPS:
        kwargs.pop(name, None)


def _count_batches(kwargs, name, batches, present):
    """Return the batches, and set how many of them hold as many rows as the old argument says."""
    if name not in kwargs:
        return batches
    if present in kwargs:
        raise TypeError(f"Received both `{name}`, an old spelling that counts rows, and `{present}`: give `{present}`")
    deprecate(f"`{name}` is an old spelling: use `{present}`, which counts batches, not rows")
    rows = kwargs.pop(name)
    if rows is None or batches is None or isinstance(batches, (tuple, list)):
        return batches  # arrays are taken whole
    size = getattr(batches, "batch_size", None)
    if size is None and hasattr(batches, "__getitem__"):
        size = len(_inputs(batches[0]))
    elif size is None:
        first = next(batches)
        size, batches = len(_inputs(first)), itertools.chain([first], batches)
    kwargs[present] = -(-int(rows) // size)
    return batches


def _endless(batches, steps, shuffle):
    """Let a data set start over where it ends, in the middle of an epoch: `fit` ends the epoch there."""
    from minikeras import config, data

    if steps is None or not data.is_dataset(batches) or not hasattr(batches, "__len__") or steps == len(batches):
        return batches

    def generate():
        order = config.make_generator() if shuffle else None
        while True:
            count = len(batches)
            for i in range(count) if order is None else order.permutation(count):
                yield batches[int(i)]
            getattr(batches, "on_epoch_end", lambda: None)()

    return generate()


def _inputs(batch):
    return batch[0] if isinstance(batch, tuple) else batch


class BaseRate(Number):
    """The rate that an optimizer with `decay` started from: what its ``lr`` was."""

    def assign(self, value):
        set_base_rate(self.optimizer, value)


def base_rate(optimizer):
    """``optimizer.lr``: the learning rate; with `decay`, the one at the start."""
    deprecate("`optimizer.lr` is an old name: use `optimizer.learning_rate`")
    if not _decays(optimizer):
        return optimizer.learning_rate
    rate = BaseRate(optimizer._learning_rate.initial_learning_rate)
    rate.optimizer = optimizer
    return rate


def set_base_rate(optimizer, value):
    deprecate("`optimizer.lr` is an old name: use `optimizer.learning_rate`")
    if _decays(optimizer):
        value = schedules.InverseTimeDecay(value, 1, optimizer._learning_rate.decay_rate)
        value.of_decay = True
    optimizer.learning_rate = value


def _decays(optimizer):
    """Whether the learning rate is what `decay` makes of it."""
    rate = optimizer._learning_rate
    return type(rate) is schedules.InverseTimeDecay and rate.decay_steps == 1 and not rate.staircase


def old_key(logs, key):
    """Return the present name of an entry of the logs, or None: ``"val_acc"`` is ``"val_accuracy"``."""
    prefix, _, name = key.rpartition("val_") if isinstance(key, str) else ("", "", "")
    present = f"{key[: len(key) - len(name)]}accuracy"
    if name != "acc" or present not in logs:
        return None
    deprecate(f"`{key}` is an old name in the logs: use `{present}`, or compile(metrics=['acc'])")
    return present
