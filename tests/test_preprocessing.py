"""Augmented images, texts, sequences and series, without Keras."""

import types

import numpy as np
import pytest

from minikeras import config, utils
from minikeras.preprocessing import affine, image, sequence, text

# images


def picture(*shape, seed=0):
    return np.random.default_rng(seed).uniform(0, 255, shape).astype("float32")


def at(x, axes="last", **arguments):
    row, col, channel = (0, 1, 2) if axes == "last" else (1, 2, 0)
    return affine.apply_affine_transform(x, row_axis=row, col_axis=col, channel_axis=channel, **arguments)


def test_affine_transform_of_squares():
    x = picture(5, 5, 3)
    np.testing.assert_allclose(at(x, theta=90), np.rot90(x), rtol=1e-5)
    np.testing.assert_allclose(at(x, theta=180), x[::-1, ::-1], rtol=1e-5)
    np.testing.assert_array_equal(at(x, tx=2, fill_mode="constant", cval=7)[:, :3], x[:, 2:])
    np.testing.assert_array_equal(at(x, tx=2, fill_mode="constant", cval=7)[:, 3:], 7)
    np.testing.assert_array_equal(at(x, ty=1, fill_mode="nearest"), x[[1, 2, 3, 4, 4]])
    np.testing.assert_array_equal(at(x, ty=2, fill_mode="reflect"), x[[2, 3, 4, 4, 3]])
    np.testing.assert_array_equal(at(x, ty=-2, fill_mode="wrap"), x[[2, 3, 0, 1, 2]])
    np.testing.assert_allclose(at(x, zx=2, zy=2, order=0)[1:4, 1:4], x[::2, ::2])
    first = at(x.transpose(2, 0, 1), "first", theta=30, shear=10)
    np.testing.assert_array_equal(first.transpose(1, 2, 0), at(x, theta=30, shear=10))
    assert at(x) is x


@pytest.mark.parametrize("arguments, message", [
    ({"row_axis": 1, "col_axis": 1}, "`x` must have 3 axes.*row_axis=1, col_axis=1"),
    ({"row_axis": 0, "col_axis": 2, "channel_axis": 1}, "channel_axis=1"),
    ({"fill_mode": "mirror"}, "`fill_mode` must be one of.*'mirror'"),
    ({"order": 3}, "order must be 0.*Received: 3"),
])  # fmt: skip
def test_affine_transform_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        affine.apply_affine_transform(picture(3, 3, 3), theta=3, **arguments)


def test_random_functions_follow_the_seed():
    x = picture(3, 6, 6)
    calls = [
        lambda: image.random_rotation(x, 40),
        lambda: image.random_shift(x, 0.3, 0.3),
        lambda: image.random_shear(x, 40),
        lambda: image.random_zoom(x, (0.5, 1.5)),
        lambda: image.random_channel_shift(x, 50),
        lambda: image.random_brightness(x.transpose(1, 2, 0), (0.2, 0.9)).transpose(2, 0, 1),
    ]
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    for call in calls:
        results = []
        for seed in (1, 1, 2):
            config.set_random_seed(seed)
            results.append(call())
            assert results[-1].shape == x.shape
        np.testing.assert_array_equal(results[0], results[1])
        assert not np.array_equal(results[0], results[2])
        assert not np.array_equal(results[0], x)
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    for function in (image.random_zoom, image.random_brightness):
        with pytest.raises(ValueError, match="must be two numbers"):
            function(x, 0.5)


@pytest.mark.parametrize("arguments, message", [
    ({"zoom_range": (1,)}, "`zoom_range` must be two numbers"),
    ({"zoom_range": "a"}, "`zoom_range`"),
    ({"brightness_range": 0.5}, "`brightness_range` must be two numbers"),
    ({"validation_split": 1.0}, "`validation_split` must be between"),
    ({"data_format": "last"}, "`data_format`"),
    ({"fill_mode": "mirror"}, "`fill_mode`"),
    ({"interpolation_order": 2}, "order"),
])  # fmt: skip
def test_generator_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        image.ImageDataGenerator(**arguments)


