"""Bytes on the wire: canonical MessagePack (FORMATS.md, opening), frames and messages (PROTOCOL.md)."""

import struct

FRAME_BYTES_MAX = 4_260_864
SKIPPED_BYTES_MAX = 65_536
DEPTH_MAX = 24


class Refused(Exception):
    """What a peer said cannot be believed, or read. The text is for a person."""


# ---- MessagePack, canonical: one way to write each value, and readers refuse any other

def pack(value):
    """The canonical bytes of None, bool, int, float, str, bytes, list or dict (keys as they stand)."""
    if value is None:
        return b"\xc0"
    if isinstance(value, bool):
        return b"\xc3" if value else b"\xc2"
    if isinstance(value, int):
        return _pack_int(value)
    if isinstance(value, float):
        if value != value:
            raise ValueError("NaN is never written")
        if value.is_integer() and abs(value) <= 2 ** 53:
            return _pack_int(int(value))
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode()
        return _head(len(text), 0xA0, 32, 0xD9, 0xDA, 0xDB) + text
    if isinstance(value, (bytes, bytearray)):
        return _head(len(value), 0, 0, 0xC4, 0xC5, 0xC6) + bytes(value)
    if isinstance(value, (list, tuple)):
        return _head(len(value), 0x90, 16, None, 0xDC, 0xDD) + b"".join(map(pack, value))
    if isinstance(value, dict):
        return (_head(len(value), 0x80, 16, None, 0xDE, 0xDF)
                + b"".join(pack(k) + pack(v) for k, v in value.items()))
    raise TypeError(f"no MessagePack for {type(value).__name__}")


def _head(n, fix, fix_limit, byte, short, long):
    if n < fix_limit:
        return bytes([fix + n])
    if byte is not None and n < 1 << 8:
        return bytes([byte, n])
    if n < 1 << 16:
        return bytes([short]) + struct.pack(">H", n)
    return bytes([long]) + struct.pack(">I", n)


