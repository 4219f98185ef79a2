"""Reading ahead: a thread prepares the next elements while the caller works with the present one.

Files are read and decoded outside of the interpreter lock, as NumPy computes, so both go on at the same time.
"""

import atexit
import contextvars
import threading
from queue import SimpleQueue

from minikeras.messages import remember_line

ELEMENTS = 2  # one that is ready, and one that is being made


class _Reader(threading.Thread):
    """Puts elements into `ready`, as many as there are `places`; at the end (None, None), or (None, the error)."""

    def __init__(self, iterable, count):
        super().__init__(daemon=True, name="minikeras-read-ahead")
        self.iterable = iterable
        self.places = threading.Semaphore(count)
        self.ready = SimpleQueue()
        self.stopped = False
        self.context = contextvars.copy_context()  # NumPy's error state is the caller's
        self.context.run(remember_line)

    def run(self):
        atexit.register(self.stop)  # a thread that the interpreter's end finds at work may crash it
        try:
            self.context.run(self._read)
        except BaseException as error:  # handed to the caller, who raises it
            self.ready.put((None, error))
        else:
            self.ready.put((None, None))
        finally:
            atexit.unregister(self.stop)

    def _read(self):
        iterator, self.iterable = iter(self.iterable), None
        while True:
            self.places.acquire()
            if self.stopped:
                return
            try:
                element = next(iterator)
            except StopIteration:
                return
            self.ready.put(((element,), None))
            del element  # it is the caller's now

    def stop(self):
        """Let the thread end once the element that it works on is done, and wait for that."""
        self.stopped = True
        self.places.release()
        if not isinstance(threading.current_thread(), _Reader):  # where the garbage collector may have come to this:
            self.join()  # one reader may be waiting for the other's elements


def read_ahead(iterable, count=ELEMENTS):
    """Yield the elements of ``iterable``, which a thread of its own reads up to ``count`` elements ahead.

    The order is that of ``iterable``. An error there is raised here, after the elements before it. The thread starts
    with the first element that is asked for; it has ended when this generator has (a moment later where another such
    thread was reading this one): at the end, or when the generator is closed, dropped, or left over at the end of the
    program. A forked process cannot go on with it: RuntimeError.
    """
    reader = _Reader(iterable, count)
    del iterable  # the thread alone holds it, and lets go of it at its end
    reader.start()
    try:
        while True:
            if not reader.is_alive() and reader.ready.empty():
                raise RuntimeError("Elements are read ahead by a thread, which a fork does not copy: iterate anew")
            element, error = reader.ready.get()
            if error is not None:
                raise error
            if element is None:
                return
            reader.places.release()
            yield element[0]
            del element
    finally:
        error = None  # which holds this frame
        reader.stop()
