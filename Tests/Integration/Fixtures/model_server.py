"""An Open Inference server for the integration tests: light enough for hundreds of requests a second, with faults to
order through the manifest's `parameters`. Standard library only.

`--faults` is `none`, or settings with commas between them: `share=0.5` (which part of the requests fails), `status=503`
(with which status), `file=/tmp/x` (only while that file exists), `ms=20` (how long every answer takes), `start=1.5`
(seconds until the port opens), `other=0.2` (which part of the requests gets another prediction).
"""

import argparse
import asyncio
import os

parser = argparse.ArgumentParser()
parser.add_argument("--host", required=True)
parser.add_argument("--port", type=int, required=True)
parser.add_argument("--model-name", required=True)
parser.add_argument("--model-version", required=True)
parser.add_argument("--model-path", required=True)
parser.add_argument("--faults", required=True)
options = parser.parse_args()

faults: dict[str, str] = {"share": "0", "status": "500", "file": "", "ms": "0", "start": "0", "other": "0"}
for setting in options.faults.split(","):
    if setting != "none":
        name, value = setting.split("=")
        if name not in faults:
            parser.error(f"unknown fault {name}")
        faults[name] = value

share, status, file = float(faults["share"]), int(faults["status"]), faults["file"]
MODEL = b"/v2/models/" + options.model_name.encode()
METADATA = b'{"name":"%s","inputs":[{"name":"x","datatype":"FP32","shape":[-1,1]}],"outputs":[{"name":"y",' % (
    options.model_name.encode()
) + b'"datatype":"FP32","shape":[-1,1]}]}'
ANSWER = b'{"model_version":"%s","outputs":[{"name":"y","datatype":"FP32","shape":[1,1],"data":[1]}]}' % (
    options.model_version.encode()
)
OTHER = ANSWER.replace(b"[1]}", b"[2]}")
debt = 0.0  # of failures: spread evenly, so that a share is a share from the first request on
others = 0.0  # likewise


def head(status: int, body: bytes) -> bytes:
    return b"HTTP/1.1 %d -\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body


def answer(method: bytes, path: bytes) -> bytes:
    global debt, others
    if method == b"GET":
        if path == MODEL:
            return head(200, METADATA)
        return head(200 if path == MODEL + b"/ready" else 404, b"{}")
    if path != MODEL + b"/infer":
        return head(404, b"{}")
    if share > 0 and (not file or os.path.exists(file)):
        debt += share
        if debt >= 1:
            debt -= 1
            return head(status, b'{"error":"ordered"}')
    others += float(faults["other"])
    if others >= 1:
        others -= 1
        return head(200, OTHER)
    return head(200, ANSWER)


class Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            lines = self.buffer[:end].split(b"\r\n")
            length = next((int(line[15:]) for line in lines if line.lower().startswith(b"content-length:")), 0)
            if len(self.buffer) < end + 4 + length:
                return
            self.buffer = self.buffer[end + 4 + length :]
            method, path, _ = lines[0].split(b" ")
            delay = float(faults["ms"]) / 1000 if method == b"POST" else 0
            asyncio.get_running_loop().call_later(delay, self.write, answer(method, path))

    def write(self, data: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(data)


async def main() -> None:
    await asyncio.sleep(float(faults["start"]))
    server = await asyncio.get_running_loop().create_server(Connection, options.host, options.port)
    await server.serve_forever()


asyncio.run(main())