def test_generator_warns_and_settles():
    with pytest.warns(UserWarning, match="`zca_whitening` sets `featurewise_center` to True"):
        assert image.ImageDataGenerator(zca_whitening=True).featurewise_center
    with pytest.warns(UserWarning, match="sets `featurewise_std_normalization` to False"):
        generator = image.ImageDataGenerator(
            zca_whitening=True, featurewise_center=True, featurewise_std_normalization=True
        )
    assert not generator.featurewise_std_normalization
    with pytest.warns(UserWarning, match="sets `featurewise_center`"):
        image.ImageDataGenerator(featurewise_std_normalization=True)
    with pytest.warns(UserWarning, match="sets `samplewise_center`"):
        image.ImageDataGenerator(samplewise_std_normalization=True)
    generator = image.ImageDataGenerator(featurewise_center=True)
    with pytest.warns(UserWarning, match="call `fit"):
        generator.standardize(picture(2, 2, 1))
    with pytest.warns(UserWarning, match="2 channels"):
        generator.fit(picture(3, 2, 2, 2))
    with pytest.raises(ValueError, match="4 axes"):
        generator.fit(picture(3, 2, 2))


def test_flow_covers_the_data_and_keeps_it():
    x, y = picture(7, 2, 2, 1), np.arange(7)
    before = x.copy()
    generator = image.ImageDataGenerator(rescale=2.0, samplewise_center=True)
    flow = generator.flow(x, y, batch_size=3)
    assert len(flow) == 3
    for batches in ([next(flow) for _ in range(3)], [flow[i] for i in range(3)]):
        assert sorted(np.concatenate([labels for _, labels in batches])) == list(range(7))
        assert [len(images) for images, _ in batches] == [3, 3, 1]
    np.testing.assert_array_equal(x, before)
    order = flow.index_array.tolist()
    flow.on_epoch_end()
    assert flow.index_array.tolist() != order
    with pytest.raises(IndexError, match="3 batches"):
        flow[3]
    first = next(generator.flow(x, shuffle=False, batch_size=2).next() for _ in range(1))
    np.testing.assert_allclose(first, 2 * x[:2] - (2 * x[:2]).mean(axis=(1, 2, 3), keepdims=True), rtol=1e-4, atol=1e-3)


def test_flow_without_a_seed_follows_the_global_one():
    x = picture(8, 3, 3, 1)
    generator = image.ImageDataGenerator(rotation_range=30)
    before = np.random.get_state()[1].tolist()  # noqa: NPY002
    batches = []
    for seed in (1, 1, 2):
        config.set_random_seed(seed)
        batches.append(next(generator.flow(x, batch_size=4)))
    np.testing.assert_array_equal(batches[0], batches[1])
    assert not np.array_equal(batches[0], batches[2])
    assert np.random.get_state()[1].tolist() == before  # noqa: NPY002
    one = image.ImageDataGenerator(rotation_range=30)
    assert one.get_random_transform((3, 3, 1)) != one.get_random_transform((3, 3, 1))


def test_flow_of_several_arrays():
    x, other = picture(4, 2, 2, 1), np.arange(4)
    (images, extra), labels = next(image.ImageDataGenerator().flow((x, other), np.arange(4), batch_size=4, seed=0))
    assert images.shape == (4, 2, 2, 1)
    np.testing.assert_array_equal(extra, labels)


@pytest.mark.parametrize("arguments, message", [
    ({"y": np.arange(3)}, "`x` and `y` must have as many rows. Received: 4 and 3"),
    ({"sample_weight": np.arange(3)}, "`sample_weight`"),
    ({"x": picture(4, 2, 2)}, "4 axes.*add a channel axis"),
    ({"subset": "test"}, "`subset`.*'test'"),
    ({"subset": "training", "y": np.array([0, 0, 1, 1])}, "same classes"),
    ({"batch_size": 0}, "`batch_size`"),
])  # fmt: skip
def test_flow_refuses(arguments, message):
    with pytest.raises(ValueError, match=message):
        image.ImageDataGenerator(validation_split=0.5).flow(**{"x": picture(4, 2, 2, 1), **arguments})


