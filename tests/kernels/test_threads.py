"""Threads: shares run once each, errors come back, nesting and forking do no harm."""

import os
import threading

import numpy as np
import pytest

from minikeras.kernels import products, threads
from minikeras.kernels.scratch import scratch


@pytest.mark.parametrize("n", [1, 2, 3, 5])
def test_each_share_runs_once(n):
    bounds = threads.split(11, n)
    covered, shares = np.zeros(11, int), [None] * n

    def run(share, start, stop):
        covered[start:stop] += 1
        shares[share] = threads.current_share()

    threads.run_shares(run, bounds)
    assert (covered == 1).all()
    assert shares == list(range(n))
    assert threads.current_share() == 0


def test_split():
    assert threads.split(10, 2) == [0, 5, 10]
    assert threads.split(10, 3) == [0, 3, 6, 10]
    assert threads.split(2, 3) == [0, 0, 1, 2]
    assert threads.split(100, 2, 16) == [0, 48, 100]


@pytest.mark.parametrize("failing", [0, 1, 2])
def test_errors_come_back(failing):
    finished = []

    def run(share, start, stop):
        if share == failing:
            raise KeyError(share)
        finished.append(share)

    with pytest.raises(KeyError, match=str(failing)):
        threads.run_shares(run, [0, 1, 2, 3])
    assert sorted(finished) == sorted({0, 1, 2} - {failing})
    threads.run_shares(lambda share, start, stop: finished.append(share), [0, 1, 2, 3])  # the threads are still there
    assert len(finished) == 5


def test_nested_calls_stay_on_their_thread():
    seen = []

    def inner(share, start, stop):
        seen.append((threading.current_thread().name, threading.get_ident()))

    def outer(share, start, stop):
        before = len({ident for _, ident in seen})
        assert before <= 3
        threads.run_shares(inner, [0, 1, 2])

    threads.run_shares(outer, [0, 1, 2, 3])
    assert len(seen) == 6
    assert len({ident for _, ident in seen}) <= 3


def test_calls_from_several_threads():
    results = []

    def work(number):
        for _ in range(50):
            total = np.zeros(3)

            def run(share, start, stop, total=total):
                total[share] = number

            threads.run_shares(run, [0, 1, 2, 3])
            results.append((total == number).all())

    callers = [threading.Thread(target=work, args=(number,)) for number in (1, 2, 3)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(results) == 150
    assert all(results)


def test_products_do_not_depend_on_the_number_of_threads(monkeypatch):
    rng = np.random.default_rng(0)
    for m, k, n in ((300, 200, 100), (100, 200, 300), (5, 2000, 1000), (1, 5000, 2000)):
        a, b = rng.standard_normal((m, k)), rng.standard_normal((k, n))
        for number in (1, 2, 3):
            monkeypatch.setattr(threads, "_num_threads", number)
            out = np.full((m, n), np.nan)
            products.matmul(a, b, out)
            np.testing.assert_allclose(out, a @ b, rtol=1e-10, atol=1e-10)


def test_scratch_belongs_to_its_thread():
    pieces = [None] * 3

    def run(share, start, stop):
        pieces[share] = scratch("test", (4,), np.dtype("float64"))
        pieces[share][:] = share

    threads.run_shares(run, [0, 1, 2, 3])
    assert [piece[0] for piece in pieces] == [0, 1, 2]
    assert scratch("test", (2, 2), np.dtype("float64")).base is pieces[0].base


def test_blas_is_held_to_one_thread():
    from threadpoolctl import threadpool_info

    def number():
        return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]

    before = number()
    with threads.single_threaded_blas():
        assert set(number()) == {1}
        with threads.single_threaded_blas():
            pass
        assert set(number()) == {1}
    assert number() == before


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning")
def test_a_forked_process_has_threads_of_its_own():
    threads.run_shares(lambda *share: None, [0, 1, 2])
    child = os.fork()
    if child == 0:  # no pytest in here: leave with a status only
        status = 1
        try:
            seen = []
            threads.run_shares(lambda share, start, stop: seen.append(share), [0, 1, 2])
            status = 0 if sorted(seen) == [0, 1] else 2
        finally:
            os._exit(status)
    for _ in range(500):
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            break
        threading.Event().wait(0.01)
    else:
        os.kill(child, 9)
        os.waitpid(child, 0)
        pytest.fail("the forked process hangs")
    assert os.waitstatus_to_exitcode(status) == 0


def test_number_of_threads(monkeypatch):
    monkeypatch.setattr(threads, "_num_threads", None)
    monkeypatch.setenv("MINIKERAS_NUM_THREADS", "3")
    assert threads.num_threads() == 3
    monkeypatch.setattr(threads, "_num_threads", None)
    monkeypatch.setenv("MINIKERAS_NUM_THREADS", "many")
    with pytest.raises(ValueError, match=r"MINIKERAS_NUM_THREADS.*'many'"):
        threads.num_threads()
    monkeypatch.delenv("MINIKERAS_NUM_THREADS")
    assert threads.num_threads() >= 1
    threads.set_num_threads(2)
    assert threads.num_threads() == 2
    for value in (0, -1, 1.5, True, "2"):
        with pytest.raises(ValueError, match="`n`"):
            threads.set_num_threads(value)
