"""Gives installation access tokens on a loopback port as GitHub does, and serves repositories to who has one.

usage: github_app_server.py FOLDER PUBLIC_KEY

POST /app/installations/678/access_tokens wants a JSON Web Token of the app 12345, signed by RS256 and not older than
GitHub allows; its signature is verified by openssl with the public key. Each answer is a new token, and only the last
one opens `git http-backend` of the repositories below FOLDER. The installation 999 is suspended, and 429 is limited.
Prints its port, then `token N` for each token and `used N` for each request of git's that has one.
"""

import base64
import datetime
import http.server
import json
import subprocess
import sys
import tempfile
import time

import git_backend

root, public_key = sys.argv[1:]
tokens = []


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))


def problem_of(authorization):
    """As GitHub words it; nothing when the proof counts."""
    scheme, _, proof = (authorization or "").partition(" ")
    parts = proof.split(".")
    if scheme != "Bearer" or len(parts) != 3:
        return "A JSON web token could not be decoded"
    header, claims = (json.loads(decoded(part)) for part in parts[:2])
    if header != {"alg": "RS256", "typ": "JWT"}:
        return "A JSON web token could not be decoded"
    now = time.time()
    if not claims["iat"] <= now < claims["exp"] <= now + 600 or claims["iss"] != "12345":
        return "'Expiration time' claim ('exp') is too far in the future"
    with tempfile.NamedTemporaryFile() as signature:
        signature.write(decoded(parts[2]))
        signature.flush()
        verdict = subprocess.run(
            ["openssl", "dgst", "-sha256", "-verify", public_key, "-signature", signature.name],
            input=".".join(parts[:2]).encode(),
            stdout=subprocess.DEVNULL,
        )
    return None if verdict.returncode == 0 else "Integration must generate a public key"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def refuse(self, status, message, *headers):
        self.answer(status, json.dumps({"message": message}).encode(), *headers)

    def give(self, installation):
        problem = problem_of(self.headers.get("Authorization"))
        if problem:
            return self.refuse(401, problem)
        if installation == "999":
            return self.refuse(403, "This installation has been suspended")
        if installation == "429":
            return self.refuse(403, "API rate limit exceeded", ("X-RateLimit-Remaining", "0"))
        if installation != "678":
            return self.refuse(404, "Not Found")
        tokens.append(f"ghs_token{len(tokens) + 1}")
        end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=1)
        print(f"token {len(tokens)}", flush=True)
        document = {"token": tokens[-1], "expires_at": end.strftime("%Y-%m-%dT%H:%M:%SZ"), "permissions": {}}
        return self.answer(201, json.dumps(document).encode())

    def serve(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/app/installations/"):
            return self.give(self.path.split("/")[3])
        given = base64.b64decode((self.headers.get("Authorization") or " ").split(" ")[1]).decode()
        if not tokens or given != f"x-access-token:{tokens[-1]}":
            return self.answer(401, b"", ("WWW-Authenticate", 'Basic realm="GitHub"'))
        print(f"used {len(tokens)}", flush=True)
        status, headers, content = git_backend.answer(self, root, body)
        return self.answer(status, content, *headers)

    do_GET = serve
    do_POST = serve


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