def test_subset_without_classes():
    generator = image.ImageDataGenerator(validation_split=0.5)
    flow = generator.flow(picture(4, 2, 2, 1), np.array([0, 0, 1, 1]), subset="training", ignore_class_split=True)
    assert next(flow)[1].tolist() == [1, 1]


@pytest.mark.parametrize("subset, weights", [("training", [2, 3]), ("validation", [0, 1])])
def test_subset_has_its_own_weights(subset, weights):
    """Keras 3.15 gives the training part the weights of the first rows."""
    generator = image.ImageDataGenerator(validation_split=0.5)
    flow = generator.flow(
        picture(4, 2, 2, 1), np.zeros(4), sample_weight=np.arange(4), subset=subset, shuffle=False
    )
    assert next(flow)[2].tolist() == weights


def test_own_iterator_and_generator():
    class Rows(image.Iterator):
        def _get_batches_of_transformed_samples(self, index_array):
            return index_array

    assert [next(Rows(3, 2, False, None)).tolist() for _ in range(1)] == [[0, 1]]
    with pytest.raises(NotImplementedError, match="_get_batches_of_transformed_samples"):
        next(image.Iterator(3, 2, False, None))

    class Half(image.ImageDataGenerator):
        def get_random_transform(self, img_shape, seed=None):
            return {**super().get_random_transform(img_shape, seed), "flip_horizontal": True}

    x = picture(2, 2, 2, 1)
    np.testing.assert_array_equal(next(Half().flow(x, shuffle=False)), x[:, :, ::-1])


@pytest.fixture
def folder(tmp_path):
    pytest.importorskip("PIL")
    for number, name in enumerate(("cat", "dog")):
        (tmp_path / name).mkdir()
        for i in range(3):
            utils.save_img(tmp_path / name / f"{i}.png", np.full((4, 6, 3), 10.0 * i + 100 * number), scale=False)
    return tmp_path


def test_flow_from_directory(folder, capsys):
    flow = image.ImageDataGenerator(rescale=1 / 255).flow_from_directory(folder, target_size=(4, 6), batch_size=4)
    assert capsys.readouterr().out == "Found 6 images belonging to 2 classes.\n"
    assert flow.class_indices == {"cat": 0, "dog": 1}
    assert flow.classes.tolist() == [0, 0, 0, 1, 1, 1]
    assert len(flow.filepaths) == flow.samples == 6
    for _ in range(4):
        x, y = next(flow)
        np.testing.assert_array_equal(x[:, 0, 0, 0] >= 100 / 255, y[:, 1] == 1)
        np.testing.assert_array_equal(y.sum(axis=1), 1)
    config.disable_interactive_logging()
    try:
        image.ImageDataGenerator().flow_from_directory(folder)
    finally:
        config.enable_interactive_logging()
    assert capsys.readouterr().out == ""


def test_flow_from_directory_refuses(folder):
    generator = image.ImageDataGenerator()
    for arguments in ({"class_mode": "int"}, {"color_mode": "gray"}, {"subset": "both"}, {"batch_size": 2.0}):
        with pytest.raises(ValueError, match=f"`{next(iter(arguments))}`.*{next(iter(arguments.values()))}"):
            generator.flow_from_directory(folder, **arguments)


def table(**changes):
    columns = {
        "filename": ["cat/0.png", "cat/1.png", "dog/2.png", "none.png"],
        "class": ["cat", "cat", "dog", "dog"],
        "weight": [1.0, 2.0, 3.0, 4.0],
    }
    return {**columns, **changes}


