"""What is not as in Keras, and why: the one place that says so. `compatibility_page.py` makes a page of it.

Every public name of Keras is in minikeras with the same arguments, or in DIFFERS, or in LEFT_OUT; every public name of
ours that Keras has not is in ADDITIONS. A reason is one line of Markdown. An argument, or a key of the config, that
only one of the two has or whose default differs is named in `backquotes`; nothing else in a signature may differ.
Other names of one object (`Convolution2D`, `keras.Layer`) go by its one entry. Equal reasons share a row of the page.

After a change: python tests/compatibility_page.py
"""


def each(names, reason):
    """The same reason for several names."""
    return dict.fromkeys(names.split(), reason)


NUMBERS = "other random numbers than Keras' from the same seed, of the same distribution"
NAN = "NaN is never the best value (in Keras it is where it is the first)"
NO_BOXES = "no bounding boxes or segmentation masks in a dict of images and labels"
IMAGES = f"{NUMBERS}; {NO_BOXES}"
LARGE = "`lora_rank`, `lora_alpha`, `quantization_config` (fine-tuning and quantizing of large models)"
STATE = "`return_state=True` is refused: layers pass one array on"
CONFIG = "is in the config, where Keras forgets it"
CUBIC = "`bicubic` and Lanczos are those of Keras on NumPy (PyTorch has another cubic kernel, and no Lanczos)"
SPARSE = "`sparse=True` is refused: there are no sparse arrays here"
INPUTS = "`sparse`, `ragged` and `optional` inputs and tensors of the caller's are refused"
ONE_TYPE = "float32 and float64 only, one type for storing and computing: NumPy is slow in half precision"
TRACEBACKS = "has no effect: tracebacks are short, and never filtered"
WHOLE_FILES = "refused (whatever `zipped` says): only weights are written to files yet"

