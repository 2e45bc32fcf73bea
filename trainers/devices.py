"""On what a run trains: one device, all GPUs of a machine, or several machines."""

import contextlib
import functools
import json
import logging
import os
import pathlib
import signal
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import tensorflow as tf

import ugm_tf
from ugm_tf import replicas

__all__ = ["NAMES", "ONE", "TRY_AGAIN", "Lost", "Devices", "log_to", "losing", "of"]

NAMES = ("auto", "one", "mirrored", "multiworker")
TRY_AGAIN = 75  # EX_TEMPFAIL of sysexits.h: starting it again may help
_LOG = logging.getLogger("ugm_tf.trainers")


class Devices:
    """The devices of a run.

    Args:
        strategy: The distribution strategy; None for one device.

    Attributes:
        chief: Whether this process writes the run directory.
        index: Number of this process among those that train together.
        processes: How many they are.
    """

    def __init__(self, strategy: Any = None):
        self.strategy = strategy
        self.chief, self.processes = replicas.is_chief(strategy), replicas.processes(strategy)
        resolver = getattr(strategy, "cluster_resolver", None)
        self.index = 0 if resolver is None or resolver.task_id is None else int(resolver.task_id)

    def made(self, make: Callable[[], ugm_tf.UnifiedModel]) -> ugm_tf.UnifiedModel:
        """A model that trains on these devices."""
        if self.strategy is None:
            return make()
        with self.strategy.scope():
            return make()

    def on_one(self, model: ugm_tf.UnifiedModel) -> ugm_tf.UnifiedModel:
        """The model on one device, compiled alike, with the weights and slots of a trained one."""
        if self.strategy is None:
            return model
        copy = ugm_tf.UnifiedModel.from_config(model.get_config())
        copy.compile_from_config(model.get_compile_config() or {})
        pairs = [(copy.variables, model.variables)]
        pairs += [(copy.optimizers[name].variables, own.variables) for name, own in model.optimizers.items()]
        for left, right in pairs:
            for variable, trained in zip(left, right, strict=True):
                variable.assign(trained.numpy())
        return copy

    def wait_for_all(self) -> None:
        """Returns when every process is here: TensorFlow ends the others where one leaves."""
        self.sums([1.0])

    def sums(self, values: Sequence[float]) -> list[float]:
        """Sums over all devices of what each process gives, in the same place of each."""
        return list(values) if self.processes == 1 else self._summed(tf.constant(values)).numpy().tolist()

    @functools.cached_property
    def _summed(self) -> Callable[[tf.Tensor], tf.Tensor]:
        @tf.function(autograph=False)
        def summed(values: tf.Tensor) -> tf.Tensor:
            own = self.strategy.run(tf.identity, args=(values,))
            return self.strategy.reduce(tf.distribute.ReduceOp.SUM, own, axis=None)

        return summed


ONE = Devices()


class Lost(Exception):
    """Another process of the run ended; the message says what to do."""


@contextlib.contextmanager
def losing(devices: Devices) -> Iterator[None]:
    """Within it, the end of another process is an error of its own.

    Raises:
        Lost: Where it was.
    """
    try:
        yield
    except (tf.errors.UnavailableError, tf.errors.AbortedError, tf.errors.CancelledError, tf.errors.InternalError) as e:
        if devices.processes == 1:
            raise
        raise Lost(
            "Another process of this run ended, so that this one ends. Start all of them again: the run goes on from "
            f"its latest checkpoint. ({str(e).splitlines()[0]})"
        ) from e


def of(name: str, form_seconds: float = 300.0) -> Devices:
    """The devices of a name.

    Args:
        name: "one"; "mirrored" for all GPUs of this machine; "multiworker" for the processes that TF_CONFIG, or else
            Slurm, names; "auto" for the last of these that there is.
        form_seconds: How long to wait for the other processes.

    Raises:
        ValueError: If there are none.
    """
    if name == "auto":
        name = "multiworker" if _cluster() else "mirrored" if len(tf.config.list_logical_devices("GPU")) > 1 else "one"
    if name == "one":
        return Devices()
    if name == "mirrored":
        return Devices(tf.distribute.MirroredStrategy())
    cluster = _cluster()
    if cluster is None:
        raise ValueError(
            "--strategy=multiworker takes the processes from TF_CONFIG, such as "
            '{"cluster": {"worker": ["host1:2222", "host2:2222"]}, "task": {"type": "worker", "index": 0}}, '
            "or from Slurm. Neither is set."
        )
    return Devices(_formed(cluster, form_seconds))


def _cluster() -> Any:
    """What names the processes that train together; None if nothing does."""
    text = os.environ.get("TF_CONFIG")
    if text:
        try:
            read = json.loads(text)
            workers = {kind: list(addresses) for kind, addresses in dict(read["cluster"]).items()}
            if workers:
                read["task"]["type"], int(read["task"]["index"])
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                "TF_CONFIG is JSON with a 'cluster' of lists of addresses and a 'task' with its type and index. "
                f"Received: {text}."
            ) from error
        return tf.distribute.cluster_resolver.TFConfigClusterResolver() if workers else None
    if int(os.environ.get("SLURM_STEP_NUM_TASKS", "1")) > 1:
        # Slurm gives each task its GPUs (--gpus-per-task).  TensorFlow would count those of the node by nvidia-smi, and
        # fails where there is none, or where a task sees its own alone.
        gpus = {"gpus_per_node": 1 << 16, "gpus_per_task": 1, "auto_set_gpu": False}
        return tf.distribute.cluster_resolver.SlurmClusterResolver(**gpus)
    return None


def _formed(cluster: Any, seconds: float) -> Any:
    """The strategy over a cluster; the process is ended by SIGALRM if that has not formed after so many seconds.

    (TensorFlow waits for ever in one call, which holds the interpreter: only the system can end it.)
    """
    others = ", ".join(address for addresses in cluster.cluster_spec().as_dict().values() for address in addresses)
    _LOG.info(
        "Waiting for all of the processes at %s. Where one does not come within %g s, SIGALRM ends this one: start all "
        "of them again.",
        others,
        seconds,
    )
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        return tf.distribute.MultiWorkerMirroredStrategy(cluster_resolver=cluster)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)


def log_to(path: pathlib.Path) -> None:
    """Sends the package's log to a file of this process, too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handler = logging.FileHandler(path)
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
    logging.getLogger("ugm_tf").addHandler(handler)
