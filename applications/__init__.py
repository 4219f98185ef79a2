"""Networks that are known by name, installed as `minikeras.applications`."""

from minikeras.applications.lenet import LeNet5

__all__ = ["LeNet5"]
