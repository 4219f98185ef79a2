"""RemoteMonitor with a server of the test's own; logs that hold arrays or dicts, in every callback that reads them."""

import http.server
import json
import socket
import threading
import urllib.parse

import numpy as np
import pytest

import minikeras
from minikeras.callbacks import (
    Callback,
    CallbackList,
    CSVLogger,
    EarlyStopping,
    LambdaCallback,
    ModelCheckpoint,
    ReduceLROnPlateau,
    RemoteMonitor,
    TerminateOnNaN,
)
from tests.test_callbacks import FakeModel, fit


class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.received.append((self.path, dict(self.headers), body.decode()))
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "*")
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        server.received, server.status = [], 200
        server.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


LOGS = {"loss": np.float32(0.5), "f1": np.array([0.25, 1.0]), "name": "a & b = é"}
SENT = {"loss": 0.5, "f1": [0.25, 1.0], "name": "a & b = é"}


def test_logs_are_sent_as_a_form(server):
    fit(FakeModel(), [RemoteMonitor(server.url)], [LOGS] * 2)
    assert [path for path, _, _ in server.received] == ["/publish/epoch/end/"] * 2
    path, headers, body = server.received[1]
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    form = urllib.parse.parse_qs(body, strict_parsing=True)
    assert list(form) == ["data"]
    assert json.loads(form["data"][0]) == {"epoch": 1, **SENT}


def test_logs_are_sent_as_json(server):
    monitor = RemoteMonitor(server.url, "/x", "unused", {"X-Key": "1", "Content-Type": "application/own"}, True)
    fit(FakeModel(), [monitor], [LOGS])
    path, headers, body = server.received[0]
    assert (path, headers["X-Key"], headers["Content-Type"]) == ("/x", "1", "application/own")
    assert json.loads(body) == {"epoch": 0, **SENT}
    fit(FakeModel(), [RemoteMonitor(server.url, send_as_json=True)], [LOGS])
    assert server.received[1][1]["Content-Type"] == "application/json"


def test_nan_is_sent_in_forms_only(server):
    fit(FakeModel(), [RemoteMonitor(server.url, field="f")], [{"loss": float("nan")}])
    assert urllib.parse.parse_qs(server.received[0][2])["f"] == ['{"epoch": 0, "loss": NaN}']
    with pytest.warns(UserWarning, match="cannot send NaN or infinity as JSON: the logs of epoch 1 are not sent"):
        fit(FakeModel(), [RemoteMonitor(server.url, send_as_json=True)], [{"loss": float("nan")}])
    assert len(server.received) == 1


def test_a_server_that_refuses(server):
    server.status = 404
    with pytest.warns(UserWarning, match="refuses the logs: HTTP Error 404.*`path` '/publish/epoch/end/'"):
        history = fit(FakeModel(), [RemoteMonitor(server.url)], [LOGS] * 2)
    assert history.epoch == [0, 1]


def test_no_server():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # nobody listens
        monitor = RemoteMonitor(f"http://127.0.0.1:{taken.getsockname()[1]}")
        with pytest.warns(UserWarning, match="Could not reach RemoteMonitor root server at http://127.0.0.1"):
            history = fit(FakeModel(), [monitor], [LOGS] * 2)
    assert history.epoch == [0, 1]


def test_a_server_that_does_not_answer(monkeypatch):
    monkeypatch.setattr(RemoteMonitor, "timeout", 0.05)
    monkeypatch.setenv("no_proxy", "*")
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.warns(UserWarning, match="Could not reach"):
            fit(FakeModel(), [RemoteMonitor(f"http://127.0.0.1:{silent.getsockname()[1]}")], [LOGS])


def test_an_address_with_a_space():
    with pytest.warns(UserWarning, match="Could not reach"):
        fit(FakeModel(), [RemoteMonitor("http://127.0.0.1:9", path="/a b")], [LOGS])


@pytest.mark.parametrize("root", ["localhost:9000", "file:///etc/passwd", None, 9000])
def test_root(root):
    with pytest.raises(ValueError, match="`root` must be an address"):
        RemoteMonitor(root)


# Arrays and dicts


ARRAY = np.array([0.25, 0.75], "float32")


def test_history_keeps_arrays_and_dissolves_dicts():
    logs = {"f1": ARRAY, "counts": {"tp": np.int64(3), "matrix": np.eye(2)}, "loss": np.float32(0.5)}
    history = fit(FakeModel(), [], [logs] * 2).history
    assert list(history) == ["matrix", "tp", "f1", "loss"]
    assert history["tp"] == [3.0, 3.0]
    np.testing.assert_array_equal(history["f1"], [ARRAY, ARRAY])
    np.testing.assert_array_equal(history["matrix"][1], np.eye(2))


