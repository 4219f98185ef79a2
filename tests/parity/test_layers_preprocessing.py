"""Preprocessing layers beside Keras'."""

from checks import settings
from parity_layers import check_parity

CASES = {
    "Rescaling": [((3, 4), {"scale": 0.5}), ((3, 4), {"scale": 2.0, "offset": -1.0}), ((3, 2), {"scale": [0.5, 2.0]})],
}


def test_rescaling_by_channel_with_channels_first(keras):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format("channels_first")
    try:
        with settings("float32", "channels_first"):
            check_parity(keras, "Rescaling", (3, 4, 5), {"scale": [0.5, 1.0, 2.0]})
            check_parity(keras, "Conv2D", (3, 6, 5), {"filters": 2, "kernel_size": 3})
            check_parity(keras, "Flatten", (3, 6, 5), {})
    finally:
        keras.config.set_image_data_format(before)
