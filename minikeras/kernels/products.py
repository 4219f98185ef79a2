"""Matrix products on all threads."""

import numpy as np

from minikeras.kernels import threads

SMALL = 1 << 22  # multiplications below which handing work to another thread costs more than it saves


def matmul(a, b, out):
    """Write a @ b into ``out`` (m, n), cut along its longer side into one part a thread."""
    m, n = out.shape
    if m * n * a.shape[1] < SMALL:
        np.matmul(a, b, out=out)
        return
    if m >= n:
        threads.run_shares(
            lambda share, i, j: np.matmul(a[i:j], b, out=out[i:j]), threads.split(m, threads.num_threads(), 16)
        )
    else:
        threads.run_shares(
            lambda share, i, j: np.matmul(a, b[:, i:j], out=out[:, i:j]), threads.split(n, threads.num_threads(), 16)
        )
