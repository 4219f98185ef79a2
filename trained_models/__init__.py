"""Pretrained weights, one `NAME.weights.h5` with its model card `NAME.md`; installed as `minikeras.trained_models`."""
