"""Digits in CSV files, as Kaggle's "Digit Recognizer" has them: ``label,pixel0,...,pixel783``, then an image a line.

The numbers are found in the bytes by NumPy, a block of whole lines at a time. A block that is not as plain as that is
read once more, slowly, for the line and the column to blame.
"""

import numpy as np

SIZE = 28
PIXELS = SIZE * SIZE
CLASSES = 10
BLOCK = 1 << 19  # bytes; NumPy needs about ten times as much for a while
_COMMA, _NEWLINE, _ZERO = b",\n0"


def load_data(path, labels=True):
    """Return the images of a CSV file, and their labels.

    Numbers 0 to 255 go into bytes as they are, so divide by 255, or begin the model with ``Rescaling(1 / 255)``.
    MNIST's and Fashion-MNIST's files of this form, whose pixels are counted from 1, are read as well.

    Args:
        path: of the file, whose first line must be the header.
        labels: whether the file has them, in a first column `label`, as Kaggle's `train.csv` has and `test.csv` not.

    Returns:
        x: uint8 array of shape (samples, 28, 28). y: uint8 array of digits 0 to 9, of shape (samples,). Without
            labels x alone.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is empty, has another header or none, or a line has too few or too many columns or something
            that is not a whole number from 0 to 255 (labels: to 9). The message has the number of the line.
    """
    if not isinstance(labels, (bool, np.bool_)):
        raise ValueError(f"`labels` must be True or False: whether the file has them. Received: labels={labels!r}")
    columns, blocks = PIXELS + bool(labels), []
    with open(path, "rb") as file:
        _check_header(path, file.readline(1 << 16), bool(labels))
        line = 2
        for block in _whole_lines(file):
            rows = _parse(block, columns)
            if rows is None or (labels and rows[:, 0].max() >= CLASSES):
                rows = _parse_slowly(path, block, columns, bool(labels), line)
            blocks.append(rows)
            line += block.count(b"\n")
    if not sum(map(len, blocks)):
        raise ValueError(f"{path} has a header, but no line with an image after it")
    x = np.concatenate([rows[:, -PIXELS:] for rows in blocks]).reshape(-1, SIZE, SIZE)
    return (x, np.concatenate([rows[:, 0] for rows in blocks])) if labels else x


def save_submission(path, labels):
    """Write predicted digits as Kaggle expects them, whole or not at all: ``ImageId,Label``, then ``1,2`` and so on.

    Args:
        path: of the file; one that is there is replaced.
        labels: integers 0 to 9 of shape (samples,), in the order of the images, as ``predict(x).argmax(axis=1)``.

    Raises:
        ValueError: no such labels. OSError: the file cannot be written; one that was there is as it was.
    """
    labels = np.asarray(labels)
    if labels.ndim != 1 or labels.dtype.kind not in "iu":
        raise ValueError(
            "`labels` must be integers of shape (samples,): of probabilities take predict(x).argmax(axis=1). "
            f"Received: an array of {labels.dtype} and shape {labels.shape}"
        )
    wrong = np.flatnonzero((labels < 0) | (labels >= CLASSES))
    if wrong.size or not labels.size:
        found = f"{labels[wrong[0]]} in row {wrong[0]}" if wrong.size else "no labels at all"
        raise ValueError(f"`labels` must be digits 0 to 9, one for each image. Received: {found}")
    from minikeras.saving.atomic import replacing

    with replacing(path) as temporary, open(temporary, "x", encoding="ascii", newline="\n") as file:
        file.write("ImageId,Label\n")
        file.writelines(f"{number},{label}\n" for number, label in enumerate(labels.tolist(), 1))


