"""What a served model costs beside its signatures: joining of rows, the local server's latency, loading, size."""

import functools
import itertools
import pathlib
import shutil
import statistics
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ugm_tf.serving import Client, LocalServer, ServedModel, warmup
from ugm_tf.serving.batching import Batcher
from ugm_tf.serving.servables import Servable

__all__ = ["figures", "line"]

_ROWS = 64
_CALLS = 5  # in a row, of which the fastest counts
Batch = Mapping[str, np.ndarray]


def figures(base: pathlib.Path, name: str, asked: Mapping[str, Batch], rounds: int, seconds: float) -> dict[str, Any]:
    """All of it, of the first version of a bundle.

    Args:
        base: The base path.
        name: The model's name.
        asked: Requests of 64 rows, by signature.
        rounds: How often each is measured, in turns.
        seconds: How long each is asked by clients in a round.
    """
    version = base / name / "1"
    return {
        "joined": {signature: joined(version, signature, batch, rounds) for signature, batch in asked.items()},
        "clients": clients(base, name, "decode", asked["decode"], rounds, seconds),
        "loading": loading(version, "decode", asked["decode"], rounds),
        "bytes": size(version),
    }


def joined(version: pathlib.Path, signature: str, batch: Batch, rounds: int) -> dict[str, list[float]]:
    """Seconds until 64 requests of one row that come at once are answered: by a server that takes one at a time, and
    by one that joins their rows."""
    rows = [{key: value[i : i + 1] for key, value in batch.items()} for i in range(_ROWS)]
    with ServedModel(version) as model:
        batchers = {"apart": Batcher(model, 1), "together": Batcher(model, _ROWS)}

        def answered_by(batcher: Batcher) -> None:
            for future in [batcher.submit(signature, row, True) for row in rows]:
                future.result()

        times = _turns({who: functools.partial(answered_by, of) for who, of in batchers.items()}, rounds)
        for batcher in batchers.values():
            batcher.close()
    return times


def clients(
    base: pathlib.Path, name: str, signature: str, batch: Batch, rounds: int, seconds: float
) -> list[dict[str, Any]]:
    """Latency and rows a second of the local server: by gRPC and REST, of 1 and of 8 clients that ask for one row."""
    found: dict[tuple[str, int], list[list[float]]] = {key: [] for key in itertools.product(("grpc", "rest"), (1, 8))}
    with LocalServer(base, 0, 0) as server:
        for _ in range(rounds):
            for (kind, number), times in found.items():
                times.append(_asking(getattr(server, kind), name, signature, batch, number, seconds))
    return [
        {
            "by": kind,
            "clients": number,
            "p50": [float(np.percentile(part, 50)) for part in times],
            "p99": [float(np.percentile(part, 99)) for part in times],
            "rows_per_second": [len(part) / seconds for part in times],
        }
        for (kind, number), times in found.items()
    ]


def _asking(address: str, name: str, signature: str, batch: Batch, number: int, seconds: float) -> list[float]:
    """Seconds of each answer that so many clients get in a time."""
    row, times = {key: value[:1] for key, value in batch.items()}, list[float]()
    ready, end = threading.Barrier(number), [0.0]

    def work() -> None:
        with Client(address, name, timeout=60) as client:
            client.ask(signature, **row)
            if ready.wait() == 0:
                end[0] = time.perf_counter() + seconds
            ready.wait()
            while (begin := time.perf_counter()) < end[0]:
                client.ask(signature, **row)
                times.append(time.perf_counter() - begin)

    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def loading(version: pathlib.Path, signature: str, batch: Batch, rounds: int) -> dict[str, list[float]]:
    """Seconds to load a version, with and without its warm-up, and then until the first answer."""
    cold = version.parent.parent / "cold" / version.name
    shutil.copytree(version, cold, dirs_exist_ok=True)
    (cold / warmup.WARMUP).unlink()
    row = {key: value[:1] for key, value in batch.items()}
    times: dict[str, list[float]] = {f"{what}_{how}": [] for how in ("warm", "cold") for what in ("load", "answer")}
    for _ in range(rounds):
        for how, path in (("warm", version), ("cold", cold)):
            begin = time.perf_counter()
            servable = Servable("m", path)
            loaded = time.perf_counter()
            servable.ask(signature, row).result()
            times[f"answer_{how}"].append(time.perf_counter() - loaded)
            times[f"load_{how}"].append(loaded - begin)
            servable.close()
    shutil.rmtree(cold.parent)
    return times


def size(version: pathlib.Path) -> dict[str, int]:
    """Bytes on disk: of the weights, of the graph, and of all."""
    files = {path: path.stat().st_size for path in version.rglob("*") if path.is_file()}
    weights = sum(bytes_ for path, bytes_ in files.items() if path.parent.name == "variables")
    return {"weights": weights, "graph": files[version / "saved_model.pb"], "all": sum(files.values())}


def _turns(contenders: Mapping[str, Callable[[], None]], rounds: int) -> dict[str, list[float]]:
    """Seconds of the fastest of a few calls in each round, by contender."""
    times: dict[str, list[float]] = {who: [] for who in contenders}
    for number in range(rounds + 1):
        for who, call in contenders.items():
            best = min(_seconds(call) for _ in range(_CALLS))
            if number:  # the first is to warm up
                times[who].append(best)
    return times


def _seconds(call: Callable[[], None]) -> float:
    begin = time.perf_counter()
    call()
    return time.perf_counter() - begin


def line(found: Mapping[str, Any]) -> str:
    """The figures in lines, medians with the least and the most of the rounds."""
    out = []
    for signature, times in found["joined"].items():
        ratios = [a / b for a, b in zip(times["apart"], times["together"], strict=True)]
        out.append(f"{signature}: 64 rows joined are {_spread(ratios)} times as fast as one by one")
    for row in found["clients"]:
        p50, p99 = ([1e3 * value for value in row[key]] for key in ("p50", "p99"))
        rate = _spread(row["rows_per_second"])
        out.append(
            f"{row['by']}, {row['clients']} clients: p50 {_spread(p50)} ms, p99 {_spread(p99)} ms, {rate} rows/s"
        )
    for how in ("warm", "cold"):
        load, answer = found["loading"][f"load_{how}"], [1e3 * value for value in found["loading"][f"answer_{how}"]]
        out.append(f"{how}: loaded in {_spread(load)} s, the first answer in {_spread(answer)} ms more")
    sizes = {key: value / 1e6 for key, value in found["bytes"].items()}
    out.append(f"on disk {sizes['all']:.2f} MB: weights {sizes['weights']:.2f}, graph {sizes['graph']:.2f}")
    return "\n".join(out)


def _spread(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"
