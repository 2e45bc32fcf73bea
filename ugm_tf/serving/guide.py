"""The README of a base path: how to serve what is there and how to ask it, in lines to copy."""

import json
from collections.abc import Mapping
from typing import Any

from ugm_tf.serving import requests
from ugm_tf.serving.signatures import MAX_BATCH

__all__ = ["guide"]

_HEAD = """# Models to serve

{listed}

Run the lines below in this folder, as a user who may write in it. `models.config` names the versions that are served:
`stable`, and `canary`, the newest. A request that names neither, as those below, is answered by the highest version.
What users depend on asks for `stable`: by REST at `/v1/models/{first}/labels/stable:predict`, and from Python by
`Client("localhost:8500", "{first}", label="stable")`.

## Start a server

With Docker, all models:

```
docker run --rm -p 8500:8500 -p 8501:8501 -v "$PWD":/models:ro tensorflow/serving \\
  --model_config_file=/models/models.config --model_config_file_poll_wait_seconds=60 \\
  --allow_version_labels_for_unavailable_models=true --monitoring_config_file=/models/monitoring.config \\
  --enable_batching=true --batching_parameters_file=/models/batching.config
```

The same by `docker compose up --wait`, as `compose.yaml` says, with limits, a health check and no rights; and on
Kubernetes by `kubectl apply -f kubernetes.yaml`, once this folder is the content of the volume claim `models`.

With the server's own binary, the newest version of one model:

```
tensorflow_model_server --port=8500 --rest_api_port=8501 --model_name={first} --model_base_path="$PWD/{first}" \\
  --monitoring_config_file="$PWD/monitoring.config" \\
  --enable_batching=true --batching_parameters_file="$PWD/batching.config"
```

gRPC is on port 8500, REST on 8501, Prometheus' metrics are at `http://localhost:8501/monitoring/prometheus/metrics`.

Without either, for development on this machine alone and without metrics, with Python and `ugm_tf` (from a clone of it,
`pip install '.[serving]'`):

```
python -m ugm_tf.export.serve_local .
```

## In the browser

The local server has a page to sample from: <http://localhost:8501/?model={first}>

TensorFlow Serving has no pages. With `--rest_api_enable_cors_support=true` among its flags above, open the file
`page.html` of this folder in a browser, with `{first}` as the model and `http://localhost:8501` as the server.
"""

_MODEL = """
## {name}

{summary}

| signature | takes | gives | is |
|---|---|---|---|
{rows}

{classes}Row i of an answer depends on row i of the request alone; where its values were none that the model has an
answer to, its `ok` is false, numbers of it are NaN (which JSON has as a bare `NaN`) and files empty. A request has at
most {max_batch} rows.

```
curl http://localhost:8501/v1/models/{name}
curl -d '{body}' http://localhost:8501/v1/models/{name}:predict
```

By REST, in Python:

```python
import json
import urllib.request

request = {{"signature_name": "{default}", "inputs": {values}}}
call = urllib.request.Request("http://localhost:8501/v1/models/{name}:predict", json.dumps(request).encode())
outputs = json.load(urllib.request.urlopen(call, timeout=10))["outputs"]
print({{name: len(rows) for name, rows in outputs.items()}})
```

By gRPC, with TensorFlow Serving's own stubs, after `pip install tensorflow-serving-api`:

```python
import grpc
import numpy as np
import tensorflow as tf
from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

request = predict_pb2.PredictRequest()
request.model_spec.name, request.model_spec.signature_name = "{name}", "{default}"
for key, value in {values}.items():
    dtype = {dtypes}[key]
    request.inputs[key].CopyFrom(tf.make_tensor_proto(np.array(value, dtype)))
with grpc.insecure_channel("localhost:8500") as channel:
    response = prediction_service_pb2_grpc.PredictionServiceStub(channel).Predict(request, timeout=10)
print({{name: tf.make_ndarray(tensor).shape for name, tensor in response.outputs.items()}})
```

By either, with deadlines, retries, arrays and pictures, with `ugm_tf` installed as above:

```python
from ugm_tf.serving import Client

with Client("localhost:8500", "{name}"{most}) as client:  # or "http://localhost:8501"
    outputs = client.ask("{default}", **{values})
print({{name: array.shape for name, array in outputs.items()}})
```
{picture}"""