@pytest.mark.filterwarnings("ignore:1 of the files")
def test_flow_from_a_dict(folder):
    generator = image.ImageDataGenerator(validation_split=0.4)

    def flow(columns=None, **arguments):
        full = {"shuffle": False, "target_size": (2, 2), **arguments}
        return generator.flow_from_dataframe(columns or table(), folder, **full)

    x, y, w = next(flow(weight_col="weight", class_mode="sparse"))
    assert (y.tolist(), w.tolist(), x[:, 0, 0, 0].tolist()) == ([0, 0, 1], [1, 2, 3], [0, 10, 120])
    assert flow(classes=["dog"]).filenames == ["dog/2.png"]
    assert next(flow(class_mode="raw", y_col="weight"))[1].tolist() == [1, 2, 3]
    assert next(flow(class_mode="raw", y_col=["weight", "weight"]))[1].tolist() == [[1, 1], [2, 2], [3, 3]]
    assert [c.tolist() for c in next(flow(class_mode="multi_output", y_col=["weight"]))[1]] == [[1, 2, 3]]
    tags = flow(table(**{"class": [["a", "b"], ["b"], ["c"], ["c"]]}))
    assert next(tags)[1].tolist() == [[1, 1, 0], [0, 1, 0], [0, 0, 1]]
    assert flow(subset="validation").filenames == ["cat/0.png"]
    assert flow(subset="training").filenames == ["cat/1.png", "dog/2.png"]
    for arguments, error, message in (
        ({"class_mode": "ints"}, ValueError, "`class_mode`"),
        ({"y_col": "weight"}, TypeError, "must hold strings.*Received: 1.0"),
        ({"x_col": "weight"}, TypeError, "must hold file names. Received: 1.0"),
        ({"weight_col": "class"}, TypeError, "`weight_col`='class' must hold numbers"),
        ({"class_mode": "binary", "classes": ["cat"]}, ValueError, "exactly 2 classes"),
        ({"class_mode": "multi_output", "y_col": "weight"}, TypeError, "list of columns"),
        ({"abs_path": 1}, TypeError, "unexpected keyword argument 'abs_path'"),
    ):
        with pytest.raises(error, match=message):
            flow(**arguments)
    with pytest.warns(DeprecationWarning, match="`has_ext`"):
        flow(has_ext=True)
    with pytest.warns(DeprecationWarning, match="'raw'"):
        flow(class_mode="other", y_col="weight")
    with pytest.warns(UserWarning, match="`classes` has no effect"):
        flow(class_mode=None, classes=["cat"])
    names = flow(validate_filenames=False).filenames
    assert names == table()["filename"]


def test_missing_files_are_named(folder):
    with pytest.warns(UserWarning, match="1 of the files in `x_col`='filename'.*none.png"):
        image.ImageDataGenerator().flow_from_dataframe(table(), folder)


# texts


def test_tokenizer():
    tokenizer = text.Tokenizer(num_words=3, oov_token="?")
    tokenizer.fit_on_texts(["a b b", "b, c!"])
    assert tokenizer.word_index == {"?": 1, "b": 2, "a": 3, "c": 4}
    assert tokenizer.texts_to_sequences(["b a d"]) == [[2, 1, 1]]
    assert tokenizer.sequences_to_texts([[2, 3, 9]]) == ["b ? ?"]
    assert tokenizer.texts_to_matrix(["b b"], "count").tolist() == [[0, 0, 2]]
    again = text.tokenizer_from_json(tokenizer.to_json())
    assert again.texts_to_sequences(["b a d"]) == [[2, 1, 1]]
    again.fit_on_texts(["e"])
    assert again.word_counts["b"] == 3


def test_tokenizer_refuses():
    for arguments, message in (({}, "not known: pass `num_words`"), ({"num_words": 3}, "tfidf")):
        with pytest.raises(ValueError, match=message):
            text.Tokenizer(**arguments).sequences_to_matrix([[1]], "tfidf")
    with pytest.raises(ValueError, match="`mode`.*'bag'"):
        text.Tokenizer(num_words=3).sequences_to_matrix([[1]], "bag")
    with pytest.raises(TypeError, match="words"):
        text.Tokenizer(words=3)
    with pytest.raises(ValueError, match="`n` must be"):
        text.hashing_trick("a", 1)
    with pytest.warns(DeprecationWarning, match="`num_words`"):
        assert text.Tokenizer(nb_words=3).num_words == 3


# sequences and series


def test_skipgrams():
    couples, labels = sequence.skipgrams([1, 2, 3], 50, window_size=1, seed=3)
    again = sequence.skipgrams([1, 2, 3], 50, window_size=1, seed=3)
    assert (couples, labels) == again
    assert sorted(c for c, label in zip(couples, labels) if label) == [[1, 2], [2, 1], [2, 3], [3, 2]]
    assert labels.count(0) == 4
    assert all(1 <= other < 50 for _, other in couples)
    assert sequence.skipgrams([0, 0], 5) == ([], [])
    table = np.array([0, 0, 1, 1.0])
    assert {c[0] for c in sequence.skipgrams([1, 2, 3], 4, sampling_table=table)[0]} == {2, 3}