def test_batches_get_plain_logs():
    seen = []
    run = CallbackList(LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs)), model=FakeModel())
    given = {"loss": np.float32(0.5), "accuracy": np.array(0.25), "more": {"a": 1}}
    run.on_train_batch_end(0, given)
    run.on_train_batch_end(1)
    assert seen == [{"accuracy": 0.25, "loss": 0.5, "a": 1.0}, {}]
    assert all(type(value) is float for value in seen[0].values())
    assert list(given) == ["loss", "accuracy", "more"]


def test_the_older_names_get_plain_logs():
    seen = []

    class Old(Callback):
        def on_batch_begin(self, batch, logs=None):
            seen.append((batch, logs))

        def on_batch_end(self, batch, logs=None):
            seen.append((batch, logs))

    run = CallbackList(Old())
    run.on_batch_begin(0)
    run.on_batch_end(0, {"loss": np.float32(0.5)})
    assert seen == [(0, {}), (0, {"loss": 0.5})]


def test_arrays_in_a_csv_file(tmp_path):
    fit(FakeModel(), [CSVLogger(tmp_path / "log.csv")], [{"f1": ARRAY, "loss": np.array(0.5), "val_f1": ARRAY}])
    row = '0,"""[0.25, 0.75]""",0.5,"""[0.25, 0.75]"""'
    assert (tmp_path / "log.csv").read_text().splitlines() == ["epoch,f1,loss,val_f1", row]


def test_arrays_on_the_screen(capsys):
    fit(FakeModel(), [], [{"f1": ARRAY, "loss": 0.5}], verbose=2)
    assert "f1: 0.5000 - loss: 0.5000" in capsys.readouterr().out


@pytest.mark.parametrize("make", [EarlyStopping, ReduceLROnPlateau])
def test_arrays_cannot_be_watched(make):
    model = FakeModel()
    with pytest.raises(ValueError, match=r"monitor='f1', which must be one number.*shape \(2,\).*average='macro'"):
        fit(model, [make("f1", mode="max")], [{"f1": ARRAY}])


def test_no_best_model_by_an_array(tmp_path):
    path = tmp_path / "{epoch}.weights.h5"
    checkpoint = ModelCheckpoint(path, "f1", save_best_only=True, save_weights_only=True, mode="max")
    with pytest.warns(UserWarning, match=r"monitor='f1' is an array of shape \(2,\), .* saves each time"):
        fit(FakeModel(), [checkpoint], [{"f1": ARRAY}, {"f1": ARRAY - 1}])
    assert sorted(file.name for file in tmp_path.iterdir()) == ["1.weights.h5", "2.weights.h5"]


def test_arrays_in_the_name_of_a_file(tmp_path):
    path = tmp_path / "{f1:.2f}.weights.h5"
    with pytest.raises(ValueError, match="cannot be formatted"):
        fit(FakeModel(), [ModelCheckpoint(path, save_weights_only=True)], [{"f1": ARRAY}])


def test_a_metric_that_is_an_array(tmp_path):
    """F1Score gives a number a class, in fit itself."""
    model = minikeras.Sequential([minikeras.layers.Dense(3, activation="softmax")])
    model.compile("sgd", "categorical_crossentropy", metrics=[minikeras.metrics.F1Score()])
    x, y = np.eye(6, 4, dtype="float32"), np.eye(3, dtype="float32")[[0, 1, 2, 0, 1, 2]]
    seen = []
    look = LambdaCallback(on_train_batch_end=lambda batch, logs: seen.append(logs["f1_score"].shape))
    callbacks = [look, CSVLogger(tmp_path / "log.csv"), TerminateOnNaN(), EarlyStopping()]
    history = model.fit(x, y, epochs=2, verbose=2, validation_data=(x, y), callbacks=callbacks)
    assert [value.shape for value in history.history["val_f1_score"]] == [(3,)] * 2
    assert seen == [(3,)] * 2
    assert (tmp_path / "log.csv").read_text().count('"""[') == 4


def test_lines_go_to_the_log_when_interactive_logging_is_off(capsys, caplog):
    minikeras.config.disable_interactive_logging()
    try:
        with caplog.at_level("INFO"):
            fit(FakeModel(), [EarlyStopping(patience=0, verbose=1)], [{"val_loss": 1.0}] * 3)
    finally:
        minikeras.config.enable_interactive_logging()
    assert capsys.readouterr().out == ""
    assert "Epoch 2: early stopping" in caplog.text
