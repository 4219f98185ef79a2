"""Lists of integers out of .npz files that hold them as pickled object arrays, without unpickling.

A pickle is a program, and Python's `pickle` runs it: a forged file could do anything. This reader knows only the
instructions that such an array needs: they put integers, texts and lists of them on a stack. Functions are never called
nor looked up: their names stay texts, and an array is made where NumPy's own `_reconstruct` is named.
"""

import re
import zipfile

import numpy as np

LARGEST = 1 << 30  # bytes of one array, unpacked
_ARRAY, _DTYPE, _BYTES = "array", "dtype", "bytes"
# The functions that may be named, and what calling them would make.
_FUNCTIONS = {
    ("numpy.core.multiarray", "_reconstruct"): _ARRAY,
    ("numpy._core.multiarray", "_reconstruct"): _ARRAY,
    ("numpy", "dtype"): _DTYPE,
    ("_codecs", "encode"): _BYTES,  # so Python 2's bytes are written
    ("numpy", "ndarray"): None,
}
_INTEGERS = re.compile(rb"(?:K.|M..|J....)+", re.DOTALL)
_INTEGER = re.compile(rb"K.|M..|J....", re.DOTALL)


class NpzOfLists:
    """Stands in for what `numpy.load` returns: arrays of numbers, and arrays of lists of integers, by name."""

    def __init__(self, file, allow_pickle=False):
        self.archive = zipfile.ZipFile(file)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.archive.close()

    def __contains__(self, name):
        return f"{name}.npy" in self.archive.namelist()

    def __getitem__(self, name):
        info = self.archive.getinfo(f"{name}.npy")
        if info.file_size > LARGEST:
            raise ValueError(f"array {name!r} has {info.file_size} bytes")
        with self.archive.open(info) as member:
            old = np.lib.format.read_magic(member) == (1, 0)
            header = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
            shape, _, dtype = header(member)
            if dtype.hasobject:
                return read_lists(member.read(), shape)
        with self.archive.open(info) as member:
            return np.lib.format.read_array(member, allow_pickle=False)


def read_lists(data, shape):
    """Return the 1-D object array of lists of integers that ``data``, the bytes of a pickle, describes.

    Raises:
        ValueError: it is anything else.
    """
    try:
        result = _run(data)
    except (IndexError, KeyError, TypeError, OverflowError, RecursionError, UnicodeDecodeError) as error:
        raise ValueError(f"no pickle of lists of integers: {type(error).__name__} {error}") from error
    if not isinstance(result, list) or (len(result),) != tuple(shape):
        raise ValueError(f"no pickle of {shape} lists of integers")
    for row in result:
        if type(row) is not list or not set(map(type, row)) <= {int}:
            raise ValueError("the array holds something else than lists of integers")
    array = np.empty(len(result), object)
    array[:] = result
    return array


class _Made:
    """What a call would have returned: an array (whose rows come later) or its type."""

    def __init__(self, kind):
        self.kind = kind
        self.rows = None


