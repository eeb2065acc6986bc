"""What travels inside messages: FORMATS.md, a heading each."""

import base64
import re
import secrets
from dataclasses import dataclass

from sealing import (aead_open, aead_seal, be, hpke_receive, hpke_send, point, sha256, sign, squeeze,
                     unsqueeze, verify)
from wire import Refused, pack, unpack, unpack_all

ANALYTIC, IDENTIFYING, NOTICE = 0, 1, 2
CONTROL_PLAIN_MAX = 16 << 20
SLICE_PLAIN_MAX = 256 << 10


# ---- "Invitations"

@dataclass
class Invitation:
    programme: bytes
    node: bytes
    pin: bytes
    address: str
    secret: bytes
    role: int
    expires: int
    name: str
    area: str


def read_invitation(line):
    line = line.strip()
    if not line.startswith("banyan1:") or not re.fullmatch("[A-Za-z0-9_-]+", line[8:]):
        raise Refused("this is no invitation of this version")
    digits = line[8:]
    data = base64.urlsafe_b64decode(digits + "=" * (-len(digits) % 4))
    packed, check = data[:-4], data[-4:]
    if sha256(packed)[:4] != check or base64.urlsafe_b64encode(data).decode().rstrip("=") != digits:
        raise Refused("the invitation has a typing error")
    version, *fields = unpack(packed)
    if version != 1:
        raise Refused("an invitation of another version")
    return Invitation(*fields)


# ---- "Principals": signed statements

KINDS = {
    "enrolment": ("banyan enrolment 1", "id sign_key seal_key role area name issued issuer"),
    "revocation": ("banyan revocation 1", "principal reason time issuer logs"),
    "office": ("banyan office 1", "area key_no seal_key issued issuer"),
}


class Statement:
    """One statement of `kind`; its fields are attributes. Nothing is verified by reading it."""

    def __init__(self, kind, data):
        self.label, names = KINDS[kind]
        value = unpack(data) if isinstance(data, bytes) else data
        self.body, self.signature = value
        version, *fields = self.body
        if version != 1 or len(fields) != len(names.split()) or len(self.signature) != 64:
            raise Refused(f"this is no {kind} of this version")
        vars(self).update(zip(names.split(), fields))

    def verify(self, programme, key):
        """The bytes of the body are canonical, so packing them again gives the bytes that were signed."""
        verify(key, self.label.encode() + programme + pack(self.body), self.signature)


def read_chain(data):
    """Enrolments one after the other ("A tree of nodes"): each was issued by the next."""
    return [Statement("enrolment", value) for value in unpack_all(data)]


def verify_chain(chain, programme, root_key):
    for i, statement in enumerate(chain):
        last = i + 1 == len(chain)
        issuer, key = (programme, root_key) if last else (chain[i + 1].id, chain[i + 1].sign_key)
        if statement.issuer != issuer:
            raise Refused("an enrolment whose issuer is not shown")
        statement.verify(programme, key)


# ---- "Area tables"

def read_areas(data):
    """{code: parent's code or None} of a table in which every row hangs below a root."""
    version, rows = unpack(data)
    if version != 1 or not rows:
        raise Refused("this is no area table of this version")
    for code, parent, level, name, languages in rows:
        if not code or not 0 <= parent <= len(rows):
            raise Refused(f"area {code!r} is wrong")
    parents = {row[0]: rows[row[1] - 1][0] if row[1] else None for row in rows}
    if len(parents) != len(rows):
        raise Refused("an area stands twice in the table")
    for code in parents:
        depth, at = 0, code
        while at is not None:
            at, depth = parents[at], depth + 1
            if depth > 12:
                raise Refused(f"area {code!r} is above itself")
    return parents


# ---- "Slices"

def run_info(programme, author, epoch):
    return b"banyan run 1" + programme + author + be(epoch, 8)


def record_id(enc, index, j):
    return sha256(b"banyan record 1", enc, be(index, 4), be(j, 2))[:16]