DIFFERS = {
    "layers": {
        "Dense": f"no {LARGE}; `activity_regularizer` {CONFIG}",
        "EinsumDense": f"no {LARGE}, nor `gptq_unpacked_column_size`; `activity_regularizer` {CONFIG}; "
        "sizes left open in the output's shape are those of the inputs (in Keras None)",
        "Embedding": f"no {LARGE}; `activity_regularizer` {CONFIG}; "
        "a negative number is an IndexError, not a row from the end",
        "ReversibleEmbedding": f"no `quantization_config`; `activity_regularizer` {CONFIG}; the mask is that of "
        "`compute_mask`, as of Embedding; a model calls it forwards only, so `reverse=True` is for layers that hold it",
        "Layer": "one of your own has a method `backward` beside `call`; `name`, `trainable` and `dtype` may come by "
        "position; `activity_regularizer` and `autocast` are taken, though the signature does not say so; "
        "other [methods](#methods)",
        **each(
            "Convolution2D Convolution2DTranspose SeparableConvolution2D",
            "(8, 3, 3) is a kernel of 3 by 3, as in Keras 1 (in Keras 3 one with steps of 3); (8, 3, 2) is refused",
        ),
        "Lambda": "its derivative is the argument `gradient`; no file restores it, as that would run code",
        "Input": INPUTS,
        "InputLayer": INPUTS,
        "BatchNormalization": "`synchronized=True`, which is for several processes, is refused",
        "RNN": f"{STATE}; `unroll` has no effect",
        "SimpleRNN": f"{STATE}; `unroll` has no effect; `seed` {CONFIG}; "
        "`activity_regularizer` has no effect (as in Keras) and warns",
        "TimeDistributed": "an activity regularizer of the layer inside has no effect (as in Keras) and warns",
        **each("LSTM GRU", f"{STATE}; `unroll` and `use_cudnn` have no effect"),
        **each(
            "ConvLSTM1D ConvLSTM2D ConvLSTM3D",
            f"{STATE}; softmax and what else goes along an axis are refused with the channels first",
        ),
        "Wrapper": "applies the layer inside (Keras' own is abstract)",
        "GlobalAveragePooling1D": "the mean of a sequence that is masked from end to end is 0 (in Keras NaN)",
        **each(
            "AveragePooling1D AveragePooling2D AveragePooling3D",
            "with same padding the mean is of the inputs in the window, as on Keras' other backends (on PyTorch "
            "the edge is repeated where the padding is uneven)",
        ),
        "SpectralNormalization": "of an Embedding puts out floats (in Keras whole numbers, as it takes)",
        **each(
            "LayerNormalization RMSNormalization",
            "an axis before the last as on Keras' other backends (on PyTorch an error, or the last axis)",
        ),
        "Bidirectional": "merging by None is refused: it makes two outputs",
        "UnitNormalization": "its gradient at 0 is finite (in Keras NaN)",
        "UpSampling2D": CUBIC,
        "Resizing": f"{NO_BOXES}; {CUBIC}",
        "RandomCrop": f"{IMAGES}; in inference too the outputs have the size it declares (in Keras the inputs')",
        "CategoryEncoding": f"{SPARSE}; given rank 3 the declared shape is the outputs' (in Keras another)",
        "Discretization": SPARSE,
        **each("CenterCrop Equalization", NO_BOXES),
        "AutoContrast": f"{NO_BOXES}; with the channels first each is stretched by itself, as with the channels last "
        "(Keras confuses the axes)",
        "ContrastLimitedAdaptiveHistogramEqualization": f"{NO_BOXES}; as Keras' other backends (on PyTorch the limit "
        "is rounded down to 1, and edges are repeated, not mirrored)",
        **each("AugMix RandAugment", f"{IMAGES}; brightness changes what it was chosen for (in Keras all)"),
        **each(
            "CutMix MixUp RandomBrightness RandomColorDegeneration RandomColorJitter RandomContrast "
            "RandomElasticTransform RandomErasing RandomFlip "
            "RandomGaussianBlur RandomGrayscale RandomHue RandomInvert RandomPerspective RandomPosterization "
            "RandomRotation RandomSaturation RandomSharpness RandomShear RandomTranslation RandomZoom Solarization",
            IMAGES,
        ),
        **each(
            "AlphaDropout Dropout GaussianDropout GaussianNoise SpatialDropout1D SpatialDropout2D SpatialDropout3D",
            NUMBERS,
        ),
    },
    "losses": {
        "CategoricalGeneralizedCrossEntropy": "its gradient at a probability of 0 is finite (in Keras not); "
        "labels may be "
        "(batch, 1) (Keras takes each for all rows)",
        "Loss": "weights (batch,) go with losses of any rank, with a mask (batch, steps) and with `ignore_class` (in "
        "Keras equal shapes only); they stay as they are (on PyTorch Keras multiplies the caller's by the mask, and so "
        "those of `weighted_metrics`)",
    },
    "metrics": {
        **each("PearsonCorrelation R2Score", "0 where Keras divides 0 by 0"),
        **each("OneHotIoU OneHotMeanIoU", "any `axis` (in Keras 0 and -1 only)"),
        "CosineSimilarity": f"`axis` {CONFIG}",
        **each("Hinge SquaredHinge", "targets (batch,) go with outputs (batch, 1) (Keras takes each for all outputs)"),
        "Metric": "weights (batch,) go with outputs of any rank (some of Keras' lay them along the last axes)",
        "SparseTopKCategoricalAccuracy": f"`from_sorted_ids` {CONFIG}",
    },
    "optimizers": {
        "Optimizer": "one of your own is written otherwise: [methods](#methods)",
    },
    "callbacks": {
        "BackupAndRestore": "once a resumed training is complete, the next `fit` starts from its first epoch (in Keras "
        "from the restored one again)",
        **each("EarlyStopping ReduceLROnPlateau", NAN),
        "ModelCheckpoint": "saves weights only, as long as there are no files of whole models; with `save_best_only` "
        f"an epoch without validation saves nothing (in Keras it does, over the best); {NAN}",
        "RemoteMonitor": "sends by Python's own urllib, not by the package requests",
        "SwapEMAWeights": "swaps back after `predict`, and a stopped training ends with the average (in Keras neither)",
        "TensorBoard": "writes its files without TensorFlow; `profile_batch` is refused",
    },
    "activations": {"glu": "not as the activation of a layer, which keeps the shape: Lambda(activations.glu) does it"},
    "initializers": {
        **each(
            "GlorotNormal GlorotUniform HeNormal HeUniform LecunNormal LecunUniform Orthogonal RandomNormal "
            "RandomUniform TruncatedNormal VarianceScaling",
            NUMBERS,
        ),
        "Identity": f"`gain` {CONFIG}",
    },
    "regularizers": {"OrthogonalRegularizer": "the penalty of a single row is 0 (in Keras NaN)"},
    "utils": {
        "get_file": "the cache is `~/.minikeras`, or the folder in `$MINIKERAS_HOME` (in Keras `~/.keras`)",
        "normalize": "`axis=0` normalizes columns (Keras 3.15 takes it for -1 when it divides)",
        "to_categorical": "labels out of range are refused, negative ones too (which Keras counts from the end)",
        **each("PyDataset Sequence", "any number of workers above 1 is one thread, which ends with the epoch"),
        "plot_model": "is drawn by matplotlib, not by Graphviz; `splines` has no effect; where there is no IPython "
        "a figure is returned (in Keras nothing)",
        "split_dataset": "returns arrays (in Keras data sets of TensorFlow)",
        "image_dataset_from_directory": "the data set yields arrays, and needs neither TensorFlow nor Grain; "
        '`on_error="skip"` leaves out, with a warning, what cannot be read',
        "timeseries_dataset_from_array": "the data set yields arrays, and needs neither TensorFlow nor Grain",
    },
    "models": {
        "Model": "`Model(inputs, outputs, trainable, name)` is for chains of layers; `fit` goes on where a "
        "generator of "
        "`validation_data` stopped (Keras repeats its first two batches); lists of results hold each once (in Keras "
        "some twice, where metrics have equal names); `train_on_batch` trains a model "
        "that was frozen as a whole after `compile` as it was compiled, with a DeprecationWarning: adversarial "
        "networks for Keras 1 and 2 rely on it (Keras 3 warns and trains nothing); other [methods](#methods)",
        "Sequential": "other [methods](#methods)",
        **each("load_model save_model", WHOLE_FILES),
    },
    "ops": {
        "where": "takes all three arguments: `x1` and `x2` too",
        "convert_to_tensor": "returns an array, dense: no `sparse` and `ragged`",
        "one_hot": "dense: no `sparse`",
    },
    "backend": {"result_type": "types of 64 bits stay as they are (Keras makes them 32)"},
    "random": each(
        "SeedGenerator beta binomial categorical dropout gamma normal randint shuffle truncated_normal uniform", NUMBERS
    ),
    "config": {
        "backend": "always `numpy`",
        "set_backend": "`numpy` only",
        "dtype_policy": "the name of the one float type, not an object",
        **each("set_dtype_policy set_floatx", ONE_TYPE),
        "enable_unsafe_deserialization": "refused: code in files is never run",
        **each("disable_traceback_filtering enable_traceback_filtering is_traceback_filtering_enabled", TRACEBACKS),
    },
    "saving": {
        "load_weights": "reads Keras 3's `.weights.h5` only",
        "save_weights": "always one file: no `max_shard_size`",
    },
    "wrappers": each(
        "SKLearnClassifier SKLearnRegressor SKLearnTransformer",
        "`warm_start=True` trains on, as Keras' documentation says (its code begins anew); copies keep `fit_kwargs`, "
        "`epoch_` is a number after fitting, and `set_fit_request` asks for arguments of `fit` (Keras: of `score`)",
    ),
    "keras": {
        "applications": "LeNet5 and SmallCIFAR only, in the manner of Keras' networks, which have branches or are too "
        "large to be trained here",
        "KerasTensor": "what a layer will put out: `layer`, `source`, `dtype`, `name`, but no `sparse`, `ragged`, "
        "`record_history`",
        "version": "that of minikeras",
        "visualization": "other pictures: [additions](#additions) (Keras draws images with bounding boxes and masks)",
        "Variable": "an array with a name and a gradient: `value`, `name`, `trainable`, `regularizer`, `constraint`; "
        "no `initializer`, `shape`, `dtype`, `autocast`, `aggregation`, `synchronization`, `layout`",
    },
}

