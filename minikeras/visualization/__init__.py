from minikeras.visualization.attribution import grad_cam, plot_grad_cam, plot_saliency, saliency
from minikeras.visualization.features import plot_feature_maps, plot_filters
from minikeras.visualization.results import (
    plot_confusion_matrix,
    plot_decision_boundary,
    plot_history,
    plot_predictions,
)

__all__ = [
    "grad_cam", "plot_confusion_matrix", "plot_decision_boundary", "plot_feature_maps", "plot_filters", "plot_grad_cam",
    "plot_history", "plot_predictions", "plot_saliency", "saliency",
]  # fmt: skip
