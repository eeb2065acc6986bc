"""Keys, HPKE, certificates, squeezing: FORMATS.md "HPKE", "Certificates", "Slices"."""

import ctypes
import ctypes.util
import hashlib
import hmac

from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from wire import Refused

CURVE = ec.SECP256R1()
ECDSA = ec.ECDSA(hashes.SHA256())


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def be(number, size):
    return number.to_bytes(size, "big")


# ---- keys: a secret is 32 bytes, a public key an uncompressed point of 65

def new_secret():
    return be(ec.generate_private_key(CURVE).private_numbers().private_value, 32)


def private(secret):
    return ec.derive_private_key(int.from_bytes(secret, "big"), CURVE)


def public(secret):
    return private(secret).public_key().public_bytes(
        serialization.Encoding.X962, serialization.PublicFormat.UncompressedPoint)


def point(key):
    """A public key that lies on the curve, or Refused."""
    try:
        if len(key) == 65 and key[0] == 4:
            return ec.EllipticCurvePublicKey.from_encoded_point(CURVE, key)
    except ValueError:
        pass
    raise Refused("a key that is no point of P-256")


def sign(secret, message):
    """r || s. The nonce is the library's: RFC 6979 is how Banyan draws it, and nobody can tell."""
    r, s = utils.decode_dss_signature(private(secret).sign(message, ECDSA))
    return be(r, 32) + be(s, 32)


def verify(key, message, signature):
    r, s = (int.from_bytes(signature[i:i + 32], "big") for i in (0, 32))
    try:
        point(key).verify(utils.encode_dss_signature(r, s), message, ECDSA)
    except InvalidSignature:
        raise Refused("a signature that does not hold") from None


def agree(secret, key):
    return private(secret).exchange(ec.ECDH(), point(key))


# ---- HPKE, RFC 9180, base mode

def _extract(salt, data):
    return hmac.digest(salt or bytes(32), data, "sha256")


