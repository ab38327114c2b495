"""A real SMTP server on loopback that writes each message it takes as a line of JSON.

Arguments: the way of TLS (starttls, implicit, none), a folder with cert.pem and key.pem, and, when a login is wanted,
user name and password. The first line that it prints is its port.
"""

import asyncio
import json
import ssl
import sys

from aiosmtpd.smtp import SMTP, AuthResult


class Handler:
    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 5.1.1 no such user here"
        if address.startswith("later@"):
            return "451 4.7.1 greylisted, come again"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        message = {
            "from": envelope.mail_from,
            "to": envelope.rcpt_tos,
            "text": envelope.content.decode("ascii"),
            "tls": server.transport.get_extra_info("ssl_object") is not None,
            "login": session.auth_data.decode() if session.auth_data else None,
        }
        print(json.dumps(message), flush=True)
        return "250 2.0.0 queued as 7F3A"


async def main(way, folder, credentials):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/cert.pem", f"{folder}/key.pem")

    def authenticate(server, session, envelope, mechanism, data):
        given = [data.login.decode(), data.password.decode()]
        return AuthResult(success=given == credentials, handled=False, auth_data=data.login)

    def factory():
        return SMTP(
            Handler(),
            tls_context=context if way == "starttls" else None,
            require_starttls=way == "starttls",
            authenticator=authenticate if credentials else None,
            auth_required=bool(credentials),
            auth_require_tls=way == "starttls",
            loop=asyncio.get_running_loop(),
        )

    server = await asyncio.get_running_loop().create_server(
        factory, "127.0.0.1", 0, ssl=context if way == "implicit" else None
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
