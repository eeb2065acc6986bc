"""TLS 1.2 to a node and frames through it: PROTOCOL.md "Carriers" and "Frames"."""

import os
import socket
import ssl
import tempfile

from cryptography.hazmat.primitives import serialization

from sealing import certificate, private, public, read_certificate, sha256
from wire import ERROR, Refused, cut_frame, read_message

SUITES = "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384"
SECONDS = 60


class Cut(Exception):
    """The link ended before the exchange did."""


class PeerError(Exception):
    """The node said ERROR: (number, seconds to wait, thing)."""


def _context(principal, secret):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE      # trust is the pin, which is checked below, not an authority
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers(SUITES)
    context.options |= ssl.OP_NO_TICKET
    context.set_alpn_protocols(["banyan/1"])
    key = private(secret).private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
                                        serialization.NoEncryption()).decode()
    cert = ssl.DER_cert_to_PEM_cert(certificate(principal, public(secret)))
    with tempfile.TemporaryDirectory() as folder:    # ssl reads files only
        name = os.path.join(folder, "pem")
        with open(os.open(name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(key + cert)
        context.load_cert_chain(name)
    return context


def _shown_certificate(flight):
    """The first certificate in a server's flight, in clear in TLS 1.2; None while it is not there whole."""
    handshake, at = b"", 0
    while at + 5 <= len(flight):
        size = int.from_bytes(flight[at + 3:at + 5], "big")
        if flight[at] != 22 or at + 5 + size > len(flight):
            break
        handshake += flight[at + 5:at + 5 + size]
        at += 5 + size
    at = 0
    while at + 4 <= len(handshake):
        size = int.from_bytes(handshake[at + 1:at + 4], "big")
        if handshake[at] == 11 and at + 4 + size <= len(handshake):
            body = handshake[at + 4:at + 4 + size]
            return body[6:6 + int.from_bytes(body[3:6], "big")]
        at += 4 + size
    return None


class Link:
    """A session with the node at `address` whose key has the SHA-256 `pin`. `node` is its (principal, key)."""

    def __init__(self, address, pin, principal, secret):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host.strip("[]"), int(port)), SECONDS)
        self.coming, self.going, self.buffer = ssl.MemoryBIO(), ssl.MemoryBIO(), b""
        self.tls = _context(principal, secret).wrap_bio(self.coming, self.going)
        try:
            self._handshake(pin)
        except BaseException:
            self.socket.close()
            raise

    def _handshake(self, pin):
        flight, self.node = b"", None
        while True:
            try:
                self.tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                self._flush()
            flight += self._receive()
            if self.node is None:
                shown = _shown_certificate(flight)
                if shown is None:
                    if len(flight) > 1 << 16:
                        raise Refused("this is no node")
                    self.coming.write(flight[-len(self._last):])
                    continue
                self.node = read_certificate(shown)
                if sha256(self.node[1]) != pin:
                    raise Refused("the node shows another key than the one that was pinned")
            self.coming.write(self._last)
        self._flush()
        # What the handshake proved is what was looked at on its way.
        if self.node is None or read_certificate(self.tls.getpeercert(True)) != self.node:
            raise Refused("the node shows another key than the one that was pinned")
        if self.tls.selected_alpn_protocol() != "banyan/1":
            raise Refused("the node does not speak banyan/1")

    def _receive(self):
        self._last = self.socket.recv(65536)
        if not self._last:
            raise Cut("the link was cut")
        return self._last

    def _flush(self):
        if self.going.pending:
            self.socket.sendall(self.going.read())

    def send(self, frames):
        """One flight, one write."""
        self.tls.write(frames)
        self._flush()

    def receive(self):
        """(type, fields) of the next message; ERROR is raised."""
        while True:
            cut = cut_frame(self.buffer)
            if cut:
                kind, body, used = cut
                self.buffer = self.buffer[used:]
                fields = read_message(kind, body)
                if kind == ERROR:
                    raise PeerError(*fields)
                if fields is not None:
                    return kind, fields
                continue
            try:
                self.buffer += self.tls.read(65536)
            except ssl.SSLWantReadError:
                self.coming.write(self._receive())
            except ssl.SSLError as e:
                raise Cut(str(e)) from None

    def close(self):
        self.socket.close()        # no close_notify: the end of an exchange is in the protocol