def _pack_int(n):
    if n >= 0:
        if n < 128:
            return bytes([n])
        for code, bits in ((0xCC, 8), (0xCD, 16), (0xCE, 32), (0xCF, 64)):
            if n < 1 << bits:
                return bytes([code]) + n.to_bytes(bits // 8, "big")
    elif n >= -32:
        return struct.pack("b", n)
    else:
        for code, bits in ((0xD0, 8), (0xD1, 16), (0xD2, 32), (0xD3, 64)):
            if n >= -(1 << bits - 1):
                return bytes([code]) + n.to_bytes(bits // 8, "big", signed=True)
    raise ValueError(f"{n} has more than 64 bits")


class Reader:
    """Values of `data`, one after the other. They are canonical if, written again, they are the same bytes."""

    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def done(self):
        return self.at == len(self.data)

    def next(self):
        start, value = self.at, self._value(0)
        try:
            if pack(value) == self.data[start:self.at]:
                return value
        except ValueError:
            pass
        raise Refused("MessagePack that is not in its shortest form")

    def _take(self, n):
        if self.at + n > len(self.data):
            raise Refused("it ends early")
        self.at += n
        return self.data[self.at - n:self.at]

    def _number(self, size, signed=False):
        return int.from_bytes(self._take(size), "big", signed=signed)

    def _value(self, depth):
        if depth > DEPTH_MAX:
            raise Refused("nested too deep")
        code = self._take(1)[0]
        if code < 0x80:
            return code
        if code < 0x90:
            return self._map(code & 15, depth)
        if code < 0xA0:
            return [self._value(depth + 1) for _ in range(code & 15)]
        if code < 0xC0:
            return self._text(code & 31)
        if code in (0xC0, 0xC2, 0xC3):
            return {0xC0: None, 0xC2: False, 0xC3: True}[code]
        if 0xC4 <= code <= 0xC6:
            return self._take(self._number(1 << code - 0xC4))
        if code == 0xCB:
            return struct.unpack(">d", self._take(8))[0]
        if 0xCC <= code <= 0xCF:
            return self._number(1 << code - 0xCC)
        if 0xD0 <= code <= 0xD3:
            return self._number(1 << code - 0xD0, signed=True)
        if 0xD9 <= code <= 0xDB:
            return self._text(self._number(1 << code - 0xD9))
        if code in (0xDC, 0xDD):
            return [self._value(depth + 1) for _ in range(self._number(2 << code - 0xDC))]
        if code in (0xDE, 0xDF):
            return self._map(self._number(2 << code - 0xDE), depth)
        if code >= 0xE0:
            return code - 256
        raise Refused(f"no value begins with {code:02x}")

    def _text(self, n):
        try:
            return self._take(n).decode()
        except UnicodeDecodeError:
            raise Refused("text that is no UTF-8") from None

    def _map(self, n, depth):
        pairs = [(self._value(depth + 1), self._value(depth + 1)) for _ in range(n)]
        if any(isinstance(key, (list, dict)) for key, _ in pairs):
            raise Refused("a map with such keys")
        return dict(pairs)


def unpack_all(data):
    """The values that `data` is, one after the other."""
    reader, values = Reader(data), []
    while not reader.done():
        values.append(reader.next())
    return values


def unpack(data):
    """The one value that `data` is."""
    values = unpack_all(data)
    if len(values) != 1:
        raise Refused("not one value")
    return values[0]


# ---- frames: PROTOCOL.md "Frames"

def leb128(n):
    out = bytearray()
    while True:
        out.append(n & 127 | (128 if n > 127 else 0))
        n >>= 7
        if not n:
            return bytes(out)


def frame(kind, body):
    return leb128(len(body)) + bytes([kind]) + body


def cut_frame(buffer):
    """(type, body, bytes used) of the first frame in `buffer`, or None if it is not whole yet."""
    length = 0
    for i, byte in enumerate(buffer[:5]):
        length |= (byte & 127) << 7 * i
        if byte < 128:
            break
    else:
        if len(buffer) >= 5:
            raise Refused("a frame's length does not end")
        return None
    if i and not byte:
        raise Refused("a frame's length with needless zeros")
    if length > FRAME_BYTES_MAX:
        raise Refused("a frame that is too long")
    start = i + 2
    if len(buffer) < start + length:
        return None
    return buffer[start - 1], bytes(buffer[start:start + length]), start + length


# ---- messages: PROTOCOL.md, one heading each. A field is what tells whether a value may stand there.

def _u(bits):
    return lambda v: isinstance(v, int) and not isinstance(v, bool) and 0 <= v < 1 << bits


def _bin(least, most=None):
    return lambda v: isinstance(v, bytes) and least <= len(v) <= (most or least)


def _str(size):
    return lambda v: isinstance(v, str) and len(v.encode()) <= size


def _bool(v):
    return isinstance(v, bool)


NUMBER = _u(63)
HELLO, PARCEL, END, ACK, DOWN, LAST, ERROR, AGAIN, JOIN, WELCOME = 1, 2, 4, 5, 6, 7, 8, 9, 10, 11
NOTHING, ASK, KNOWS_AGAIN = 1, 2, 4                        # HELLO's flags
FORKED, QUARANTINED, BEHIND, MORE, SAYS_AGAIN = 1, 2, 3, 4, 8   # statuses; the last two are bits of LAST's
RAW = (PARCEL, END)
FIELDS = {
    HELLO: (_u(8), _u(8), _u(8), _u(64), NUMBER, _u(32), NUMBER, NUMBER),
    ACK: (NUMBER, _u(64), _u(8)),
    DOWN: (_u(8), _u(64), _bin(1, FRAME_BYTES_MAX)),
    LAST: (NUMBER, _u(8), _u(64), NUMBER, _u(32), NUMBER, NUMBER, _u(64)),
    AGAIN: (_u(8),),
    ERROR: (_u(16), _u(32), _str(239)),
    JOIN: (_bin(16), _bin(16), _bin(65), _str(128)),
    WELCOME: (_str(128), _bin(65), _bin(1, 4096), _bin(1, 4096), _bin(1, 4096), _str(32), _u(32), _bool),
}


def message(kind, *fields):
    """A message as a whole frame."""
    if not all(check(v) for check, v in zip(FIELDS[kind], fields, strict=True)):
        raise ValueError(f"message {kind}: {fields}")
    return frame(kind, b"".join(map(pack, fields)))


def read_message(kind, body):
    """The fields of a message's body; bytes if it is raw; None if it is to be skipped."""
    if kind in RAW:
        return body
    if kind not in FIELDS:
        if kind >= 0x80 and len(body) <= SKIPPED_BYTES_MAX:
            return None
        raise Refused(f"a message of type {kind:#04x}, which does not belong here")
    fields = unpack_all(body)
    if len(fields) != len(FIELDS[kind]) or not all(c(v) for c, v in zip(FIELDS[kind], fields)):
        raise Refused(f"message {kind:#04x} is malformed")
    return fields
