"""Threads: shares of a batch on a few long-lived threads, with BLAS held to one thread meanwhile.

NumPy releases the interpreter lock in ufuncs, copies and BLAS, so threads compute at the same time. Handing work to
another thread and waiting for it wakes a sleeping core, which takes as long as a small layer: so a batch is cut into
one share a thread, and each thread takes its share through neighbouring layers that have enough to do (see
`stack.py`), in place of cutting every layer by itself.
"""

import contextlib
import functools
import os
import threading
from queue import SimpleQueue

import numpy as np

_state = threading.local()  # .share: which share of the batch this thread works on
_workers = []
_num_threads = None
_workers_pid = None
_lock = threading.Lock()
_step_lock = threading.RLock()
_blas = None
_blas_depth = 0
_blas_before = []


def num_threads():
    """Return how many threads a step may use: the cores this process may run on, unless set otherwise."""
    global _num_threads
    if _num_threads is None:
        limit = os.environ.get("MINIKERAS_NUM_THREADS")
        if limit is not None and not (limit.isdigit() and int(limit) > 0):
            raise ValueError(f"MINIKERAS_NUM_THREADS must be a positive integer. Received: {limit!r}")
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        _num_threads = int(limit) if limit else available
    return _num_threads


def set_num_threads(n):
    """Set how many threads a step may use, a positive integer; ``None`` for the cores this process may run on."""
    global _num_threads
    if n is not None and (isinstance(n, bool) or not isinstance(n, int) or n <= 0):
        raise ValueError(f"`n` must be a positive integer or None. Received: {n!r}")
    _num_threads = n


def current_share():
    """Return the number of the share that the calling thread works on, 0 outside of `run_shares`."""
    return getattr(_state, "share", 0)


class _Worker(threading.Thread):
    """A thread that waits for one call at a time."""

    def __init__(self):
        super().__init__(daemon=True, name="minikeras")
        self.tasks = SimpleQueue()
        self.start()

    def run(self):
        np.seterr(over="ignore", divide="ignore", invalid="ignore")  # settings are a thread's own; training says more
        while True:
            call, share, done = self.tasks.get()
            _state.share = share
            try:
                call()
            except BaseException as error:  # handed to the caller, who raises it
                done.put(error)
            else:
                done.put(None)
            del call  # let go of the arrays while waiting


def run_shares(run, bounds):
    """Call ``run(share, start, stop)`` for each pair of neighbours in ``bounds``, each on a thread of its own.

    The first share runs on the calling thread. Inside a share, nested calls run one after the other.
    """
    shares = len(bounds) - 1
    if shares == 1 or getattr(_state, "busy", False):
        for share in range(shares):
            run(share, bounds[share], bounds[share + 1])
        return
    done = SimpleQueue()
    with _lock:
        workers = _get_workers(shares - 1)
        for share in range(1, shares):
            call = _Share(run, share, bounds[share], bounds[share + 1])
            workers[share - 1].tasks.put((call, share, done))
    errors = []
    _state.busy = True
    try:
        run(0, bounds[0], bounds[1])
    finally:
        _state.busy = False
        for _ in range(shares - 1):  # never leave while a thread still writes into the caller's arrays
            errors.append(done.get())
    for error in errors:
        if error is not None:
            raise error


class _Share:
    """A call with its arguments; `busy` keeps nested calls on the same thread."""

    def __init__(self, *arguments):
        self.arguments = arguments

    def __call__(self):
        run, share, start, stop = self.arguments
        _state.busy = True
        run(share, start, stop)


def split(n, shares, multiple=1):
    """Return ``shares + 1`` bounds that cut range(n) into nearly equal parts, multiples of ``multiple``."""
    blocks = -(-n // multiple)
    return [min(n, multiple * (blocks * i // shares)) for i in range(shares + 1)]


def _get_workers(n):
    global _workers_pid
    if _workers_pid != os.getpid():  # threads do not survive a fork
        _workers_pid = os.getpid()
        _workers.clear()
    while len(_workers) < n:
        _workers.append(_Worker())
    return _workers


def one_at_a_time(method):
    """Decorator: one call at a time in this process, whichever thread makes it. Layers reuse their arrays from batch to
    batch, and models may share layers."""

    @functools.wraps(method)
    def locked(*args, **kwargs):
        with _step_lock:
            return method(*args, **kwargs)

    return locked


@contextlib.contextmanager
def single_threaded_blas():
    """Hold BLAS to one thread: ours share the cores already. May be nested and entered from several threads."""
    global _blas, _blas_depth, _blas_before
    with _lock:
        if _blas is None:
            from threadpoolctl import ThreadpoolController

            _blas = ThreadpoolController().select(user_api="blas").lib_controllers
        if _blas_depth == 0:
            _blas_before = [library.get_num_threads() for library in _blas]
            for library in _blas:
                library.set_num_threads(1)
        _blas_depth += 1
    try:
        yield
    finally:
        with _lock:
            _blas_depth -= 1
            if _blas_depth == 0:
                for library, before in zip(_blas, _blas_before):
                    library.set_num_threads(before)
