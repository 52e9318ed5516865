"""A mail server on 127.0.0.1. Mails are read by the package email and written down, a JSON line each."""

import asyncio
import base64
import email
import json
import ssl
import sys
from email import policy

from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

port, file, certs, password = int(sys.argv[1]), *sys.argv[2:]
tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
tls.load_cert_chain(f"{certs}/server.crt", f"{certs}/server.key")


class Handler:
    async def auth_XOAUTH2(self, server, args):
        user, token = base64.b64decode(args[1]).decode().rstrip("\x01").split("\x01")
        good = user == "user=noroshi" and token == f"auth=Bearer {password}"
        return AuthResult(success=good, handled=False, auth_data=LoginPassword(b"noroshi", b""))

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address == "refused@example.com":
            return "550 5.1.1 no such person"
        if address == "full@example.com":
            return "452 4.2.2 the mailbox is full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        m = email.message_from_bytes(envelope.content, policy=policy.default)
        if "SPAM" in m["subject"]:
            return "554 5.7.1 the mail is refused as spam"
        plain, html = m.get_body(("plain",)), m.get_body(("html",))
        said = {
            "from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": server.transport.get_extra_info("ssl_object") is not None, "user": getattr(session.auth_data, "login", b"").decode(),
            "headers": [[k, str(v)] for k, v in m.items()], "defects": [repr(d) for part in m.walk() for d in part.defects] + [repr(d) for v in m.values() for d in v.defects],
            "type": m.get_content_type(), "parts": [part.get_content_type() for part in m.iter_parts()], "longest": max(map(len, envelope.content.split(b"\r\n"))),
            "plain": plain.get_content() if plain else "", "html": html.get_content() if html else "",
        }
        with open(file, "a", encoding="utf-8") as out:
            out.write(json.dumps(said, ensure_ascii=False) + "\n")
        return "250 taken"


def login(server, session, envelope, mechanism, data):
    return AuthResult(success=data.login == b"noroshi" and data.password == password.encode(), auth_data=data, handled=False)


async def serve():
    loop = asyncio.get_running_loop()
    safe = dict(authenticator=login, auth_required=True)
    await loop.create_server(lambda: SMTP(Handler(), tls_context=tls, require_starttls=True, **safe), "127.0.0.1", port)
    await loop.create_server(lambda: SMTP(Handler(), auth_require_tls=False, **safe), "127.0.0.1", port + 1, ssl=tls)
    await loop.create_server(lambda: SMTP(Handler()), "127.0.0.1", port + 2)
    await asyncio.Event().wait()


asyncio.run(serve())
