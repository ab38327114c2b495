"""A small Open Inference server with faults that can be ordered by argument. Standard library only."""

import argparse
import http.server
import json
import os
import signal
import subprocess
import sys
import threading
import time

parser = argparse.ArgumentParser()
parser.add_argument("--host", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--model-name", required=True)
parser.add_argument("--model-path", default="")
parser.add_argument("--starts", required=True, help="file that gets one line `pid` per start")
parser.add_argument("--slow-start", type=float, default=0, help="seconds before the port opens")
parser.add_argument("--never-listen", action="store_true")
parser.add_argument("--exit-code", type=int, help="exit at the start with this code")
parser.add_argument("--exit-signal", type=int, help="end at the start by this signal")
parser.add_argument("--faulty-starts", type=int, default=10**6, help="only so many starts exit so")
parser.add_argument("--answer", default="python")
parser.add_argument("--infer-status", type=int, default=200)
parser.add_argument("--ignore-term", action="store_true")
parser.add_argument("--child", choices=["group", "session"], help="leave a child behind that ignores SIGTERM")
parser.add_argument("--unready-file", help="readiness answers 503 while this file exists")
options = parser.parse_args()

with open(options.starts, "a") as file:
    file.write(f"{os.getpid()}\n")
with open(options.starts) as file:
    start = len(file.readlines())

if options.ignore_term:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
if options.child:
    subprocess.Popen(
        [sys.executable, "-c", "import signal,time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)"],
        start_new_session=options.child == "session",
    )
print("loading", options.model_path, flush=True)
if start <= options.faulty_starts:
    if options.exit_code is not None:
        print("\x1b[31mINVALID_PROTOBUF\x1b[0m: cannot load", file=sys.stderr, flush=True)
        os._exit(options.exit_code)
    if options.exit_signal is not None:
        os.kill(os.getpid(), options.exit_signal)
time.sleep(options.slow_start)
while options.never_listen:
    time.sleep(1)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == f"/v2/models/{options.model_name}/ready":
            unready = options.unready_file and os.path.exists(options.unready_file)
            self.answer(503 if unready else 200, {})
        elif self.path == f"/v2/models/{options.model_name}":
            self.answer(200, {
                "name": options.model_name,
                "platform": "test",
                "outputs": [{"shape": [-1], "name": "label", "datatype": "BYTES", "parameters": {"a": 1}}],
                "inputs": [{"name": "bytes", "datatype": "INT32", "shape": [-1, 4]}],
            })
        else:
            self.answer(404, {})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path != f"/v2/models/{options.model_name}/infer" or not request["inputs"]:
            return self.answer(404, {})
        outputs = [
            {"name": "label", "datatype": "BYTES", "shape": [1], "data": [options.answer]},
            {"name": "score", "datatype": "FP32", "shape": [1], "data": [0.9480001]},
        ]
        self.answer(options.infer_status, {"model_name": options.model_name, "outputs": outputs})

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True


Server((options.host, options.port), Handler).serve_forever()