SEVERAL = "takes several arrays, and a model here is a chain of layers that pass on one"
OPS_FLOW = "loops and derivatives of tensors: Python's own, and derivatives by hand"
OPS_LAYERS = "in a model layers and activations do it"
OPS_MODULES = "the names of a part of `ops` once more"
OPS_NUMPY = "NumPy or SciPy have it"
TENSORFLOW = "needs TensorFlow in Keras too, on any backend"
SOUND = "for sound; what is here is for images, vectors, sequences and series"
BOXES = "for bounding boxes, which no layer here takes"
FRAMEWORKS = "runs a model of another framework"
TRACING = "of Keras' way of tracing graphs, which there are none of here"
QUANTIZERS = "8 and 4 bits are for running large models on special hardware"
ATTENTION = "of attention on GPUs"
MEMORY = "computes outputs a second time to save a GPU's memory"
CUSTOM = "no `custom_objects`: `utils.custom_object_scope` makes them known"

LEFT_OUT = {
    "layers": {
        **each(
            "Add AdditiveAttention Attention Average Concatenate Dot GroupQueryAttention Maximum Minimum "
            "MultiHeadAttention Multiply Subtract add average concatenate dot maximum minimum multiply subtract",
            SEVERAL,
        ),
        **each("HashedCrossing Hashing IntegerLookup StringLookup TextVectorization", TENSORFLOW),
        **each("MelSpectrogram STFTSpectrogram", SOUND),
        "MaxNumBoundingBoxes": BOXES,
        **each("FlaxLayer JaxLayer TFSMLayer TorchModuleWrapper", FRAMEWORKS),
        "InputSpec": "layers check their inputs by themselves, and say more about wrong ones",
    },
    "losses": each("CTC ctc", "connectionist temporal classification, for speech, needs a dynamic program of its own"),
    "optimizers": {
        "LossScaleOptimizer": "scales the loss of half precision, which there is none of here",
        "legacy": "classes that Keras itself refuses to construct",
    },
    "callbacks": {"OrbaxCheckpoint": "writes the format of another package, Orbax"},
    "utils": {
        "model_to_dot": "returns an object of the package pydot; `plot_model` draws without it",
        "FeatureSpace": TENSORFLOW,
        "audio_dataset_from_directory": SOUND,
        "bounding_boxes": BOXES,
        "get_source_inputs": TRACING,
        "legacy": "Keras' older names for writing and reading configs: `serialize_keras_object` does it",
        "text_dataset_from_directory": "its strings are for TextVectorization, which is left out",
    },
    "config": {
        **each("disable_flash_attention enable_flash_attention is_flash_attention_enabled", ATTENTION),
        "is_nnx_enabled": "of the backend JAX",
    },
    "ops": {
        **each(
            "associative_scan cond custom_gradient fori_loop jvp map scan switch vectorize vectorized_map while_loop",
            OPS_FLOW,
        ),
        **each(
            "adaptive_average_pool adaptive_max_pool average_pool batch_normalization celu conv conv_transpose "
            "ctc_decode ctc_loss depth_to_space depthwise_conv dot_product_attention fold glu hard_shrink hard_tanh "
            "layer_normalization max_pool moments multi_hot psnr rms_normalization separable_conv soft_shrink "
            "space_to_depth sparse_categorical_crossentropy sparse_plus sparse_sigmoid sparsemax squareplus "
            "tanh_shrink threshold unfold",
            OPS_LAYERS,
        ),
        **each(
            "image nn numpy",
            OPS_MODULES,
        ),
        **each(
            "allclose angle append arccosh arcsinh arctanh argpartition array_split average bartlett bincount "
            "bitwise_and bitwise_invert bitwise_left_shift bitwise_not bitwise_or bitwise_right_shift bitwise_xor "
            "blackman cbrt cdist cholesky cholesky_inverse conj conjugate corrcoef correlate cross deg2rad det "
            "diagflat diagonal diff digitize dsplit dstack eig eigh empty empty_like erf erfc erfinv exp2 "
            "extract_sequences fabs fft fft2 fliplr flipud fmax fmin fmod gcd geomspace get_item hamming hanning "
            "heaviside histogram hsplit hstack hypot i0 identity ifft2 imag inner inv irfft isclose isin isneginf "
            "isposinf isreal istft kaiser kron lcm ldexp left_shift linalg linspace logaddexp logaddexp2 logdet "
            "logspace lstsq lu_factor matrix_rank meshgrid nan_to_num nanargmax nanargmin nancumprod nancumsum nanmax "
            "nanmean nanmedian nanmin nanpercentile nanprod nanquantile nanstd nansum nanvar nextafter nonzero norm "
            "percentile pinv polar ptp qr quantile rad2deg real rearrange rfft right_shift rot90 saturate_cast "
            "scatter scatter_update searchsorted segment_max segment_min segment_prod segment_sum select signbit sinc "
            "slice slice_update slogdet solve solve_triangular stft svd tensordot trace trapezoid tri trunc unique "
            "unravel_index vander vdot view view_as_complex view_as_real vsplit vstack",
            OPS_NUMPY,
        ),
    },
    "saving": {"KerasFileEditor": "files of weights are HDF5: h5py shows and edits them"},
    "keras": {
        "name_scope": "goes before the names of variables: those of weights come from their layers",
        **each("DTypePolicy FloatDTypePolicy dtype_policies mixed_precision", ONE_TYPE),
        **each("Quantizer quantizers", QUANTIZERS),
        **each("Function Operation StatelessScope SymbolicScope", TRACING),
        **each("RematScope remat", MEMORY),
        **each("device distribution", "there is one device, the CPU"),
        "distillation": "trains a model on another one's outputs, by a graph of both",
        "export": "writes formats of other frameworks",
        "legacy": "Keras' own readers of older configs; older spellings are understood where they are used",
        "tree": "nested structures of tensors: here there is one array in and one out",
    },
}

