"""Pretrained weights, `NAME.weights.h5` with the model card `NAME.md` and its picture `NAME.png`; installed as
`minikeras.trained_models`. The networks in `minikeras.applications` load them by name."""