def test_timeseries_generator():
    data = list(range(10))
    flow = sequence.TimeseriesGenerator(data, data, length=3, batch_size=4)
    x, y = flow[0]
    assert (x.tolist(), y.tolist()) == ([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]], [3, 4, 5, 6])
    config.set_random_seed(0)
    x, y = sequence.TimeseriesGenerator(np.arange(10), data, length=3, batch_size=500, shuffle=True)[0]
    np.testing.assert_array_equal(x[:, 0] + 3, y)
    assert set(y) == set(range(3, 10))
    assert sequence.TimeseriesGenerator(data, data, 3).to_json().startswith('{"class_name": "TimeseriesGenerator"')
    for arguments, message in (
        ({"targets": [1]}, "as many steps. Received: 10 and 1"),
        ({"length": 0}, "`length`"),
        ({"stride": 1.5}, "`stride`"),
        ({"length": 10}, "leaves no step"),
    ):
        with pytest.raises(ValueError, match=message):
            sequence.TimeseriesGenerator(**{"data": data, "targets": data, "length": 3, **arguments})


def test_timeseries_dataset():
    data = np.arange(20)
    windows = utils.timeseries_dataset_from_array(data, data[4:], sequence_length=4, batch_size=5, shuffle=True, seed=0)
    assert len(windows) == 4  # 16 targets
    orders = []
    for _ in range(2):
        x, y = (np.concatenate(parts) for parts in zip(*windows))
        np.testing.assert_array_equal(x[:, 0] + 4, y)
        np.testing.assert_array_equal(np.diff(x), 1)
        orders.append(y.tolist())
    assert orders[0] != orders[1]
    assert sorted(orders[0]) == sorted(orders[1]) == list(range(4, 20))
    single = list(utils.timeseries_dataset_from_array(data, None, 18, batch_size=None))
    assert [w.shape for w in single] == [(18,)] * 3


@pytest.mark.parametrize("arguments, message", [
    ({"sequence_length": 0}, "`sequence_length` must be a positive"),
    ({"sequence_length": 11}, "long enough for one window of 11"),
    ({"sequence_stride": 10}, "`sequence_stride` must be lower than the 10"),
    ({"sampling_rate": 1.5}, "`sampling_rate`"),
    ({"batch_size": 0}, "`batch_size`"),
    ({"start_index": 10}, "`start_index`"),
    ({"start_index": -1}, "`start_index`"),
    ({"start_index": 5, "end_index": 5}, "`end_index`"),
    ({"end_index": 10}, "`end_index`"),
    ({"format": "torch"}, "`format`"),
    ({"targets": []}, "0 targets"),
])  # fmt: skip
def test_timeseries_dataset_refuses(arguments, message):
    full = {"data": np.arange(10), "targets": None, "sequence_length": 3, **arguments}
    with pytest.raises(ValueError, match=message):
        utils.timeseries_dataset_from_array(**full)


def test_smart_resize_refuses():
    for x, size, more, message in (
        (np.zeros((3, 3)), (2, 2), {}, "add a channel axis"),
        (np.zeros((3, 3, 1)), (2,), {}, "`size`"),
        (np.zeros((3, 3, 1)), (2, 2), {"interpolation": "cubic"}, "`interpolation`"),
    ):
        with pytest.raises(ValueError, match=message):
            image.smart_resize(x, size, **more)
    with pytest.raises(TypeError, match="antialias"):
        image.smart_resize(np.zeros((3, 3, 1)), (2, 2), antialias=True)


def test_split_dataset_takes_a_backend():
    left, right = utils.split_dataset(np.arange(4), left_size=1, preferred_backend="torch")
    assert (left.tolist(), right.tolist()) == ([0], [1, 2, 3])


def test_modules():
    assert isinstance(image, types.ModuleType)
    for module in (image, sequence):
        assert all(hasattr(module, name) for name in module.__all__)
