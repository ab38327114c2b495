"""Answers every HTTP request on a loopback port in one wrong way, until it is ended.

usage: hostile_server.py drip | reset | stop | garbage | endless | login URL | STATUS [HEADER VALUE]...

drip     answers as git's protocol begins, and then a byte ten times a second, without end
reset    reads the request and resets the connection
stop     announces more than it sends, and closes
garbage  is no HTTP at all
endless  lists references without end, as fast as they are read
login    wants a login, and redirects who logs in to the URL
STATUS   answers with that status and those headers

Prints its port, and then `Authorization: …` for each request that carries a credential and `none` for each that does
not.
"""

import http.server
import socket
import struct
import sys
import time

mode, *headers = sys.argv[1:]
SERVICE = b"001e# service=git-upload-pack\n0000"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def begin(self, status, *pairs):
        self.send_response(status)
        for name, value in pairs:
            self.send_header(name, value)
        self.end_headers()

    def serve(self):
        credential = self.headers.get("Authorization")
        print(f"Authorization: {credential}" if credential else "none", flush=True)
        self.close_connection = True
        kind = ("Content-Type", "application/x-git-upload-pack-advertisement")
        if mode == "reset":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.rfile.close()
            self.wfile.close()
            self.connection.close()
        elif mode == "garbage":
            self.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n" + bytes(range(256)) * 16)
        elif mode == "stop":
            self.begin(200, kind, ("Content-Length", "100000"))
            self.wfile.write(SERVICE)
        elif mode == "drip":
            self.begin(200, kind, ("Content-Length", "1000000000"))
            self.wfile.write(SERVICE)
            while True:
                self.wfile.write(b"0")
                time.sleep(0.1)
        elif mode == "endless":
            self.begin(200, kind)
            line = b"003d" + b"a" * 40 + b" refs/heads/branch-0001\n"[:17]
            self.wfile.write(SERVICE)
            while True:
                self.wfile.write(line * 1000)
        elif mode == "login":
            if credential:
                self.begin(302, ("Location", headers[0] + self.path), ("Content-Length", "0"))
            else:
                self.begin(401, ("WWW-Authenticate", 'Basic realm="models"'), ("Content-Length", "0"))
        else:
            pairs = list(zip(headers[::2], headers[1::2]))
            self.begin(int(mode), *pairs, ("Content-Length", "0"))

    do_GET = serve
    do_POST = serve

    def handle(self):
        try:
            super().handle()
        except (OSError, ValueError):
            pass  # The client has gone, or the connection was reset above.


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
print(server.server_address[1], flush=True)
server.serve_forever()
