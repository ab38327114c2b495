"""Serves the repositories below a folder over HTTP on a loopback port, by git http-backend.

usage: http_git_server.py FOLDER [--certificate FILE [--clients FILE]] [USER PASSWORD]

Prints its port and serves until it is ended. With a certificate and its key, in one PEM file, it speaks TLS 1.3 and
nothing older; with the authority of clients too, it lets in who has a certificate of theirs. With a user and a password
it wants basic authentication. Paths below /elsewhere/ answer with a redirect to the same path without that prefix.
"""

import base64
import http.server
import ssl
import sys

import git_backend

root, *rest = sys.argv[1:]
certificate = None
if rest[:1] == ["--certificate"]:
    certificate, *rest = rest[1:]
clients = None
if rest[:1] == ["--clients"]:
    clients, *rest = rest[1:]
wanted = None
if rest:
    wanted = "Basic " + base64.b64encode(":".join(rest).encode()).decode()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def read_body(self):
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        body = b""
        while size := int(self.rfile.readline().split(b";")[0], 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def serve(self):
        body = self.read_body()
        if self.path.startswith("/elsewhere/"):
            return self.answer(302, [("Location", self.path.removeprefix("/elsewhere"))], b"")
        if wanted and self.headers.get("Authorization") != wanted:
            return self.answer(401, [("WWW-Authenticate", 'Basic realm="models"')], b"no")
        status, headers, content = git_backend.answer(self, root, body, user=rest[0] if wanted else None)
        self.answer(status, headers, content)

    do_GET = serve
    do_POST = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.load_cert_chain(certificate)
    if clients:
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(clients)
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
server.serve_forever()
