"""Old keywords of constructors, methods and functions: what they are called today.

A keyword is old where the present signature does not have it, and means the first of its present names that it has.
"""

from minikeras.legacy.warning import deprecate

KERNEL = ("kernel_{}", "embeddings_{}", "alpha_{}")  # the weight that had the name W, or none at all

LAYERS = {
    "alpha": "negative_slope",
    "output_dim": "units",
    "nb_filter": "filters",
    "filter_length": "kernel_size",
    "border_mode": "padding",
    "subsample": "strides",
    "subsample_length": "strides",
    "stride": "strides",
    "atrous_rate": "dilation_rate",
    "dim_ordering": "data_format",
    "pool_length": "pool_size",
    "length": "size",
    "p": "rate",
    "sigma": "stddev",
    "bias": "use_bias",
    "init": [pattern.format("initializer") for pattern in KERNEL],
    "inner_init": "recurrent_initializer",
    "inner_activation": "recurrent_activation",
    "beta_init": "beta_initializer",
    "gamma_init": "gamma_initializer",
    "depthwise_init": "depthwise_initializer",
    "pointwise_init": "pointwise_initializer",
    "dropout_W": "dropout",
    "dropout_U": "recurrent_dropout",
    **{f"W_{kind}": [pattern.format(kind) for pattern in KERNEL] for kind in ("regularizer", "constraint")},
    **{f"U_{kind}": f"recurrent_{kind}" for kind in ("regularizer", "constraint")},
    **{f"b_{kind}": f"bias_{kind}" for kind in ("regularizer", "constraint")},
}
LOOPS = ("workers", "use_multiprocessing", "max_queue_size", "max_q_size", "nb_worker", "pickle_safe")
RENAMED = {
    "layers": LAYERS,
    "optimizers": {"lr": "learning_rate"},
    "constraints": {"m": "max_value", "low": "min_value", "high": "max_value"},
    "others": {"dim_ordering": "data_format"},
    "models": {"input": "inputs", "output": "outputs"},
    "functions": {
        "dim_ordering": "data_format",
        "nb_classes": "num_classes",
        "nb_epoch": "epochs",
        "nb_words": "num_words",
    },
    "to_categorical": {"y": "x"},
}

# What has no meaning any more where it has one of these values (None: any), and is refused with another.
DROPPED = {
    "layers": {
        "consume_less": (None, "it chose between memory and speed"),
        "mode": ((0,), "only normalization of each feature is left; see LayerNormalization for mode=1"),
        "output_shape": ((None,), "it follows from `strides`, `padding` and `output_padding`"),
        "dropout": ((0, 0.0, None), "put a Dropout or SpatialDropout1D layer behind it"),
    },
    "others": {
        "period": ((1,), "give `save_freq`, 'epoch' or a number of batches"),
        "batch_size": (None, "batches are those of fit"),
        "write_grads": ((False,), "gradients are not kept"),
        "embeddings_layer_names": ((None,), "embeddings are not written"),
        "embeddings_data": ((None,), "embeddings are not written"),
    },
    "optimizers": {
        "jit_compile": (None, "there is nothing to compile"),
        "schedule_decay": ((0.004, None), "Nadam's schedule is fixed to it"),
    },
    "constraints": {},
    "models": {},
    "functions": {
        **dict.fromkeys(LOOPS, (None, "threads are the generator's own: PyDataset(workers=2)")),
        "show_accuracy": ((False, None), "give compile(metrics=['accuracy'])"),
        "class_mode": (None, "the targets and the loss say it"),
        "sample_weight_mode": (None, "the weights' shape says it"),
        "target_tensors": ((None,), "targets are arrays, given to fit"),
        "experimental_run_tf_function": (None, "there is no TensorFlow"),
        "reset_metrics": ((True,), "they are reset at each batch; `fit` gathers them"),
        "by_name": ((False,), "weights are matched by their place in the model: build the same model, or set the "
                    "weights of single layers with layer.set_weights"),
    },
}  # fmt: skip
ONLY = {  # of these alone
    "by_name": ["load_weights"],
    "dropout": ["Embedding"],
    "mode": ["BatchNormalization"],
    "output_shape": ["ConvTranspose", "Conv2DTranspose", "Conv3DTranspose"],
}
VALUES = {"data_format": {"th": "channels_first", "tf": "channels_last", "default": None}}


