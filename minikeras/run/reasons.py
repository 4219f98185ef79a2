"""Why something of Keras or TensorFlow is not in minikeras, and what to use in its place. The longest name that fits
counts: ``tensorflow`` speaks for all of it that is not listed."""

_CHAINS = "takes several inputs, and minikeras' models are chains of layers that pass on one array"
_BOXES = "It is for bounding boxes, which no layer here takes"
_GRAPHS = "It is of Keras' way of tracing graphs, and there are none here"
_SESSIONS = "There are no graphs and sessions, and no GPU to set up: leave these lines out"

# reason: names in a module, and perhaps in others, after a semicolon
_NAMES = {
    f"It {_CHAINS}": (
        "keras.layers: Add add Average average Concatenate concatenate Dot dot Maximum maximum Minimum minimum "
        "Multiply multiply Subtract subtract"
    ),
    f"Attention {_CHAINS}": "keras.layers: Attention AdditiveAttention GroupQueryAttention MultiHeadAttention",
    "Layers take arrays of numbers: prepare text before, with keras.preprocessing.text.Tokenizer and pad_sequences": (
        "keras.layers: Hashing HashedCrossing IntegerLookup StringLookup TextVectorization; "
        "keras.utils: FeatureSpace text_dataset_from_directory; keras.preprocessing: text_dataset_from_directory"
    ),
    "Sound is prepared before the model, with NumPy": (
        "keras.layers: MelSpectrogram STFTSpectrogram; keras.utils: audio_dataset_from_directory"
    ),
    "It runs models of another framework, or writes its files": (
        "keras: export; keras.layers: FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper; keras.config: is_nnx_enabled; "
        "keras.callbacks: OrbaxCheckpoint"
    ),
    "Nothing is derived automatically: train with model.fit, or write a Layer with `call` and `backward`": (
        "keras.backend: function gradients; tensorflow: GradientTape custom_gradient gradients stop_gradient"
    ),
    "All numbers are float32 or float64": (
        "keras: DTypePolicy FloatDTypePolicy Quantizer dtype_policies mixed_precision quantizers; "
        "keras.optimizers: LossScaleOptimizer; tensorflow: bfloat16"
    ),
    "There is one device, the CPU, with memory enough: leave it out": (
        "keras: RematScope device distribution remat; "
        "keras.config: disable_flash_attention enable_flash_attention is_flash_attention_enabled"
    ),
    _BOXES: "keras.layers: MaxNumBoundingBoxes; keras.utils: bounding_boxes; keras.visualization: draw_bounding_boxes "
    "draw_segmentation_masks plot_bounding_box_gallery plot_image_gallery plot_segmentation_mask_gallery",
    _GRAPHS: "keras: Function Operation StatelessScope SymbolicScope tree; keras.utils: get_source_inputs",
    "Weights are named after their layers: leave it out": "keras: name_scope",
    "Layers check their inputs by themselves: leave it out": "keras: InputSpec; keras.layers: InputSpec",
    "Its targets are sequences of another length than the outputs, which no model here has": "keras.losses: CTC ctc",
    "Of known networks there are keras.applications.LeNet5 and SmallCIFAR: build the others layer by layer": (
        "keras: applications"
    ),
    "Of keras.ops there is what metrics and data need: use NumPy on arrays, and in a model layers": "keras: ops",
    "These are private modules of Keras: import from the public ones, as keras.layers": "keras: src",
    "It trains two models at once: train one, and give its predictions to the other as targets": "keras: distillation",
    "It makes an object of the package pydot: keras.utils.plot_model draws without it": "keras.utils: model_to_dot",
    "Files of weights are HDF5: h5py shows and edits them": "keras.saving: KerasFileEditor",
    "Old spellings are understood where they are used": "keras: legacy; keras.utils: legacy",
    "There are no tensors of TensorFlow: use arrays of NumPy, and in a model layers": (
        "tensorflow: Tensor Variable add argmax cast concat constant convert_to_tensor exp expand_dims log math linalg "
        "matmul multiply ones range reduce_max reduce_mean reduce_sum reshape shape split sqrt square squeeze stack "
        "strings transpose zeros"
    ),
    _SESSIONS: (
        "tensorflow: ConfigProto GPUOptions Graph InteractiveSession Session get_default_graph "
        "global_variables_initializer reset_default_graph"
    ),
    "model.save_weights and model.to_json write files that Keras reads": "tensorflow: lite saved_model",
}

REASONS = {
    f"{module.strip()}.{name}": reason
    for reason, modules in _NAMES.items()
    for module, _, names in (part.partition(":") for part in modules.split(";"))
    for name in names.split()
} | {
    "tensorflow": "TensorFlow is not there, only its tf.keras",
    "tensorflow.contrib": "It is gone since TensorFlow 2",
    "tensorflow.data": "fit, evaluate and predict take arrays, generators and keras.utils.PyDataset",
    "tensorflow.distribute": "Everything is computed in one process on the CPU: leave the strategy out",
    "tensorflow.estimator": "Estimators are gone since TensorFlow 2.16: use model.fit",
    "tensorflow.examples": "Data sets are in keras.datasets, as keras.datasets.mnist.load_data()",
    "tensorflow.function": "There are no graphs to compile: leave the decorator out",
    "tensorflow.image": "Use the layers Resizing, Rescaling, RandomFlip, ..., or Pillow",
    "tensorflow.io": "Read files with Python and NumPy",
    "tensorflow.layers": "It is gone since TensorFlow 2: use keras.layers",
    "tensorflow.nn": "Of tf.nn there are the activation functions, for `activation=`; in a model use layers",
    "tensorflow.placeholder": "There are no graphs: a model's input is keras.Input(shape)",
    "tensorflow.python": "These are private modules of TensorFlow",
    "tensorflow.train": "Optimizers are in keras.optimizers; keras.callbacks.ModelCheckpoint saves weights",
}