def _expand(key, info, size):
    out = block = b""
    for i in range(1, size // 32 + 2):
        block = hmac.digest(key, block + info + bytes([i]), "sha256")
        out += block
    return out[:size]


class Hpke:
    """The context that sender and recipient share. `aead` is the registered number; keys of 32 bytes but for 1."""

    def __init__(self, dh, enc, recipient, info, aead=2):
        kem = b"KEM" + be(0x10, 2)
        prk = self._labeled_extract(kem, b"", b"eae_prk", dh)
        shared = self._labeled_expand(kem, prk, b"shared_secret", enc + recipient, 32)
        self.suite = b"HPKE" + be(0x10, 2) + be(1, 2) + be(aead, 2)
        context = (b"\0" + self._labeled_extract(self.suite, b"", b"psk_id_hash", b"")
                   + self._labeled_extract(self.suite, b"", b"info_hash", info))
        secret = self._labeled_extract(self.suite, shared, b"secret", b"")
        size = {1: 16, 0xFFFF: 0}.get(aead, 32)
        self.key = self._labeled_expand(self.suite, secret, b"key", context, size)
        self.nonce = self._labeled_expand(self.suite, secret, b"base_nonce", context, 12 if size else 0)
        self.exporter = self._labeled_expand(self.suite, secret, b"exp", context, 32)

    @staticmethod
    def _labeled_extract(suite, salt, label, data):
        return _extract(salt, b"HPKE-v1" + suite + label + data)

    @staticmethod
    def _labeled_expand(suite, key, label, info, size):
        return _expand(key, be(size, 2) + b"HPKE-v1" + suite + label + info, size)

    def export(self, context, size):
        return self._labeled_expand(self.suite, self.exporter, b"sec", context, size)


def hpke_send(recipient, info, aead=2, secret=None):
    """(enc, context) for a recipient's public key."""
    secret = secret or new_secret()
    enc = public(secret)
    return enc, Hpke(agree(secret, recipient), enc, recipient, info, aead)


def hpke_receive(secret, enc, info, aead=2):
    return Hpke(agree(secret, enc), enc, public(secret), info, aead)


def aead_seal(key, ad, plain):
    return AESGCM(key).encrypt(bytes(12), plain, ad)


def aead_open(key, ad, ciphertext):
    try:
        return AESGCM(key).decrypt(bytes(12), ciphertext, ad)
    except InvalidTag:
        raise Refused("a seal that does not open") from None


# ---- certificates

CERT_HEAD = bytes.fromhex(
    "3081e13081c7020101300a06082a8648ce3d040302300c310a300806035504031301"
    "2d3020170d3730303130313030303030305a180f39393939313233313233353935395a302b3129302706035504031320")
CERT_KEY = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
CERT_TAIL = bytes.fromhex("300a06082a8648ce3d0403020309003006020101020101")


def certificate(principal, key):
    return CERT_HEAD + principal.hex().encode() + CERT_KEY + key + CERT_TAIL


def read_certificate(der):
    """(principal, public key) of exactly such a certificate."""
    try:
        principal, key = bytes.fromhex(der[82:114].decode("ascii")), der[140:205]
    except ValueError:
        raise Refused("a certificate that is not Banyan's") from None
    if der != certificate(principal, key):
        raise Refused("a certificate that is not Banyan's")
    point(key)
    return principal, key


# ---- codecs. libzstd is there wherever Debian is; Python 3.11 has no module for it of its own.

ZSTD_MAGIC = bytes.fromhex("28b52ffd")
ZSTD_WINDOW_LOG, ZSTD_LEVEL, ZSTD_CONTENT_SIZE = 101, 100, 200   # zstd.h, the stable part of ZSTD_cParameter
_zstd = ctypes.CDLL(ctypes.util.find_library("zstd") or "libzstd.so.1")
for _name in ("ZSTD_decompress", "ZSTD_compress2", "ZSTD_CCtx_setParameter"):
    getattr(_zstd, _name).restype = ctypes.c_size_t
_zstd.ZSTD_createCCtx.restype = ctypes.c_void_p


def unsqueeze(data, limit):
    """`codec || payload` -> what was squeezed; at most `limit` bytes."""
    codec, payload = data[0], data[1:]
    if codec == 0:
        plain = payload
    elif codec in (1, 2):
        if codec == 2:
            payload = b"\x00\x30" + (len(payload) * 8 + 5).to_bytes(3, "little") + payload
        room = ctypes.create_string_buffer(limit + 1)
        framed = ZSTD_MAGIC + payload
        n = _zstd.ZSTD_decompress(room, ctypes.c_size_t(limit + 1), framed, ctypes.c_size_t(len(framed)))
        if _zstd.ZSTD_isError(ctypes.c_size_t(n)):
            raise Refused("a squeezed payload that is damaged")
        plain = room.raw[:n]
    else:
        raise Refused(f"codec {codec}, which this device does not read")
    if len(plain) > limit:
        raise Refused("a payload past its bound")
    return plain


def squeeze(plain, codec_max):
    """The shorter of codec 0 and, where the node reads it and it fits, codec 2."""
    if codec_max < 2 or len(plain) > 65_536:
        return b"\0" + plain
    context = ctypes.c_void_p(_zstd.ZSTD_createCCtx())
    for name, value in ((ZSTD_LEVEL, 19), (ZSTD_WINDOW_LOG, 16), (ZSTD_CONTENT_SIZE, 0)):
        _zstd.ZSTD_CCtx_setParameter(context, name, value)
    room = ctypes.create_string_buffer(len(plain) + 1024)
    n = _zstd.ZSTD_compress2(context, room, ctypes.c_size_t(len(room)), plain, ctypes.c_size_t(len(plain)))
    _zstd.ZSTD_freeCCtx(context)
    squeezed = b"\2" + room.raw[9:n]
    head, window, block = room.raw[4], room.raw[5], room.raw[6:9]   # a smaller window does with the larger one
    one_block = head == 0 and window <= 0x30 and block == ((n - 9) * 8 + 5).to_bytes(3, "little")
    return min(b"\0" + plain, squeezed, key=len) if one_block else b"\0" + plain