class Call:
    """A call with old keywords, while it is rewritten.

    Args:
        called: the class or function.
        known: the names of its present arguments, in their order.
        args, kwargs: what it was called with.
        name: of what is called, if another.
    """

    def __init__(self, called, known, args, kwargs, name=None):
        self.called, self.known, self.args, self.kwargs = called, known, list(args), dict(kwargs)
        self.name = name or called.__name__
        self.messages = []

    def is_old(self, keyword):
        return keyword in self.kwargs and keyword not in self.known

    def has_old(self, kind):
        return any(self.is_old(keyword) for table in (RENAMED, DROPPED) for keyword in table[kind])

    def note(self, old, new):
        self.messages.append(f"{old} of {self.name} is an old spelling: {new}")

    def set(self, old, new, value):
        """Let ``value`` be given as ``new``, not as ``old``."""
        if new in self.kwargs or new in self.known[: len(self.args)]:
            raise TypeError(f"{self.name} got both {old}, an old spelling, and `{new}`: give `{new}` alone")
        self.kwargs[new] = value
        self.note(old, f"use `{new}`")

    def rename(self, old, names):
        new = next((name for name in ([names] if isinstance(names, str) else names) if name in self.known), None)
        if new is not None:
            value = self.kwargs.pop(old)
            self.set(f"`{old}`", new, VALUES.get(new, {}).get(value, value) if isinstance(value, str) else value)

    def drop(self, old, allowed, reason):
        value = self.kwargs[old]
        if allowed is not None and value not in allowed:
            raise ValueError(f"`{old}` of {self.name} is not available any more. Received: {old}={value!r}: {reason}")
        del self.kwargs[old]
        self.note(f"`{old}`", f"leave it out ({reason})")


def mend(function, owner, args, kwargs, instance=None):
    """Return the (args, kwargs) of a call in present spelling, with a warning for each that was old; None if none was.

    Args:
        function: what was called with them.
        owner: the class whose constructor it is, and ``instance`` what it was called for.

    Raises:
        TypeError: an old and the present spelling of the same argument. ValueError: what has no present spelling.
    """
    if function.__name__ != "__init__":
        return rewrite(Call(function, _names(function), args, kwargs), "functions")
    kind = getattr(owner, "keras_module", "others").removeprefix("keras.")
    kind = "models" if "Model" in [c.__name__ for c in owner.__mro__] else kind
    known = owner.argument_names() if hasattr(owner, "argument_names") else _names(function)[1:]
    if kind not in RENAMED:
        return None
    call = Call(owner, known, args, kwargs, type(instance).__name__)
    if kind == "layers" and call.is_old("weights"):
        instance.initial_weights = call.kwargs.pop("weights")
        call.note("`weights`", "use `layer.set_weights(weights)` once the model is built")
        if instance.initial_weights is None:
            del instance.initial_weights
    return rewrite(call, kind)


def rewrite(call, kind, is_old=False):
    """Rewrite a `Call`; ``is_old`` if its name says already that it is one of Keras 1."""
    if kind == "layers":
        _collect_kernel(call, getattr(call.called, "rank", None), is_old or call.has_old(kind))
        _collect_shape(call)
        _translate_forget_bias(call)
    for old, names in {**RENAMED[kind], **RENAMED.get(call.name, {})}.items():
        if call.is_old(old):
            call.rename(old, names)
    for old, (allowed, reason) in DROPPED[kind].items():
        if call.is_old(old) and call.called.__name__ in ONLY.get(old, [call.called.__name__]):
            call.drop(old, allowed, reason)
    if kind == "optimizers":
        _translate_decay(call)
        _translate_epsilon(call)
    if not call.messages:
        return None
    deprecate(*call.messages)
    return tuple(call.args), call.kwargs


