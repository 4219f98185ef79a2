"""Time of `import minikeras` beside that of `import numpy`, in fresh processes that take turns.

    python benchmarks/import_time.py [--rounds 15]

Prints the medians and their ratio; the aim is at most 2.
"""

import argparse
import os
import pathlib
import statistics
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
CODE = "import time; start = time.perf_counter(); import {}; print(time.perf_counter() - start)"


def seconds(module):
    """Time to import ``module`` in a new process, without the start of Python itself."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)  # users' Python compiles a module once
    command = [sys.executable, "-c", CODE.format(module)]
    return float(subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    modules = ("numpy", "minikeras")
    for module in modules:
        seconds(module)  # fills the disk cache and writes the byte code
    times = {module: [] for module in modules}
    for _ in range(rounds):
        for module in modules:
            times[module].append(seconds(module))
    medians = {module: statistics.median(times[module]) for module in modules}
    for module, median in medians.items():
        print(f"import {module:10} {1000 * median:6.1f} ms")
    print(f"minikeras / numpy  {medians['minikeras'] / medians['numpy']:6.2f}")


if __name__ == "__main__":
    main()
