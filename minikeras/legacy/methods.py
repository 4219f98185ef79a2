"""What models, optimizers and logs had once: `fit_generator`, `predict_classes`, `optimizer.lr`, ``history["acc"]``."""

import functools
import itertools

from minikeras.legacy.warning import deprecate

# Old keyword -> the present one, of the methods that take generators; what `mend` knows comes on top.
GENERATOR = {"generator": "x", "val_samples": "steps"}


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


def fit_generator(
    model, generator, steps_per_epoch=None, epochs=1, verbose=1, callbacks=None, validation_data=None,
    validation_steps=None, validation_freq=1, class_weight=None, max_queue_size=10, workers=1,
    use_multiprocessing=False, shuffle=True, initial_epoch=0, **old,
):  # fmt: skip
    """Train on a generator. In Keras 1 ``samples_per_epoch`` and ``nb_val_samples`` counted rows, not batches."""
    deprecate("`fit_generator(generator)` is an old method: use `model.fit(generator)`")
    epochs = _take(old, "nb_epoch", epochs)
    generator, steps_per_epoch = _steps(old, "samples_per_epoch", generator, steps_per_epoch, "steps_per_epoch")
    validation_data, validation_steps = _steps(
        old, "nb_val_samples", validation_data, validation_steps, "validation_steps"
    )
    _refuse(old, "fit_generator")
    return model.fit(
        generator, epochs=epochs, verbose=verbose, callbacks=callbacks, validation_data=validation_data,
        shuffle=shuffle, class_weight=class_weight, initial_epoch=initial_epoch, steps_per_epoch=steps_per_epoch,
        validation_steps=validation_steps, validation_freq=validation_freq,
    )  # fmt: skip


def evaluate_generator(
    model, generator, steps=None, callbacks=None, max_queue_size=10, workers=1, use_multiprocessing=False, verbose=0,
    **old,
):  # fmt: skip
    """Evaluate on a generator; ``val_samples`` of Keras 1 counted rows."""
    deprecate("`evaluate_generator(generator)` is an old method: use `model.evaluate(generator)`")
    generator, steps = _steps(old, "val_samples", generator, steps, "steps")
    _refuse(old, "evaluate_generator")
    return model.evaluate(generator, steps=steps, callbacks=callbacks, verbose=verbose)


def predict_generator(
    model, generator, steps=None, callbacks=None, max_queue_size=10, workers=1, use_multiprocessing=False, verbose=0,
    **old,
):  # fmt: skip
    """Predict on a generator; ``val_samples`` of Keras 1 counted rows."""
    deprecate("`predict_generator(generator)` is an old method: use `model.predict(generator)`")
    generator, steps = _steps(old, "val_samples", generator, steps, "steps")
    _refuse(old, "predict_generator")
    return model.predict(generator, steps=steps, callbacks=callbacks, verbose=verbose)


METHODS = {
    function.__name__: function
    for function in (predict_classes, predict_proba, fit_generator, evaluate_generator, predict_generator)
}


def _take(old, name, default):
    return old.pop(name) if name in old else default


def _steps(old, name, batches, steps, present):
    """Return the batches and how many of them hold as many rows as the old argument says."""
    if name not in old:
        return batches, steps
    rows = old.pop(name)
    if steps is not None:
        raise TypeError(f"Received both `{name}`, an old spelling that counts rows, and `{present}`: give `{present}`")
    deprecate(f"`{name}` is an old spelling: use `{present}`, which counts batches, not rows")
    if rows is None or isinstance(batches, tuple):
        return batches, None  # arrays are taken whole
    size = getattr(batches, "batch_size", None)
    if size is None and hasattr(batches, "__getitem__"):
        size = len(_inputs(batches[0]))
    elif size is None:
        first = next(batches)
        size, batches = len(_inputs(first)), itertools.chain([first], batches)
    return batches, -(-int(rows) // size)


def _inputs(batch):
    return batch[0] if isinstance(batch, tuple) else batch


def _refuse(old, method):
    from minikeras.legacy.arguments import LOOPS

    unknown = [name for name in old if name not in LOOPS]
    if unknown:
        raise TypeError(f"{method}() got an unexpected keyword argument {unknown[0]!r}")


def base_rate(optimizer):
    """``optimizer.lr``: the learning rate, of one with `decay` the one at the start."""
    deprecate("`optimizer.lr` is an old name: use `optimizer.learning_rate`")
    return optimizer.learning_rate


def set_base_rate(optimizer, value):
    deprecate("`optimizer.lr` is an old name: use `optimizer.learning_rate`")
    optimizer.learning_rate = value


def old_key(logs, key):
    """Return the present name of an entry of the logs, or None: ``"val_acc"`` is ``"val_accuracy"``."""
    prefix, _, name = key.rpartition("val_") if isinstance(key, str) else ("", "", "")
    present = f"{key[: len(key) - len(name)]}accuracy"
    if name != "acc" or present not in logs:
        return None
    deprecate(f"`{key}` is an old name in the logs: use `{present}`, or compile(metrics=['acc'])")
    return present