def _names(function):
    from inspect import Parameter, signature

    kept = [p for p in signature(function).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]
    return [p.name for p in kept]


def _is_size(value):
    return isinstance(value, int) and not isinstance(value, bool)


def _collect_kernel(call, rank, is_old):
    """Convolution2D(32, 3, 3) -> Conv2D(32, (3, 3)), and the same with nb_row and nb_col."""
    if "kernel_size" not in call.known or not rank or rank < 2:
        return
    keywords = ("nb_row", "nb_col") if rank == 2 else ("kernel_dim1", "kernel_dim2", "kernel_dim3")
    given = [keyword for keyword in keywords if keyword in call.kwargs]
    sizes = call.args[1 : 1 + rank - len(given)]
    if not given and not (is_old and len(sizes) == rank and all(map(_is_size, sizes))):
        return
    if given != list(keywords[rank - len(given) :]) or len(sizes) + len(given) != rank:
        raise TypeError(f"{call.name} needs all of {', '.join(keywords)}, or `kernel_size` in their place")
    sizes += [call.kwargs.pop(keyword) for keyword in given]
    del call.args[1 : 1 + rank]
    call.args, rest = call.args[:1], call.args[1:]
    if rest:
        raise TypeError(f"{call.name} got more than {rank + 1} arguments without a name: give the others by name")
    call.set("a size of single integers for the kernel", "kernel_size", tuple(sizes))


def _collect_shape(call):
    """input_dim and input_length -> input_shape: of a layer that takes sequences."""
    if "input_dim" in call.known:  # of an Embedding, which knows both
        return
    if not call.is_old("input_length") and not (call.called.takes_sequences and call.is_old("input_dim")):
        return
    old = " and ".join(f"`{name}`" for name in ("input_length", "input_dim") if name in call.kwargs)
    length, dim = call.kwargs.pop("input_length", None), call.kwargs.pop("input_dim", None)
    if {"input_shape", "batch_input_shape"} & call.kwargs.keys():
        call.note(old, "leave it out, as `input_shape` says it")
    elif dim is None:
        raise TypeError(f"{call.name} got `input_length` without `input_dim`: give `input_shape` in their place")
    else:
        call.set(old, "input_shape", (length, dim))


def _translate_forget_bias(call):
    if call.is_old("forget_bias_init"):
        value = call.kwargs.pop("forget_bias_init")
        if value not in ("one", "ones", "zero", "zeros"):
            raise ValueError(f"`forget_bias_init` of {call.name} must be 'one' or 'zero'. Received: {value!r}")
        call.set("`forget_bias_init`", "unit_forget_bias", value in ("one", "ones"))


def _translate_decay(call):
    """decay -> a schedule: Keras 1 and 2 used learning_rate / (1 + decay * iterations)."""
    if not call.is_old("decay"):
        return
    from minikeras.optimizers.numbers import non_negative
    from minikeras.optimizers.schedules import InverseTimeDecay, LearningRateSchedule

    decay = non_negative(call.kwargs.pop("decay") or 0.0, "decay")
    if not decay:
        call.note("`decay`", "leave it out")
        return
    if call.args:
        rate = call.args.pop(0)
        call.kwargs.update(zip(call.known[1:], call.args))
        call.args = []
    else:
        from inspect import signature

        rate = call.kwargs.pop("learning_rate", signature(call.called).parameters["learning_rate"].default)
    if isinstance(rate, LearningRateSchedule):
        raise TypeError(f"{call.name} got `decay` and a schedule as its `learning_rate`: give the schedule alone")
    call.kwargs["learning_rate"] = schedule = InverseTimeDecay(rate, 1, decay)
    schedule.of_decay = True
    call.note("`decay`", "use `learning_rate=schedules.InverseTimeDecay(learning_rate, 1, decay)`")


def _translate_epsilon(call):
    if "epsilon" in call.known and call.kwargs.get("epsilon", 0) is None:
        from minikeras import config

        call.kwargs["epsilon"] = config.epsilon()
        call.note("`epsilon=None`", "leave it out")
