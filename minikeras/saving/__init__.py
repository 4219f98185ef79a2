"""Files of weights: Keras 3's ``.weights.h5``.

They are written whole or not at all (`atomic.py`), and never trusted (`reader.py`).
"""

from minikeras.saving.reader import FileFormatError
from minikeras.saving.weights import load_weights, save_weights

__all__ = ["FileFormatError", "load_weights", "save_weights"]
