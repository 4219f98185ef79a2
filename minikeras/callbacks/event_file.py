"""Event files, which TensorBoard reads: records with checksums, each a message `Event` in protocol buffers' encoding.

The few messages needed are encoded here, so that writing takes neither TensorFlow nor TensorBoard. Their fields and
numbers: tensorflow/core/util/event.proto, framework/summary.proto, framework/tensor.proto; the records:
tensorflow/core/lib/io/record_writer.h.
"""

import os
import struct
import time

import numpy as np

_TYPES = {"float32": 1, "float64": 2, "string": 7}  # DataType
_BUCKETS = 30
_MOST_IMAGES = 3  # in one summary


class EventFile:
    """A new event file in a folder, which is made if it is missing.

    Args:
        folder: a name of a run in TensorBoard.
    """

    _count = 0

    def __init__(self, folder):
        from socket import gethostname

        EventFile._count += 1
        os.makedirs(folder, exist_ok=True)
        name = f"events.out.tfevents.{time.time():.0f}.{gethostname()}.{os.getpid()}.{EventFile._count}.v2"
        self.path = os.path.join(folder, name)
        self._file = open(self.path, "wb")
        self._write(_bytes(3, b"brain.Event:2"))
        self.flush()

    def scalar(self, tag, value, step):
        """Write a number; of an array each entry, as ``tag/0``, ``tag/1``, ..."""
        values = np.asarray(value, "float32")
        for i, number in enumerate(values.ravel()):
            name = f"{tag}/{i}" if values.ndim else tag
            self._summary(name, step, "scalars", _tensor("float32", (), number.tobytes()))

    def histogram(self, tag, values, step):
        """Write how an array's finite values are distributed."""
        values = np.asarray(values, "float64").ravel()
        values = values[np.isfinite(values)]
        if not values.size:
            buckets = np.zeros((_BUCKETS, 3))
        elif values.min() == values.max():
            buckets = np.full((_BUCKETS, 3), values[0])
            buckets[:, 2] = [0] * (_BUCKETS - 1) + [values.size]
        else:
            counts, edges = np.histogram(values, _BUCKETS)
            buckets = np.stack([edges[:-1], edges[1:], counts], axis=1)
        tensor = _tensor("float64", buckets.shape, buckets.astype("<f8").tobytes())
        self._summary(tag, step, "histograms", tensor)

    def images(self, tag, images, step):
        """Write the first images of a batch of shape (images, height, width, channels), with values in [0, 1]."""
        with np.errstate(invalid="ignore"):
            pixels = np.nan_to_num(np.clip(images[:_MOST_IMAGES] * 255.5, 0, 255)).astype(np.uint8)
        height, width = pixels.shape[1:3]
        strings = [str(width).encode(), str(height).encode(), *map(_png, pixels)]
        self._summary(tag, step, "images", _strings(strings, (len(strings),)))

    def keras_model(self, tag, json, step):
        """Write a model's JSON, of which TensorBoard draws a graph."""
        self._summary(tag, step, "graph_keras_model", _strings([json.encode()], ()), b"1")

    def flush(self):
        self._file.flush()

    def close(self):
        self._file.close()

    def _summary(self, tag, step, plugin, tensor, content=b""):
        metadata = _bytes(1, _bytes(1, plugin.encode()) + _bytes(2, content))
        value = _bytes(1, tag.encode()) + _bytes(9, metadata) + _bytes(8, tensor)
        self._write(_integer(2, int(step)) + _bytes(5, _bytes(1, value)))

    def _write(self, fields):
        event = b"\x09" + struct.pack("<d", time.time()) + fields
        length = struct.pack("<Q", len(event))
        self._file.write(length + _checksum(length) + event + _checksum(event))


# Messages: fields of a number and a value, see https://protobuf.dev/programming-guides/encoding


def _varint(number):
    parts = []
    while number > 127:
        parts.append(number & 127 | 128)
        number >>= 7
    return bytes([*parts, number])


def _integer(field, value):
    return _varint(field << 3) + _varint(value)


def _bytes(field, value):
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _tensor(dtype, shape, content):
    return _header(dtype, shape) + _bytes(4, content)


def _strings(strings, shape):
    return _header("string", shape) + b"".join(_bytes(8, string) for string in strings)


def _header(dtype, shape):
    return _integer(1, _TYPES[dtype]) + _bytes(2, b"".join(_bytes(2, _integer(1, size)) for size in shape))


def _png(pixels):
    """Return an array of shape (height, width, channels), of 1, 3 or 4 bytes, as a PNG file."""
    import zlib

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    height, width, channels = pixels.shape
    color = {1: 0, 3: 2, 4: 6}[channels]
    rows = np.zeros((height, 1 + width * channels), np.uint8)  # each begins with its filter: none
    rows[:, 1:] = pixels.reshape(height, -1)
    head = struct.pack(">IIBBBBB", width, height, 8, color, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


# Checksums: CRC-32C, masked since checksums of data that holds checksums are weak.


def _make_table():
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_TABLE = _make_table()


def _checksum(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc = crc >> 8 ^ _TABLE[(crc ^ byte) & 255]
    crc ^= 0xFFFFFFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)
