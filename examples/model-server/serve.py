"""Serves one ONNX file-type classifier over the Open Inference Protocol v2.

    magika-model-server --model-name magika --model-version 3.3 --model-dir models/v3.3 --port 9000

The port opens only after the model is loaded and has answered once, so a connection means ready. SIGTERM closes
the port and lets the requests in flight finish. Every answer carries the version in `x-model-version`, so that a
client can tell the answers of a model from those that a proxy made up.

The `--slow-…` and `--error-…` options make the server misbehave on a share of its predictions: they exist for
rehearsing rollbacks.
"""

import argparse
import asyncio
import json
import math
import random
import sys
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy
import onnxruntime
import uvicorn
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

BODY_LIMIT = 4 * 1024 * 1024
BATCH_LIMIT = 64
DATATYPES = {"tensor(int32)": ("INT32", numpy.int32), "tensor(float)": ("FP32", numpy.float32)}


class ModelError(Exception):
    """The folder does not hold a model that this server can serve."""


class Classifier:
    """An ONNX network from rows of numbers to one score a label, and the labels' names."""

    def __init__(self, folder: Path, threads: int) -> None:
        self.labels = read_labels(folder)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(
            str(folder / "model.onnx"), options, providers=["CPUExecutionProvider"]
        )
        self.input = only(self.session.get_inputs(), "input")
        self.output = only(self.session.get_outputs(), "output")
        if self.input.type not in DATATYPES:
            raise ModelError(f"input {self.input.name} is a {self.input.type}; known are {', '.join(DATATYPES)}")
        self.datatype, self.element = DATATYPES[self.input.type]
        self.width = self.input.shape[1]
        if self.output.shape[1] != len(self.labels):
            raise ModelError(f"{self.output.shape[1]} outputs, but the configuration names {len(self.labels)} labels")

    def predict(self, rows: numpy.ndarray) -> tuple[list[str], list[float]]:
        """The best label of each row, and its score."""
        (scores,) = self.session.run([self.output.name], {self.input.name: rows})
        best = scores.argmax(axis=1)
        return [self.labels[index] for index in best], [float(row[index]) for row, index in zip(scores, best)]

    def decode(self, request: Any) -> numpy.ndarray:
        """The rows of an inference request; a `ValueError` says what does not fit the model's signature."""
        inputs = request.get("inputs") if isinstance(request, dict) else None
        if not isinstance(inputs, list) or len(inputs) != 1 or not isinstance(inputs[0], dict):
            raise ValueError("the request must have exactly one entry in inputs")
        tensor = inputs[0]
        if tensor.get("name") != self.input.name:
            raise ValueError(f"input {tensor.get('name')!r} is not known: the model takes {self.input.name!r}")
        if tensor.get("datatype") != self.datatype:
            raise ValueError(f"datatype {tensor.get('datatype')} != {self.datatype} of input {self.input.name!r}")
        shape = tensor.get("shape")
        if (
            not isinstance(shape, list)
            or len(shape) != 2
            or shape[1] != self.width
            or not isinstance(shape[0], int)
            or not 1 <= shape[0] <= BATCH_LIMIT
        ):
            raise ValueError(f"shape {shape} is not [1 to {BATCH_LIMIT}, {self.width}]")
        try:
            return numpy.asarray(tensor.get("data"), dtype=self.element).reshape(shape)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValueError(f"data does not fit shape {shape} of {self.datatype}: {error}") from error

    def metadata(self, name: str, version: str) -> dict[str, Any]:
        return {
            "name": name,
            "versions": [version],
            "platform": "onnxruntime_onnx",
            "inputs": [{"name": self.input.name, "datatype": self.datatype, "shape": [-1, self.width]}],
            "outputs": [
                {"name": "label", "datatype": "BYTES", "shape": [-1]},
                {"name": "score", "datatype": "FP32", "shape": [-1]},
            ],
        }


