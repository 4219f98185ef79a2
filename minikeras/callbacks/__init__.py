"""Code that `fit`, `evaluate` and `predict` call at set points: to log, stop, save, or change the learning rate."""

from minikeras.callbacks.backup_and_restore import BackupAndRestore
from minikeras.callbacks.base import Callback, LambdaCallback
from minikeras.callbacks.callback_list import CallbackList
from minikeras.callbacks.learning_rate import LearningRateScheduler, ReduceLROnPlateau
from minikeras.callbacks.loggers import CSVLogger, History, ProgbarLogger, RemoteMonitor
from minikeras.callbacks.model_checkpoint import ModelCheckpoint
from minikeras.callbacks.stopping import EarlyStopping, TerminateOnNaN
from minikeras.callbacks.swap_ema_weights import SwapEMAWeights
from minikeras.callbacks.tensor_stats import TensorStats
from minikeras.callbacks.tensorboard import TensorBoard

__all__ = [
    "BackupAndRestore",
    "CSVLogger",
    "Callback",
    "CallbackList",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "LearningRateScheduler",
    "ModelCheckpoint",
    "ProgbarLogger",
    "ReduceLROnPlateau",
    "RemoteMonitor",
    "SwapEMAWeights",
    "TensorBoard",
    "TensorStats",
    "TerminateOnNaN",
]