def _check_header(path, line, labels):
    """The first line must name the columns in their order: another order would shuffle all pixels in silence."""
    names = [name.strip().strip('"') for name in line.decode("utf-8-sig", "replace").split(",")]
    wanted = "label,pixel0,...,pixel783" if labels else "pixel0,...,pixel783"
    if not line.strip():
        raise ValueError(f"{path} is empty or begins with an empty line. Expected the header {wanted}")
    has_labels = names[0] == "label"
    first = int(names[has_labels : has_labels + 1] == ["pixel1"])
    expected = ["label"] * has_labels + [f"pixel{first + i}" for i in range(PIXELS)]
    if names == expected and has_labels == labels:
        return
    if names == expected:
        hint = "it has no labels: load it with labels=False" if labels else "it has labels: load it with labels=True"
    elif all(name.isdigit() for name in names):
        hint = f"it has no header: put a first line {wanted} into the file"
    else:
        pairs = zip(names, expected)
        place = next((i for i, pair in enumerate(pairs) if pair[0] != pair[1]), min(len(names), len(expected)))
        found = f"is {names[place]!r:.40}" if place < len(names) else "is missing"
        due = f"{expected[place]!r}" if place < len(expected) else "the end of the line"
        hint = f"of {len(names)} columns, column {place + 1} {found}; expected {due}"
    raise ValueError(f"{path}, line 1: expected the header {wanted}, but {hint}")


def _whole_lines(file):
    """Yield the rest of a file in blocks that end with a line; the last line gets its end if it has none."""
    rest = b""
    while data := file.read(BLOCK):
        cut = data.rfind(b"\n") + 1
        if cut:
            yield rest + data[:cut]
            rest = data[cut:]
        else:
            rest += data
    if rest:
        yield rest + b"\n"


def _parse(block, columns):
    """Return the numbers of a block as uint8 rows, None where it is not digits, commas and ends of lines only."""
    text = np.frombuffer(block.replace(b"\r\n", b"\n"), np.uint8)
    digits = text - _ZERO  # modulo 256: what is no digit is above 9
    separators = digits > 9
    ends = np.flatnonzero(separators)
    kinds = text[ends]
    newlines = np.flatnonzero(kinds == _NEWLINE)
    if len(ends) % columns or not np.array_equal(newlines, np.arange(columns - 1, len(ends), columns)):
        return None
    if np.count_nonzero(kinds == _COMMA) + len(newlines) != len(ends):
        return None
    lengths = np.diff(ends, prepend=-1) - 1
    if lengths.min() < 1 or lengths.max() > 3:
        return None
    digits[separators] = 0
    values = digits[ends - 1].astype(np.uint16)
    values += np.where(lengths > 1, digits[ends - 2], 0) * np.uint16(10)
    values += np.where(lengths > 2, digits[ends - 3], 0) * np.uint16(100)
    if values.max() > 255:
        return None
    return values.astype(np.uint8).reshape(-1, columns)


def _parse_slowly(path, block, columns, labels, line):
    """Return the numbers of a block line by line, past blanks, quotes and empty lines; or say what is wrong where."""
    rows = []
    for number, text in enumerate(block.split(b"\n")[:-1], line):
        if not text.strip():
            continue
        fields = [field.strip().strip(b'"') for field in text.split(b",")]
        if len(fields) != columns:
            raise ValueError(
                f"{path}, line {number}: {len(fields)} columns instead of {columns}. A line is one image: "
                f"{'its label and ' if labels else ''}{PIXELS} pixels, between commas"
            )
        for column, field in enumerate(fields):
            highest = CLASSES - 1 if labels and column == 0 else 255
            if not field.isdigit() or len(field) > 9 or int(field) > highest:
                name = "the label" if labels and column == 0 else f"pixel {column - labels + 1} of {PIXELS}"
                shown = field[:40].decode("utf-8", "replace")
                raise ValueError(
                    f"{path}, line {number}, column {column + 1}: {name} must be a whole number from 0 to {highest}. "
                    f"Received: {shown!r}"
                )
        rows.append([int(field) for field in fields])
    return np.array(rows, np.uint8).reshape(-1, columns)