def only(tensors: list[Any], kind: str) -> Any:
    if len(tensors) != 1 or len(tensors[0].shape) != 2 or not isinstance(tensors[0].shape[1], int):
        raise ModelError(f"the model must have one {kind} of shape [N, a number]")
    return tensors[0]


def read_labels(folder: Path) -> list[str]:
    """The labels in the order of the network's outputs, from the configuration that its release has beside it."""
    current, first = folder / "config.min.json", folder / "model_config.json"
    if current.is_file():
        return json.loads(current.read_text())["target_labels_space"]
    if first.is_file():
        return json.loads(first.read_text())["train_dataset_info"]["target_labels_info"]["target_labels_space"]
    raise ModelError(f"{folder} has neither {current.name} nor {first.name}, which name the labels")


@dataclass(frozen=True)
class Faults:
    """What goes wrong on purpose, from `after` seconds of serving on."""

    slow_share: float = 0
    slow_seconds: float = 0
    error_share: float = 0
    after: float = 0

    async def strike(self, age: float) -> bool:
        """Delays the caller on its share of calls; true when the caller must fail."""
        if age < self.after:
            return False
        if random.random() < self.slow_share:
            await asyncio.sleep(self.slow_seconds)
        return random.random() < self.error_share


class Metrics:
    """What the server counts, in Prometheus' words."""

    def __init__(self, name: str, version: str) -> None:
        self.registry = CollectorRegistry()
        labels, self.values = ["model_name", "model_version"], {"model_name": name, "model_version": version}
        self.requests = Counter(
            "inference_requests", "Inference requests by HTTP status.", [*labels, "code"], registry=self.registry
        )
        self.duration = Histogram(
            "inference_request_duration_seconds",
            "Time from a request's last byte to its answer.",
            labels,
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, math.inf),
            registry=self.registry,
        )
        self.predictions = Counter(
            "inference_predictions", "Predictions by label.", [*labels, "label"], registry=self.registry
        )
        self.top_score = Histogram(
            "inference_top_score",
            "The score of the best label.",
            labels,
            buckets=[step / 20 for step in range(1, 21)] + [math.inf],
            registry=self.registry,
        )