def _slice(context, kind, index, record):
    label = b"banyan slice 1" + bytes([kind]) + be(index, 4)
    return context.export(label, 32), label + record


def slice_seal(context, kind, index, record, plain, codec_max=0):
    return aead_seal(*_slice(context, kind, index, record), squeeze(plain, codec_max))


def slice_open(context, kind, index, record, ciphertext):
    return unsqueeze(aead_open(*_slice(context, kind, index, record), ciphertext), SLICE_PLAIN_MAX)


# ---- "Parcels"

@dataclass
class Parcel:
    number: int
    flags: int
    area: str          # None: the author's
    runs: list         # [enc, key number or principal, epoch or None, [[index, record, analytic, identifying] ...]]
    signature: bytes = bytes(64)

    def pack(self):
        return pack([1, self.number, self.flags, self.area, self.runs, self.signature])

    def message(self, programme, author, epoch, previous):
        """What is signed; its SHA-256 is the parcel's hash."""
        area = (self.area or "").encode()
        leaves = [leaf(run, item, epoch) for run in self.runs for item in run[3]]
        return b"".join([b"banyan parcel 1", programme, author, be(epoch, 8), be(self.number, 8), previous,
                         bytes([self.flags, len(area)]), area, be(len(leaves), 2), *leaves])


def leaf(run, item, log_epoch):
    enc, to, epoch, _ = run
    index, record, *parts = item
    key_no, principal = (0, to) if isinstance(to, bytes) else (to or 0, bytes(16))
    hashes = [bytes(32) if p is None else p[0] if isinstance(p, list) else sha256(p) for p in parts]
    return sha256(b"banyan item 1", enc or bytes(65), be(key_no, 4), principal,
                  be(log_epoch if epoch is None else epoch, 8), be(index, 4), record or bytes(16), *hashes)


def read_parcel(data):
    version, *fields = unpack(data)
    if version != 1:
        raise Refused("a parcel of another version")
    parcel = Parcel(*fields)
    if parcel.number < 1 or not parcel.runs or len(parcel.signature) != 64:
        raise Refused("a malformed parcel")
    for enc, to, epoch, items in parcel.runs:
        if enc is not None:
            point(enc)
        if not items or any(len(item) != 4 for item in items):
            raise Refused("a malformed run in a parcel")
    return parcel


# ---- "Revisions"

def create(form_key, time, answers):
    return [0, form_key, time, answers]


def revision_id(item_leaf, j):
    return sha256(b"banyan revision 1", item_leaf, be(j, 2))[:16]


def seal_records(programme, author, epoch, office_key, key_no, revisions, identifying, codec_max):
    """One run of one item: new records, sealed to the office. -> (run, record ids). Nothing that opens it is kept."""
    enc, context = hpke_send(office_key, run_info(programme, author, epoch))
    ids = [record_id(enc, 0, j) for j in range(len(revisions))]
    analytic = slice_seal(context, ANALYTIC, 0, ids[0], pack(revisions), codec_max)
    hidden = None
    if any(part is not None for part in identifying):
        hidden = slice_seal(context, IDENTIFYING, 0, ids[0], pack(identifying), codec_max)
    return [enc, key_no, epoch, [[0, None, analytic, hidden]]], ids


# ---- "Control items and notices"

def items_of(parcel, programme, node, log_epoch, seal_secret, principal):
    """The bodies that a node's parcel says to this device, decoded; what is sealed to others is passed over."""
    for enc, to, epoch, items in parcel.runs:
        for index, record, body, _ in items:
            if isinstance(body, list) or body is None:
                continue
            if enc is None:
                yield unpack(unsqueeze(body, CONTROL_PLAIN_MAX))
            elif to == principal:
                info = run_info(programme, node, log_epoch if epoch is None else epoch)
                context = hpke_receive(seal_secret, enc, info)
                yield unpack(slice_open(context, NOTICE, index, record or record_id(enc, index, 0), body))


def new_epoch():
    """A log is one of 2^64: two that are drawn apart are never the same."""
    return secrets.randbits(64) or 1
