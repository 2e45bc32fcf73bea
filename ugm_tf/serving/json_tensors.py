"""Tensors as JSON, as TensorFlow Serving's REST has them: https://www.tensorflow.org/tfx/serving/api_rest.

Bytes are {"b64": "..."}; outputs of bytes have names that end in "_bytes".  What is no number is NaN or Infinity there,
which JSON of the standard has not, but Python's and TensorFlow Serving's have.
"""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

import numpy as np

from ugm_tf.serving.errors import InvalidRequest

__all__ = ["array", "columns", "inputs", "outputs", "plain"]

# The types of JSON that stand for numbers of a kind.
_TYPES: dict[str, set[type]] = {"f": {int, float}, "i": {int}, "u": {int}, "b": {bool}}


def array(content: Any, dtype: np.dtype) -> np.ndarray:
    """A tensor of nested lists.

    Args:
        content: The lists, of numbers, or of strings and {"b64": ...} for the dtype of objects.
        dtype: The signature's.

    Raises:
        InvalidRequest: If they are ragged, or of values that the dtype does not have.
    """
    if dtype.kind == "O":
        return _strings(content)
    found = np.array(content, object)  # of pointers: an array of strings has room for the longest one everywhere
    types = set(map(type, found.ravel().tolist()))
    if list in types:
        raise InvalidRequest("The lists of a tensor are of different lengths, or of too many axes.")
    if not types <= _TYPES.get(dtype.kind, set()):
        raise InvalidRequest(f"JSON values are not of the expected type: {dtype.name}.")
    if found.size and dtype.kind in "iu":
        limits = np.iinfo(dtype)
        if found.min() < limits.min or found.max() > limits.max:
            raise InvalidRequest(f"JSON values are beyond {dtype.name}, of {limits.min} to {limits.max}.")
    try:
        with np.errstate(over="ignore"):
            return (found.astype(np.float64) if dtype.kind == "f" else found).astype(dtype)
    except OverflowError as error:
        raise InvalidRequest(f"JSON values are beyond {dtype.name}: {error}.") from error


def plain(value: np.ndarray) -> Any:
    """A tensor as nested lists."""
    if value.dtype.kind in "OS":
        return _encoded(value.tolist())
    return value.tolist()


def inputs(body: bytes, dtypes: Any) -> tuple[str, dict[str, np.ndarray], bool]:
    """A predict request.

    Args:
        body: What was posted.
        dtypes: From a signature's name, "" for the default, to the dtypes of its inputs by name.

    Returns:
        The signature's name, its inputs, and whether they came in rows, as "instances".

    Raises:
        InvalidRequest: If it is no request of either form.
    """
    try:
        request = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"JSON Parse error: {error}") from error
    if not isinstance(request, dict) or ("instances" in request) == ("inputs" in request):
        raise InvalidRequest("Request body is a JSON object with either 'inputs' or 'instances'.")
    name = request.get("signature_name", "")
    if not isinstance(name, str):
        raise InvalidRequest("'signature_name' key must be a string value.")
    wanted = dtypes(name)
    by_rows = "instances" in request
    content = request["instances"] if by_rows else request["inputs"]
    by_name = _columns(content, wanted) if by_rows else _named(content, wanted)
    unknown = sorted(set(by_name) ^ set(wanted))
    if unknown:
        raise InvalidRequest(f"Inputs are {', '.join(sorted(wanted))}. Missing, or none of them: {', '.join(unknown)}.")
    return name, {key: array(value, wanted[key]) for key, value in by_name.items()}, by_rows


def outputs(values: Mapping[str, np.ndarray], by_rows: bool) -> dict[str, Any]:
    """The answer, in the form of the request: by rows or by columns; of a single output without its name."""
    lists = {key: plain(value) for key, value in values.items()}
    if not by_rows:
        return {"outputs": next(iter(lists.values())) if len(lists) == 1 else lists}
    if len(lists) == 1:
        return {"predictions": next(iter(lists.values()))}
    rows = zip(*lists.values(), strict=True)
    return {"predictions": [dict(zip(lists, row, strict=True)) for row in rows]}


def columns(answer: Mapping[str, Any], dtypes: Mapping[str, np.dtype]) -> dict[str, np.ndarray]:
    """The outputs of an answer by columns, as a client needs them."""
    content = answer["outputs"]
    by_name = content if isinstance(content, dict) and set(content) == set(dtypes) else {next(iter(dtypes)): content}
    if set(by_name) != set(dtypes):
        raise InvalidRequest(f"Outputs are {', '.join(sorted(dtypes))}.")
    return {key: array(value, dtypes[key]) for key, value in by_name.items()}


def _named(content: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(content, dict) and not set(content) == {"b64"}:
        return content
    if len(wanted) != 1:
        raise InvalidRequest("'inputs' is an object of the inputs by name, where there are several.")
    return {next(iter(wanted)): content}


def _columns(content: Any, wanted: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(content, list) or not content:
        raise InvalidRequest("'instances' is a list of at least one row.")
    if not all(isinstance(row, dict) and set(row) == set(wanted) for row in content):
        if len(wanted) != 1:
            raise InvalidRequest(f"Each of 'instances' is an object of {', '.join(sorted(wanted))}.")
        return {next(iter(wanted)): content}
    return {key: [row[key] for row in content] for key in wanted}


def _strings(content: Any) -> np.ndarray:
    if not isinstance(content, list):
        return np.array(_decoded(content), object)
    out = np.empty(len(content), object)
    for i, item in enumerate(content):
        out[i] = _decoded(item)
    return out


def _decoded(item: Any) -> bytes:
    if isinstance(item, str):
        try:
            return item.encode()
        except UnicodeEncodeError as error:
            raise InvalidRequest(f"A string is no UTF-8: {error}.") from error
    if isinstance(item, dict) and set(item) == {"b64"} and isinstance(item["b64"], str):
        try:
            return base64.b64decode(item["b64"], validate=True)
        except (binascii.Error, ValueError) as error:
            raise InvalidRequest(f"Unable to base64 decode: {error}") from error
    raise InvalidRequest('JSON values are not of the expected type: string, or {"b64": ...}.')


def _encoded(item: Any) -> Any:
    if isinstance(item, list):
        return [_encoded(part) for part in item]
    return {"b64": base64.b64encode(item).decode()}