FILES = "files hold weights in Keras' layout; a class has no other way of its own"
STATELESS = "for JAX, whose functions must not change anything"
BY_ARRAYS = "one of your own has `update` and `slots`, which work on arrays"
STEP = "takes `x`, `y`, `sample_weight`, not a tuple `data`; it holds the backward pass too"

METHODS = {  # public methods and properties, missing or with other arguments, of a class and of those derived from it
    "layers.Layer": {
        "add_weight": "`shape`, `initializer`, `dtype`, `trainable`, `regularizer`, `constraint`, `name` may come by "
        "position; no `autocast`, `aggregation`, `overwrite_with_gradient` or further `args`",
        "add_variable": "`add_weight` does it",
        "add_metric": "Keras' own refuses to be called",
        **each("metrics metrics_variables", "metrics are given to `compile`; a layer has none of its own"),
        "dtype_policy": ONE_TYPE,
        "input_spec": "`build` and `compute_output_shape` check the inputs",
        "path": "each weight has its own",
        **each("load_own_variables save_own_variables", FILES),
        **each("quantization_mode quantize quantized_build quantized_call", QUANTIZERS),
        **each("compute_output_spec symbolic_call", "for graphs; `compute_output_shape` says what comes out"),
        "rematerialized_call": MEMORY,
        "stateless_call": STATELESS,
        **each("forward named_parameters torch_params", "of PyTorch's modules"),
    },
    "layers.RNN": {
        "inner_loop": "the loop is in `call`",
        "call": "takes `inputs`, not `sequences` and `initial_state`, and so in another `order`",
        **each("build compute_output_shape", "`input_shape`, not `sequences_shape` and `initial_state_shape`"),
        "compute_mask": "its arguments are called `inputs` and `previous_mask`, not `_` and `mask`",
        "from_config": CUSTOM,
    },
    "layers.Wrapper": {"from_config": CUSTOM},
    "metrics.Metric": each("stateless_reset_state stateless_result stateless_update_state", STATELESS),
    "models.Model": {
        "compile": "returns the model, and takes `input_shape` and `learning_rate` as well",
        "build": "`input_shape` may be left out where a layer has said it",
        **each("test_step train_step", STEP),
        **each("compute_loss compute_metrics predict_step", "a step is one method, `train_step` or `test_step`"),
        **each("make_predict_function make_test_function make_train_function", "there is nothing to compile"),
        **each("get_state_tree set_state_tree stateless_compute_loss", STATELESS),
        "get_quantization_layer_structure": QUANTIZERS,
    },
    "optimizers.Optimizer": {
        **each(
            "add_optimizer_variables add_variable add_variable_from_reference assign assign_add assign_sub update_step",
            BY_ARRAYS,
        ),
        **each("load_own_variables save_own_variables", FILES),
        "stateless_apply": STATELESS,
    },
    **{
        path: {}  # nothing
        for path in (
            "callbacks.Callback callbacks.CallbackList constraints.Constraint initializers.Initializer losses.Loss "
            "models.Sequential optimizers.schedules.LearningRateSchedule regularizers.Regularizer utils.Progbar "
            "utils.PyDataset"
        ).split()
    },
}

