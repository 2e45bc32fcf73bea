"""How a contender takes its turns: it trains while its turn lasts, and waits on a pipe while the others run."""

import argparse
import dataclasses
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.works import WORKS, Work

__all__ = ["Setup", "Turns", "start"]


class Turns:
    """The clock of one contender.

    `ready` is called once, after the steps whose losses are compared; `trained` after every call that trained.
    Both return when it is this contender's turn (again), and end the process when there are no more turns.

    Args:
        pipe: The file descriptor to answer on, in lines of JSON; turns are asked for on standard input.
    """

    def __init__(self, pipe: int):
        self._pipe = os.fdopen(pipe, "w")
        self._images, self._seconds, self._begin, self._begin_cpu = 0, 0.0, 0.0, 0.0

    def ready(self, **facts: Any) -> None:
        """Reports what is to be compared, and waits for the first turn."""
        self._answer(facts)

    def trained(self, images: int) -> None:
        """Counts images; ends the turn if its time is over."""
        self._images += images
        elapsed = time.perf_counter() - self._begin
        if elapsed >= self._seconds:
            cpu = time.process_time() - self._begin_cpu
            self._answer({"images": self._images, "seconds": elapsed, "cpu_seconds": cpu})

    def _answer(self, facts: dict[str, Any]) -> None:
        self._pipe.write(json.dumps(facts) + "\n")
        self._pipe.flush()
        line = sys.stdin.readline()
        if not line:  # the end: threads of tf.data or of PyTorch must not keep the process
            os._exit(0)
        self._images, self._seconds = 0, float(line)
        self._begin, self._begin_cpu = time.perf_counter(), time.process_time()


@dataclasses.dataclass(frozen=True)
class Setup:
    """What a contender is given.

    Args:
        contender: Its name.
        work: What it trains.
        images: The data, uint8 [N, 28, 28, 1].
        threads: How many threads it may compute with.
        turns: Its clock.
    """

    contender: str
    work: Work
    images: np.ndarray
    threads: int
    turns: Turns

    def rows(self) -> Iterator[np.ndarray]:
        """Without end, rows of one superstep: shuffled epochs, int32 [superstep, B]."""
        rng, shape = np.random.default_rng(0), (self.work.superstep, self.work.batch)
        size = shape[0] * shape[1]
        while True:
            order = rng.permutation(len(self.images)).astype(np.int32)
            for start in range(0, len(order) - size + 1, size):
                yield order[start : start + size].reshape(shape)


def start(train: Callable[[Setup], None]) -> None:
    """Runs a contender's process: reads its command line, then trains until the pipe is closed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--contender", required=True)
    parser.add_argument("--work", required=True, choices=WORKS)
    parser.add_argument("--images", required=True, help="A .npy file, uint8 [N, 28, 28, 1].")
    parser.add_argument("--threads", required=True, type=int)
    arguments = parser.parse_args()
    pipe = os.dup(1)
    os.dup2(2, 1)  # what libraries print does not belong on the pipe
    images = np.load(arguments.images)
    train(Setup(arguments.contender, WORKS[arguments.work], images, arguments.threads, Turns(pipe)))
