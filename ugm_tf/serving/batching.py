"""Rows of several requests in one call of the graph, as a server joins them."""

import collections
import dataclasses
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent import futures

import numpy as np
import tensorflow as tf

from ugm_tf.serving import warmup
from ugm_tf.serving.errors import ServingError, Unavailable, of_code

__all__ = ["Batcher"]

Batch = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True)
class _Task:
    name: str
    inputs: Batch
    rows: int
    joins: bool
    future: "futures.Future[dict[str, np.ndarray]]"


class Batcher:
    """A queue of requests, and the one thread that answers them.

    Args:
        run: From a signature's name and its inputs to its outputs; may raise errors of TensorFlow.
        max_batch: The most rows of a call.
        wait: How long a request waits for others, in seconds.
        most: How many rows may wait.
    """

    def __init__(
        self, run: Callable[[str, Batch], dict[str, np.ndarray]], max_batch: int, wait: float = 0.001, most: int = 1024
    ):
        self._run, self._max_batch, self._wait, self._most = run, max_batch, wait, most
        self._sizes = warmup.batch_sizes(max_batch)
        self._tasks: collections.deque[_Task] = collections.deque()
        self._rows, self._closed = 0, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def submit(self, name: str, inputs: Batch, joins: bool) -> "futures.Future[dict[str, np.ndarray]]":
        """Asks for the outputs of a signature.

        Args:
            name: The signature.
            inputs: Its inputs.
            joins: Whether they are as the signature says, so that their rows may be joined with others; else they are
                run by themselves, for the graph to refuse.

        Raises:
            Unavailable: If the queue is full, or closed.
        """
        rows = len(next(iter(inputs.values()))) if joins else 1
        task = _Task(name, inputs, rows, joins, futures.Future())
        with self._changed:
            if self._closed:
                raise Unavailable("This version is no longer served.")
            if self._rows + rows > self._most:
                raise Unavailable(f"The batch scheduling queue is full: {self._rows} rows wait.")
            self._tasks.append(task)
            self._rows += rows
            if len(self._tasks) == 1 or self._rows >= self._max_batch:
                self._changed.notify()  # else the thread has nothing to do yet: waking it costs more than a row
        return task.future

    def close(self) -> None:
        """Answers what waits, and ends."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while tasks := self._next():
            live = [task for task in tasks if task.future.set_running_or_notify_cancel()]
            if live:
                self._answer(live)

    def _next(self) -> list[_Task]:
        """The next requests that go together; none at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self._tasks or self._closed)
            if not self._tasks:
                return []
            end = time.monotonic() + self._wait
            while not self._closed and self._waiting() < self._max_batch and (left := end - time.monotonic()) > 0:
                self._changed.wait(left)
            first, others = self._tasks.popleft(), list[_Task]()
            found, rows = [first], first.rows
            for task in self._tasks:
                fits = _together(first, task) and rows + task.rows <= self._max_batch
                (found if fits else others).append(task)
                rows += task.rows if fits else 0
            self._tasks = collections.deque(others)
            self._rows -= rows
            return found

    def _waiting(self) -> int:
        first = self._tasks[0]
        return sum(task.rows for task in self._tasks if _together(first, task)) if first.joins else self._max_batch

    def _answer(self, tasks: Sequence[_Task]) -> None:
        try:
            outputs = self._run(tasks[0].name, self._joined(tasks))
        except Exception as error:
            if len(tasks) > 1:  # whose fault it was is known when they are asked one by one
                for task in tasks:
                    self._answer([task])
            else:
                tasks[0].future.set_exception(_as_served(error))
            return
        start = 0
        for task in tasks:
            part = {key: value[start : start + task.rows] for key, value in outputs.items()} if task.joins else outputs
            task.future.set_result(part)
            start += task.rows

    def _joined(self, tasks: Sequence[_Task]) -> Batch:
        """One batch of an allowed size, filled up with its first row."""
        rows = sum(task.rows for task in tasks)
        if not tasks[0].joins or rows == 0:
            return tasks[0].inputs
        padding = next(size for size in self._sizes if size >= rows) - rows
        out = {}
        for key in tasks[0].inputs:
            parts = [task.inputs[key] for task in tasks]
            first = next(part for part in parts if len(part))[:1]
            out[key] = np.concatenate([*parts, np.repeat(first, padding, 0)]) if padding or parts[1:] else parts[0]
        return out


def _together(first: _Task, task: _Task) -> bool:
    return first.joins and task.joins and first.name == task.name


def _as_served(error: Exception) -> ServingError:
    if isinstance(error, tf.errors.OpError):
        code = {number: name for name, number in _CODES.items()}[error.error_code]
        return of_code(code, error.message)
    return of_code("INTERNAL", f"{type(error).__name__}: {error}")


_CODES = {name: getattr(tf.errors, name) for name in dir(tf.errors) if isinstance(getattr(tf.errors, name), int)}
