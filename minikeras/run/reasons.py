"""Why something of Keras or TensorFlow is not in minikeras, and what to use in its place. The longest name that fits
counts: ``tensorflow`` speaks for all of it that is not listed."""

_MERGING = "It joins several inputs, and minikeras' models are chains of layers with one input each"
_ATTENTION = "Attention takes several inputs, and minikeras' models are chains of layers with one input each"
_TEXT = "Layers take arrays of numbers: prepare text before, with keras.preprocessing.text.Tokenizer and pad_sequences"
_AUDIO = "Audio is prepared before the model, with NumPy"
_FRAMEWORK = "It runs another framework, and minikeras needs none"
_GRADIENTS = "Nothing is derived automatically: train with model.fit, or write a Layer with `call` and `backward`"
_PRECISION = "Numbers are float32 or float64"

_GROUPS = {
    _MERGING: (
        "keras.layers: Add add Average average Concatenate concatenate Dot dot Maximum maximum Minimum "
        "minimum Multiply multiply Subtract subtract"
    ),
    _ATTENTION: "keras.layers: Attention AdditiveAttention GroupQueryAttention MultiHeadAttention",
    _TEXT: "keras.layers: Hashing HashedCrossing IntegerLookup StringLookup TextVectorization",
    _AUDIO: "keras.layers: MelSpectrogram STFTSpectrogram",
    _FRAMEWORK: (
        "keras.layers: FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper; keras: distribution export; "
        "keras.utils: FeatureSpace"
    ),
    _GRADIENTS: (
        "keras.backend: function gradients; tensorflow: GradientTape gradients custom_gradient stop_gradient; "
        "keras: Function Operation StatelessScope"
    ),
    _PRECISION: (
        "keras: DTypePolicy FloatDTypePolicy dtype_policies mixed_precision quantizers; keras.optimizers: "
        "LossScaleOptimizer; tensorflow: bfloat16"
    ),
}

REASONS = {
    f"{module.strip()}.{name}": reason
    for reason, groups in _GROUPS.items()
    for module, names in (group.split(":") for group in groups.split(";"))
    for name in names.split()
} | {
    "keras.applications": "Of known networks there is keras.applications.LeNet5: build the others layer by layer",
    "keras.losses.CTC": "Its targets are sequences of another length than the outputs, which no model here has",
    "keras.losses.ctc": "Its targets are sequences of another length than the outputs, which no model here has",
    "keras.ops": "There are no tensors to record operations on: use NumPy on arrays, and in a model layers",
    "keras.src": "These are private modules of Keras: import from the public ones, as keras.layers",
    "keras.distillation": "It trains two models at once: train one, and give its predictions to the other as targets",
    "tensorflow": "TensorFlow is not there, only its tf.keras",
    "tensorflow.data": "fit, evaluate and predict take arrays, generators and keras.utils.PyDataset",
    "tensorflow.function": "There are no graphs to compile: leave the decorator out",
    "tensorflow.nn": "Of tf.nn there are the activation functions, for `activation=`; in a model use layers",
    "tensorflow.contrib": "It is gone since TensorFlow 2",
    "tensorflow.estimator": "Estimators are gone since TensorFlow 2.16: use model.fit",
    "tensorflow.distribute": "Everything is computed in one process on the CPU: leave the strategy out",
    "tensorflow.saved_model": "model.save_weights and model.to_json write files that Keras reads",
    "tensorflow.lite": "model.save_weights and model.to_json write files that Keras reads",
    "tensorflow.io": "Read files with Python and NumPy",
    "tensorflow.image": "Use the layers Resizing, Rescaling, RandomFlip, ..., or Pillow",
    "tensorflow.examples": "Data sets are in keras.datasets, as keras.datasets.mnist.load_data()",
    "tensorflow.placeholder": "There are no graphs: a model's input is keras.Input(shape)",
    "tensorflow.layers": "It is gone since TensorFlow 2: use keras.layers",
    "tensorflow.train": "Optimizers are in keras.optimizers; keras.callbacks.ModelCheckpoint saves weights",
    "tensorflow.python": "These are private modules of TensorFlow",
} | {
    f"tensorflow.{name}": "There are no graphs and sessions, and no GPU to set up: leave these lines out"
    for name in (
        "ConfigProto GPUOptions Graph InteractiveSession Session get_default_graph global_variables_initializer "
        "reset_default_graph"
    ).split()
} | {
    f"tensorflow.{name}": "There are no tensors of TensorFlow: use arrays of NumPy, and in a model layers"
    for name in (
        "Tensor Variable add argmax cast concat constant convert_to_tensor exp expand_dims log math linalg matmul "
        "multiply ones range reduce_max reduce_mean reduce_sum reshape shape split sqrt square squeeze stack strings "
        "transpose zeros"
    ).split()
}  # fmt: skip
