"""A local server of SavedModels, for development and tests: what TensorFlow Serving answers, without its binary."""

import pathlib
import threading
from collections.abc import Mapping
from concurrent import futures
from typing import Any

import numpy as np

from ugm_tf.serving import grpc_api, rest_api
from ugm_tf.serving.errors import DeadlineExceeded, Unavailable, of_code
from ugm_tf.serving.servables import Servable, Servables

__all__ = ["LocalServer"]

_TIMEOUT = 30.0  # of requests that have no deadline


class LocalServer:
    """Serves the models below a base path by gRPC and REST, on this machine alone.

    It is for development and tests, and no more: it is of Python, and has no authentication.  Its answers, error codes
    and addresses are those of TensorFlow Serving, as are its manners: it joins the rows of requests, replays warm-up
    requests, and looks for new versions.

    Args:
        base: The base path, as `ugm_tf.serving.export_bundle` writes it.
        grpc_port: A free port; 0 picks one, None leaves gRPC out.
        rest_port: A free port; 0 picks one, None leaves REST out.
        poll: How often it looks for new versions, in seconds.

    Raises:
        ValueError: If there is no base path, its models.config cannot be read, or a port is taken.

    Example:

    >>> model = ugm_tf.load_model("run/model.keras")
    >>> version = ugm_tf.serving.export_bundle(model, "models", "digits", endpoints=["sample"])
    >>> with ugm_tf.serving.LocalServer("models", grpc_port=None, rest_port=0) as server:
    ...     print(ugm_tf.serving.Client(server.rest, "digits").sample(3).shape)
    (3, 8, 8, 1)
    """

    def __init__(
        self,
        base: str | pathlib.Path,
        grpc_port: int | None = 8500,
        rest_port: int | None = 8501,
        poll: float = 1.0,
    ):
        if not pathlib.Path(base).is_dir():
            raise ValueError(f"There is no folder {base}: give the base path of an export.")
        if not 0 < poll <= threading.TIMEOUT_MAX:
            raise ValueError(f"poll is a number of seconds above 0. Received: {poll}.")
        self.servables = Servables(base, poll)
        self._ends: list[Any] = []
        self.grpc = self.rest = ""
        try:
            if grpc_port is not None:
                self.grpc, end = grpc_api.start(self, grpc_port)
                self._ends.append(end)
            if rest_port is not None:
                self.rest, end = rest_api.start(self, rest_port)
                self._ends.append(end)
        except ImportError:
            self.close()
            raise
        except (OSError, OverflowError, RuntimeError) as error:
            self.close()
            raise ValueError(f"A port cannot be listened to: {error}. Give another one.") from error

    def ask(
        self,
        spec: tuple[str, int | None, str | None],
        signature: str,
        inputs: Mapping[str, np.ndarray],
    ) -> "tuple[Servable, futures.Future[dict[str, np.ndarray]]]":
        """Asks the version that a request is for.

        Args:
            spec: The model's name, and a version or a label, if the request has one.
            signature: The signature's name, "" for the default.
            inputs: Its inputs.

        Raises:
            ServingError: As TensorFlow Serving would answer.
        """
        servable = self.servables.get(*spec)
        try:
            return servable, servable.ask(signature, inputs)
        except Unavailable:
            other = self.servables.get(*spec)
            if other is servable:
                raise
            return other, other.ask(signature, inputs)  # it was switched in between

    @staticmethod
    def outputs(future: "futures.Future[dict[str, np.ndarray]]", timeout: float = _TIMEOUT) -> dict[str, np.ndarray]:
        """Waits for the outputs.

        Args:
            future: What `ask` returned.
            timeout: How long to wait, in seconds.

        Raises:
            ServingError: As the graph refused, or if it takes too long.
        """
        try:
            return future.result(timeout)
        except futures.TimeoutError as error:
            future.cancel()
            raise DeadlineExceeded(f"There was no answer in {timeout:.1f} s.") from error
        except futures.CancelledError as error:
            raise of_code("CANCELLED", "The client went away.") from error

    def close(self) -> None:
        """Ends the server; requests that wait are answered."""
        for end in self._ends:
            end()
        self._ends.clear()
        self.servables.close()

    def __enter__(self) -> "LocalServer":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