def _run(data):
    """Return the rows of the array that the pickle makes. One turn of the loop is one instruction."""
    stack, marks, memo, at, end = [], [], {}, 0, len(data)

    def since_mark():
        place = marks.pop()
        items = stack[place:]
        del stack[place:]
        return items

    def number(size):
        return int.from_bytes(data[at : at + size], "little")

    def text_of(size):
        if at + size > end:
            raise ValueError("the data end too early")
        return data[at : at + size]

    while at < end:
        code = data[at]
        at += 1
        if code in b"KMJ":  # integers of one, two and four bytes: nearly all of the file, so a whole run at once
            run = _INTEGERS.match(data, at - 1)
            if run is None:
                raise ValueError("the data end too early")
            stack += _integers(run.group())
            at = run.end()
        elif code == 0x65:  # e: append all since the mark to the list before it
            items = since_mark()
            _list(stack[-1]).extend(items)
        elif code == 0x61:  # a: append one
            item = stack.pop()
            _list(stack[-1]).append(item)
        elif code == 0x5D:  # ]: a new list
            stack.append([])
        elif code == 0x28:  # (: a mark
            marks.append(len(stack))
        elif code == 0x94:  # remember the top of the stack
            memo[len(memo)] = stack[-1]
        elif code == 0x71:  # q: remember it under a number
            memo[data[at]] = stack[-1]
            at += 1
        elif code == 0x72:  # r: under a number of four bytes
            memo[number(4)] = stack[-1]
            at += 4
        elif code == 0x68:  # h: recall
            stack.append(memo[data[at]])
            at += 1
        elif code == 0x6A:  # j: recall, four bytes
            stack.append(memo[number(4)])
            at += 4
        elif code == 0x8A:  # a long integer: its size, then its bytes
            size = data[at]
            at += 1
            stack.append(int.from_bytes(text_of(size), "little", signed=True))
            at += size
        elif code == 0x80:  # the protocol
            at += 1
        elif code == 0x95:  # a frame: says only how long it is
            at += 8
        elif code in (0x43, 0x55, 0x8C):  # C, U and a short text: their length, then their bytes
            size = data[at]
            at += 1
            stack.append(bytes(text_of(size)).decode("latin-1"))
            at += size
        elif code == 0x58:  # X: a text with a length of four bytes
            size = number(4)
            at += 4
            stack.append(bytes(text_of(size)).decode("latin-1"))
            at += size
        elif code == 0x63:  # c: the name of a function, in two lines
            first = data.index(b"\n", at)
            second = data.index(b"\n", first + 1)
            stack.append(_function(data[at:first].decode("ascii"), data[first + 1 : second].decode("ascii")))
            at = second + 1
        elif code == 0x93:  # the same, from two texts
            name = stack.pop()
            stack.append(_function(stack.pop(), name))
        elif code == 0x85:  # tuples of one, two, three, and of all since the mark
            stack[-1:] = [tuple(stack[-1:])]
        elif code == 0x86:
            stack[-2:] = [tuple(stack[-2:])]
        elif code == 0x87:
            stack[-3:] = [tuple(stack[-3:])]
        elif code == 0x74:
            stack.append(tuple(since_mark()))
        elif code == 0x29:
            stack.append(())
        elif code == 0x4E:  # N, and the truth values
            stack.append(None)
        elif code in (0x88, 0x89):
            stack.append(code == 0x88)
        elif code == 0x52:  # R: call a function
            arguments = stack.pop()
            kind = stack.pop()
            if not isinstance(kind, tuple) or kind[0] != "function" or kind[1] is None or type(arguments) is not tuple:
                raise ValueError("a call of something else than NumPy's array and dtype")
            stack.append(arguments[0] if kind[1] == _BYTES else _Made(kind[1]))
        elif code == 0x62:  # b: give what was made its state
            state = stack.pop()
            made = stack[-1]
            if not isinstance(made, _Made) or type(state) is not tuple:
                raise ValueError("a state for something else than an array or dtype")
            if made.kind == _ARRAY:
                made.rows = state[4]  # version, shape, dtype, order, rows
        elif code == 0x2E:  # .: the end
            made = stack.pop()
            if stack or not isinstance(made, _Made) or made.kind != _ARRAY:
                raise ValueError("it is no array")
            return made.rows
        else:
            raise ValueError(f"instruction {code:#04x} at byte {at - 1} has no place in lists of integers")
    raise ValueError("the data end too early")


def _integers(run):
    """Filled up with zeros, all are as long as the longest: the letter and four bytes."""
    padded = b"".join([item.ljust(5, b"\0") for item in _INTEGER.findall(run)])
    return np.frombuffer(padded, [("letter", "S1"), ("value", "<i4")])["value"].tolist()


def _list(value):
    if type(value) is not list:
        raise ValueError("something is appended to what is no list")
    return value


def _function(module, name):
    if (module, name) not in _FUNCTIONS:
        raise ValueError(f"it names {module}.{name}, which has no place in lists of integers")
    return "function", _FUNCTIONS[module, name]