class Server:
    """The endpoints of one model."""

    def __init__(self, classifier: Classifier, name: str, version: str, faults: Faults, threads: int) -> None:
        self.classifier, self.name, self.version, self.faults = classifier, name, version, faults
        self.metrics = Metrics(name, version)
        self.workers = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="predict")
        self.since = time.monotonic()

    def warm_up(self) -> None:
        """The first prediction allocates and is slow: it must not be a user's."""
        self.classifier.predict(numpy.zeros((1, self.classifier.width), dtype=self.classifier.element))

    def application(self) -> Callable[..., Awaitable[None]]:
        routes = [
            Route("/v2/health/live", self.ready),
            Route("/v2/health/ready", self.ready),
            Route("/metrics", self.serve_metrics),
        ]
        for prefix in ("/v2/models/{name}", "/v2/models/{name}/versions/{version}"):
            routes += [
                Route(prefix, self.serve_metadata),
                Route(f"{prefix}/ready", self.ready),
                Route(f"{prefix}/infer", self.infer, methods=["POST"]),
            ]
        handlers = {HTTPException: refuse, Exception: fail}
        return self.mark(Starlette(routes=routes, exception_handlers=handlers))

    def mark(self, application: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
        """Puts the version on every answer, those to bad requests and to errors included."""
        header = (b"x-model-version", self.version.encode("latin-1"))

        async def marked(scope: dict[str, Any], receive: Any, send: Any) -> None:
            async def send_marked(message: dict[str, Any]) -> None:
                if message["type"] == "http.response.start":
                    message["headers"] = [*message.get("headers", []), header]
                await send(message)

            await application(scope, receive, send_marked)

        return marked

    def check_name(self, request: Request) -> None:
        name, version = request.path_params.get("name", self.name), request.path_params.get("version", self.version)
        if (name, version) != (self.name, self.version):
            raise HTTPException(404, f"unknown model {name} version {version}: this is {self.name} {self.version}")

    async def ready(self, request: Request) -> Response:
        self.check_name(request)
        return JSONResponse({"ready": True})

    async def serve_metadata(self, request: Request) -> Response:
        self.check_name(request)
        return JSONResponse(self.classifier.metadata(self.name, self.version))

    async def serve_metrics(self, _: Request) -> Response:
        return Response(generate_latest(self.metrics.registry), media_type=CONTENT_TYPE_LATEST)

    async def infer(self, request: Request) -> Response:
        self.check_name(request)
        body = await read_limited(request)
        begin = time.perf_counter()
        code = 500
        try:
            response = await self.answer(body)
            code = response.status_code
            return response
        except HTTPException as error:
            code = error.status_code
            raise
        finally:
            self.metrics.requests.labels(**self.metrics.values, code=str(code)).inc()
            self.metrics.duration.labels(**self.metrics.values).observe(time.perf_counter() - begin)

    async def answer(self, body: bytes) -> Response:
        try:
            request = json.loads(body)
            rows = self.classifier.decode(request)
        except ValueError as error:  # json.JSONDecodeError is one
            raise HTTPException(400, str(error)) from error
        if await self.faults.strike(time.monotonic() - self.since):
            raise HTTPException(500, "failing on purpose: --error-share")
        labels, scores = await asyncio.get_running_loop().run_in_executor(self.workers, self.classifier.predict, rows)
        for label, score in zip(labels, scores):
            self.metrics.predictions.labels(**self.metrics.values, label=label).inc()
            self.metrics.top_score.labels(**self.metrics.values).observe(score)
        answer = {
            "model_name": self.name,
            "model_version": self.version,
            "outputs": [
                {"name": "label", "datatype": "BYTES", "shape": [len(labels)], "data": labels},
                {"name": "score", "datatype": "FP32", "shape": [len(scores)], "data": scores},
            ],
        }
        if isinstance(request.get("id"), str):
            answer["id"] = request["id"]
        return JSONResponse(answer)


async def read_limited(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_LIMIT:
            raise HTTPException(413, f"the request is larger than {BODY_LIMIT} bytes")
    return bytes(body)


async def refuse(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse({"error": error.detail}, status_code=error.status_code)


async def fail(_: Request, error: Exception) -> Response:
    return JSONResponse({"error": f"internal error: {type(error).__name__}"}, status_code=500)


def share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def parse(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="magika-model-server", description=__doc__.splitlines()[0])
    parser.add_argument("--model-name", required=True)
    parser.add_argument("--model-version", required=True)
    parser.add_argument("--model-dir", required=True, type=Path, help="folder of model.onnx and its configuration")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", required=True, type=int)
    parser.add_argument("--threads", default=1, type=int, help="of one prediction, and predictions at once")
    parser.add_argument("--slow-share", default=0, type=share, help="share of predictions that are slow")
    parser.add_argument("--slow-ms", default=800, type=float, help="how much slower those are")
    parser.add_argument("--error-share", default=0, type=share, help="share of predictions that answer 500")
    parser.add_argument("--faults-after-seconds", default=0, type=float, help="when these begin, from the start")
    return parser.parse_args(arguments)


def main() -> None:
    options = parse(sys.argv[1:])
    try:
        classifier = Classifier(options.model_dir, options.threads)
    except Exception as error:  # onnxruntime has no common error; whatever it is, the model cannot be served
        sys.exit(f"error: cannot load the model in {options.model_dir}: {error}")
    faults = Faults(options.slow_share, options.slow_ms / 1000, options.error_share, options.faults_after_seconds)
    server = Server(classifier, options.model_name, options.model_version, faults, options.threads)
    server.warm_up()
    uvicorn.run(
        server.application(),
        host=options.host,
        port=options.port,
        lifespan="off",
        access_log=False,
        log_level="info",
        # Longer than a proxy keeps its own idle connections (Envoy: an hour): the side that sends requests has to
        # be the one that closes, or a request meets a connection that is just being closed.
        timeout_keep_alive=4000,
    )


if __name__ == "__main__":
    main()
