"""What the comparisons with an installed Keras share."""

import os
import pathlib
import warnings

import pytest


@pytest.fixture(scope="session")
def keras():
    """Keras on the PyTorch backend; without either the tests are skipped."""
    os.environ["KERAS_BACKEND"] = "torch"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch = pytest.importorskip("torch", reason="PyTorch, Keras' backend, is not installed: pip install .[parity]")
        torch.zeros(()).T  # noqa: B018  Keras' Equalization does this, and PyTorch warns of it: once
        return pytest.importorskip("keras", reason="Keras is not installed: pip install .[parity]")


def pytest_collection_modifyitems(items):
    """Warnings are errors, but for the one that PyTorch and Keras cause each time a tensor becomes an array."""
    for item in items:
        if pathlib.Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"))
