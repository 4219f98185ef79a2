"""Pictures of a training, of predictions, and of what a network looks at. Drawn by matplotlib: ``pip install
'minikeras[plot]'``.

Each function returns a matplotlib figure, which notebooks show, and writes it to ``path`` if one is given. None needs a
display, and none changes the model.
"""

from minikeras.visualization.results import plot_confusion_matrix, plot_history, plot_predictions

__all__ = ["plot_confusion_matrix", "plot_history", "plot_predictions"]