_PICTURE = """
64 samples as one picture:

```
python -m ugm_tf.export.sample_from --server=localhost:8500 --model={name} --number=64{most} --output=samples.png
```
"""

_FILE = """
One as a PNG file, by curl:

```
curl -s -o answer.json -d '{body}' http://localhost:8501/v1/models/{name}:predict
python -c "import json; print(json.load(open('answer.json'))['outputs']['{key}'][0]['b64'])" | base64 -d > sample.png
```
"""


def guide(cards: Mapping[str, Mapping[str, Any]]) -> str:
    """The text, of the models' cards by their names."""
    listed = "\n".join(f"- [{name}](#{name}): {_summary(card)}" for name, card in cards.items())
    return _HEAD.format(listed=listed, first=next(iter(cards))) + "".join(_model(*item) for item in cards.items())


def _summary(card: Mapping[str, Any]) -> str:
    recipe = card["metadata"].get("recipe")
    roles = ", ".join(card["densities"].values())
    return f"{recipe}: {roles}." if recipe else f"{roles}."


def _model(name: str, card: Mapping[str, Any]) -> str:
    default = card["serving_default"]
    inputs = card["signatures"][default]["inputs"]
    values = {key: value.tolist() for key, value in _values(inputs, min(2, card["max_batch"])).items()}
    return _MODEL.format(
        name=name,
        summary=_summary(card),
        rows="\n".join(_row(*item) for item in card["signatures"].items()),
        max_batch=card["max_batch"],
        classes=_classes(card),
        default=default,
        body=json.dumps({"signature_name": default, "inputs": values}),
        values=json.dumps(values),
        dtypes=json.dumps({key: spec["dtype"] for key, spec in inputs.items()}),
        most=f", max_batch={card['max_batch']}" if card["max_batch"] != MAX_BATCH else "",
        picture=_picture(name, card) + _file(name, card),
    )


def _classes(card: Mapping[str, Any]) -> str:
    """The names of the classes by their numbers, where they have some."""
    names = card["metadata"].get("class_names") or ()
    return f"Classes: {', '.join(f'{number} {name}' for number, name in enumerate(names))}.\n\n" if names else ""


def _picture(name: str, card: Mapping[str, Any]) -> str:
    """How to get a picture of samples, where they are images."""
    outputs = card["signatures"].get("sample", {"outputs": {}})["outputs"].values()
    if not any(len(spec["shape"]) == 4 for spec in outputs):
        return ""
    most = card["max_batch"]
    return _PICTURE.format(name=name, most=f" --max_batch={most}" if most != MAX_BATCH else "")


def _file(name: str, card: Mapping[str, Any]) -> str:
    """How to get a sample as a file, where there are such."""
    signature = card["signatures"].get("sample_bytes")
    if signature is None:
        return ""
    values = {key: value.tolist() for key, value in _values(signature["inputs"], 1).items()}
    body = json.dumps({"signature_name": "sample_bytes", "inputs": values})
    return _FILE.format(name=name, body=body, key=next(key for key in signature["outputs"] if key.endswith("_bytes")))


def _values(inputs: Mapping[str, Mapping[str, Any]], rows: int) -> dict[str, Any]:
    """Rows to ask for."""
    batch = requests.example(inputs, rows)
    return {key: value % 1000 if key == "seed" else value.round(2) for key, value in batch.items()}


def _row(name: str, signature: Mapping[str, Any]) -> str:
    takes, gives = (
        ", ".join(_tensor(*item) for item in signature[part].items() if item[0] != "ok")
        for part in ("inputs", "outputs")
    )
    return f"| `{name}` | {takes} | {gives} | {signature['answers'].replace('|', chr(92) + '|')} |"


def _tensor(key: str, spec: Mapping[str, Any]) -> str:
    shape = ", ".join("B" if size is None else str(size) for size in spec["shape"])
    values = f", {spec['values']}" if spec.get("values", "finite") != "finite" else ""
    return f"`{key}` {spec['dtype']} [{shape}]{values}"
