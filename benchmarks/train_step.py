"""Time of one training step: minikeras beside PyTorch and Keras on PyTorch.

    python benchmarks/train_step.py [--networks lenet cifar] [--batches 32 128] [--rounds 7] [--force]

Each of them runs in a process of its own, all cores each, and they take turns, so that a slower minute of the machine
hits all alike. A turn that other programs disturb is repeated (where /proc tells: PyTorch slows down tenfold when its
threads have to wait for a core). A step is forward, loss, backward, Adam's update, on the same float32 batches:

    minikeras   model.train_on_batch(x, y)
    PyTorch     a plain loop: zero_grad, loss, backward, step; in both memory formats, the faster one counts
    Keras       model.train_on_batch(x, y) of Keras on the PyTorch backend

The table has the median of each one's milliseconds, and the medians of the ratios within the rounds: above 1, minikeras
is the faster one. Without PyTorch or Keras (`pip install '.[parity]'`) their columns stay empty.
"""

import argparse
import importlib.util
import os
import pathlib
import statistics
import subprocess
import sys
import time

import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent
SHAPES = {"lenet": (28, 28, 1), "cifar": (32, 32, 3)}
RUNNERS = ("minikeras", "torch_nchw", "torch_nhwc", "keras")
WARM_UP, SECONDS = 0.15, 0.6  # for each turn
DISTURBED, TRIES = 0.08, 20  # what part of a turn's time other programs may take; how often to try for less
CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def make_batches(network, size):
    """Four batches of random images and labels."""
    rng = np.random.default_rng(0)
    return [
        (rng.random((size, *SHAPES[network]), dtype=np.float32), rng.integers(0, 10, size, dtype=np.int64))
        for _ in range(4)
    ]


# Each runner is a function of (network, batches) that returns step(i).


def keras_step(keras, network, batches):
    layers = keras.layers
    if network == "lenet":
        stack = [
            layers.Conv2D(6, 5, padding="same", activation="tanh"), layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"), layers.AveragePooling2D(2),
            layers.Flatten(), layers.Dense(120, activation="tanh"), layers.Dense(84, activation="tanh"),
        ]  # fmt: skip
    else:
        stack = [
            layers.Conv2D(32, 3, padding="same", activation="relu"),
            layers.Conv2D(32, 3, padding="same", activation="relu"), layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, padding="same", activation="relu"),
            layers.Conv2D(64, 3, padding="same", activation="relu"), layers.MaxPooling2D(2),
            layers.Flatten(), layers.Dense(512, activation="relu"),
        ]  # fmt: skip
    model = keras.Sequential([keras.Input(SHAPES[network]), *stack, layers.Dense(10, activation="softmax")])
    model.compile("adam", "sparse_categorical_crossentropy")
    return lambda i: model.train_on_batch(*batches[i % len(batches)])


def minikeras(network, batches):
    import minikeras

    return keras_step(minikeras, network, batches)


def keras(network, batches):
    os.environ["KERAS_BACKEND"] = "torch"
    import keras
    import torch

    torch.set_num_threads(CORES)
    return keras_step(keras, network, batches)


def torch_nchw(network, batches, memory_format="contiguous_format"):
    import torch
    from torch import nn

    torch.set_num_threads(CORES)
    if network == "lenet":
        stack = [
            nn.Conv2d(1, 6, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2), nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2),
            nn.Flatten(), nn.Linear(400, 120), nn.Tanh(), nn.Linear(120, 84), nn.Tanh(), nn.Linear(84, 10),
        ]  # fmt: skip
    else:
        stack = [
            nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Flatten(), nn.Linear(4096, 512), nn.ReLU(), nn.Linear(512, 10),
        ]  # fmt: skip
    memory_format = getattr(torch, memory_format)
    model = nn.Sequential(*stack).to(memory_format=memory_format)
    criterion, optimizer = nn.CrossEntropyLoss(), torch.optim.Adam(model.parameters())
    tensors = [
        (torch.tensor(x.transpose(0, 3, 1, 2).copy()).to(memory_format=memory_format), torch.tensor(y))
        for x, y in batches
    ]

    def step(i):
        x, y = tensors[i % len(tensors)]
        optimizer.zero_grad()
        criterion(model(x), y).backward()
        optimizer.step()

    return step


