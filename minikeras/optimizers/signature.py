"""Signatures: the leaf classes hand what all optimizers take on as ``*args, **kwargs``; `inspect` shows it in full."""


class FullSignature:
    """Descriptor for ``__signature__``: the constructor's arguments, with those of the base class for ``*args``."""

    def __get__(self, instance, cls):
        from inspect import Parameter, Signature, signature

        parameters = {}
        for owner in cls.__mro__:
            if "__init__" not in vars(owner):
                continue
            own = list(signature(owner.__init__).parameters.values())[1:]
            parameters |= {p.name: p for p in own if p.name not in parameters}
            if not any(p.kind is Parameter.VAR_POSITIONAL for p in own):
                break
        shown = [p for p in parameters.values() if p.kind is not Parameter.VAR_POSITIONAL]
        return Signature(sorted(shown, key=lambda p: p.kind))  # **kwargs last
