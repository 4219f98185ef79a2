"""Networks that are known by name, with weights, after the manners of `keras.applications`; installed as
`minikeras.applications`. Each has a module with its `preprocess_input` and `decode_predictions`."""

from minikeras.applications import lenet5, small_cifar
from minikeras.applications.lenet5 import LeNet5
from minikeras.applications.small_cifar import SmallCIFAR

__all__ = ["LeNet5", "SmallCIFAR", "lenet5", "small_cifar"]