def torch_nhwc(network, batches):
    return torch_nchw(network, batches, "channels_last")


def work(runner, network, size):
    """In a process of its own: at each line of input, run for a moment and print the median milliseconds of a step and
    what part of the time other programs ran."""
    step = globals()[runner](network, make_batches(network, size))
    step(0)
    print("ready", flush=True)
    for _ in sys.stdin:
        run(step, WARM_UP)
        start, others = time.perf_counter(), busy() - time.process_time()
        times = run(step, SECONDS)
        others = (busy() - time.process_time() - others) / (time.perf_counter() - start)
        print(1000 * statistics.median(times), others, flush=True)


def run(step, seconds):
    """Return the times of at least three steps."""
    times = []
    start = time.perf_counter()
    while time.perf_counter() - start < seconds or len(times) < 3:
        before = time.perf_counter()
        step(len(times))
        times.append(time.perf_counter() - before)
    return times


def busy():
    """Seconds that all programs together have run, or what this one has, where the system does not say."""
    try:
        with open("/proc/stat") as file:
            user, nice, system, _, _, *rest = map(int, file.readline().split()[1:9])
    except OSError:
        return time.process_time()
    return (user + nice + system + sum(rest)) / os.sysconf("SC_CLK_TCK")


class Worker:
    """One runner in its process."""

    def __init__(self, runner, network, size):
        self.process = subprocess.Popen(
            [sys.executable, __file__, "--work", runner, network, str(size)],
            env={**os.environ, "PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.times = []
        self.read()

    def read(self):
        line = self.process.stdout.readline()
        if not line:
            sys.exit(f"{' '.join(self.process.args[-3:])} ended with status {self.process.wait()}")
        return line

    def take_turn(self):
        for _ in range(TRIES):
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
            milliseconds, others = map(float, self.read().split())
            if others < DISTURBED:
                break
            time.sleep(1)
        else:
            print(f"warning: other programs took {others:.0%} of a core's time", file=sys.stderr)
        self.times.append(milliseconds)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()


def measure(network, size, runners, rounds):
    """Return {runner: [milliseconds of each round]}."""
    workers = {}
    try:
        for runner in runners:
            workers[runner] = Worker(runner, network, size)
        for _ in range(rounds):
            for worker in workers.values():
                worker.take_turn()
    finally:
        for worker in workers.values():
            worker.stop()
    return {runner: worker.times for runner, worker in workers.items()}


def report(network, size, times):
    """Print a line of the table."""
    torch = min((r for r in times if r.startswith("torch")), key=lambda r: statistics.median(times[r]), default=None)
    line = f"{network:8}{size:6}{statistics.median(times['minikeras']):11.2f}"
    ratios = ""
    for runner in (torch, "keras"):
        if runner not in times:
            line, ratios = line + f"{'-':>9}", ratios + f"{'-':>19}"
            continue
        line += f"{statistics.median(times[runner]):9.2f}"
        ratios += f"{statistics.median(b / a for a, b in zip(times['minikeras'], times[runner])):19.2f}"
    print(line + ratios + (f"   ({torch[-4:].upper()})" if torch else ""), flush=True)


def check_load(force):
    """Refuse to measure on a busy machine."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0
    if load > 0.25 * CORES:
        text = f"the machine is busy: load {load:.2f} on {CORES} cores in the last minute"
        if not force:
            sys.exit(f"{text}. Wait, or measure all the same with --force")
        print(f"warning: {text}")


def main():
    if sys.argv[1:2] == ["--work"]:
        runner, network, size = sys.argv[2:]
        return work(runner, network, int(size))
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--networks", nargs="+", choices=SHAPES, default=list(SHAPES))
    parser.add_argument("--batches", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--force", action="store_true", help="measure on a busy machine, too")
    options = parser.parse_args()
    check_load(options.force)
    runners = [r for r in RUNNERS if importlib.util.find_spec(r.split("_")[0]) or r == "minikeras"]
    print(f"one training step on {CORES} cores, medians of {options.rounds} rounds")
    print("                   milliseconds                 times as fast as")
    print("network  batch  minikeras  PyTorch    Keras            PyTorch              Keras   (PyTorch's format)")
    for network in options.networks:
        for size in options.batches:
            report(network, size, measure(network, size, runners, options.rounds))


if __name__ == "__main__":
    main()
