"""Without scikit-learn the wrappers can be imported and read about, and say what is missing when they are made."""

import subprocess
import sys

CODE = """
import sys
sys.modules["sklearn"] = sys.modules["sklearn.base"] = None  # what makes an import fail
from minikeras import wrappers
print(wrappers.SKLearnClassifier.__mro__[1].__name__)
for name in wrappers.__all__:
    try:
        getattr(wrappers, name)(model=None)
    except ImportError as error:
        print(error)
"""


def test_message():
    result = subprocess.run([sys.executable, "-W", "error", "-c", CODE], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stderr
    first, *messages = result.stdout.splitlines()
    assert first == "ClassifierMixin"
    assert messages == [
        f"{name} needs scikit-learn: pip install 'minikeras[sklearn]'"
        for name in ("SKLearnClassifier", "SKLearnRegressor", "SKLearnTransformer")
    ]