ADDITIONS = {  # "*": whatever else there is
    "layers": {
        "MinPooling2D": "the smallest number of each window, as `MaxPooling2D` the largest",
        "RandomAffine": "turns, shifts, zooms and shears in one step, which stays sharper than four",
        "RandomNoise": "noise of another strength on each image",
    },
    "losses": {
        "LossFunctionWrapper": "a function as a loss; Keras has it without making it public",
        "get_for_model": "`get` for a model's outputs: `crossentropy` means what fits them",
    },
    "metrics": {"get_for_model": "`get` for a model's outputs: `accuracy` and `crossentropy` mean what fits them"},
    "optimizers": {"check_learning_rate": "refuses what is no learning rate, for optimizers of your own"},
    "initializers": {
        "RandomInitializer": "the base of random initializers; Keras has it without making it public",
        **each("TRUNCATED_STDDEV compute_fans", "for initializers of your own"),
    },
    "activations": {"ActivationFunction": "a function with its derivative, for activations of your own"},
    "models": {"Functional": "the class of `Model(inputs, outputs)`; Keras has it without making it public"},
    "backend": {"*": "the functions of Keras 1 and 2 that scripts call as `K.mean(x)`, on arrays"},
    "datasets": {
        "digits": "1797 handwritten digits of 8 by 8 pixels, embedded",
        "digits_csv": "digits from the CSV files of Kaggle's digit recognizer, and files to submit",
        "synthetic": "points (spirals, circles, zones, ...) and pictures of shapes, made from a formula and a seed",
    },
    "preprocessing.image": {"*": "`ImageDataGenerator`, its iterators and transformations, of Keras 1 and 2"},
    "preprocessing.sequence": {"*": "`TimeseriesGenerator`, `skipgrams`, `make_sampling_table` of Keras 1 and 2"},
    "preprocessing": {
        "digits": "a recipe for the augmentation of handwritten digits",
        "text": "`Tokenizer` and the rest of `preprocessing.text` of Keras 1 and 2",
    },
    "callbacks": {"TensorStats": "how large activations, gradients, weights and updates are, every n batches"},
    "utils": each("image_to_ascii show_image_terminal", "an image, with its label and prediction, in a terminal"),
    "saving": {"FileFormatError": "an OSError: the file is damaged, or of another format"},
    "visualization": {
        "plot_history": "the curves of a training",
        "plot_predictions": "images with the class predicted, wrong ones marked",
        "plot_confusion_matrix": "which classes are taken for which",
        "plot_decision_boundary": "points of the plane over the regions of the classes",
        "plot_filters": "the kernels of a convolution",
        "plot_feature_maps": "what a layer puts out for an image",
        **each("grad_cam plot_grad_cam", "where in an image a class is seen"),
        **each("saliency plot_saliency", "which pixels a class' score depends on"),
    },
}
