# A mail server with STARTTLS and a login: python3 smtpd.py <certificate> <key> <require login: yes or no>
# It prints its port, every command after TLS, and every mail.
import asyncio
import ssl
import sys

try:
    from aiosmtpd.smtp import SMTP, AuthResult
except ImportError:
    sys.exit("This test needs aiosmtpd: apt-get install python3-aiosmtpd")


class Mails:
    async def handle_DATA(self, server, session, envelope):
        user = getattr(session.auth_data, "login", b"nobody").decode()
        print("mail", user, envelope.mail_from, *envelope.rcpt_tos, flush=True)
        print(repr(envelope.original_content), flush=True)
        return "250 Accepted"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address.startswith("nobody@"):
            return "550 No such user"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def login(server, session, envelope, mechanism, data):
    right = data.login == b"ann" and data.password == b"secret"
    print("login", data.login.decode(), right, flush=True)
    return AuthResult(success=right, handled=False, auth_data=data)


certificate, key, requires_login = sys.argv[1:]
context = None
if certificate:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)


def connection():
    print("connection", flush=True)
    return SMTP(
        Mails(),
        hostname="rxsock.test",
        tls_context=context,
        require_starttls=context is not None,
        authenticator=login,
        auth_required=requires_login == "yes",
        auth_require_tls=True,
    )


async def main():
    server = await asyncio.get_running_loop().create_server(connection, "127.0.0.1", 0)
    print("listening on", server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


asyncio.run(main())
