"""``python -m minikeras`` is the command ``minikeras``."""

import sys

from minikeras.cli import main

if __name__ == "__main__":
    sys.exit(main())
