#!/usr/bin/env python3
"""This device's formats against tests/vectors: check_vectors.py VECTORS"""

import json
import os
import sys
import unittest

import formats
import sealing
import wire

VECTORS = ""
PROGRAMME, AUTHOR, EPOCH = b"programme-000001", b"author-000000001", 0x0102030405060708
AUTHOR_SECRET, OFFICE_SECRET, RUN_SECRET = (bytes([b]) * 32 for b in (0x11, 0x22, 0x33))
ROOT = sealing.public(sealing.be(1, 32))


def vector(name):
    with open(os.path.join(VECTORS, name)) as file:
        return bytes.fromhex("".join(line for line in file if not line.startswith("#")))


class Wire(unittest.TestCase):
    def message(self, name, kind, *fields):
        whole = vector(f"message_{name}.hex")
        self.assertEqual(wire.message(kind, *fields), whole)
        got_kind, body, used = wire.cut_frame(whole + b"more")
        self.assertEqual((got_kind, used), (kind, len(whole)))
        self.assertEqual(wire.read_message(kind, body), list(fields))
        for cut in range(len(whole)):
            self.assertIsNone(wire.cut_frame(whole[:cut]))

    def test_messages(self):
        self.message("hello", wire.HELLO, 1, 1, 1, 0x1122334455667788, 300, 0xAABBCCDD, 7, 0)
        self.message("hello_first", wire.HELLO, 1, 1, 2, 5, 0, 0, 0, 0)
        self.message("ack", wire.ACK, 301, 0x0102030405060708, 0)
        self.message("down", wire.DOWN, 1, 0x99AABBCCDDEEFF00, b"a review")
        self.message("last", wire.LAST, 301, 0, 0, 280, 0x6AB13B80, 7, 2, 0xFEDCBA9876543210)
        self.message("again", wire.AGAIN, 1)
        self.message("error", wire.ERROR, 5, 90, "90")

    def test_canonical(self):
        for bad in ("cc7f", "cd00ff", "d100ff", "d0e0", "d90161", "dc000100", "cb3ff0000000000000", "ca3fc00000",
                    "c50001aa", "cb7ff8000000000000", "c1", "9101c0", "91"):
            with self.assertRaises(wire.Refused, msg=bad):
                wire.unpack(bytes.fromhex(bad))
        for value in (0, 127, 128, 255, 256, 65536, 1 << 32, -1, -32, -33, -129, -32769, -(1 << 40), 2.5, 2.0 ** 60):
            self.assertEqual(wire.unpack(wire.pack(value)), value)


class Formats(unittest.TestCase):
    def test_hpke(self):
        with open(os.path.join(VECTORS, "hpke_p256.json")) as file:
            for case in json.load(file):
                h = {k: bytes.fromhex(v) for k, v in case.items() if k not in ("source", "aead_id", "encryptions", "exports")}
                aead = int(case["aead_id"])
                enc, sender = sealing.hpke_send(h["pkRm"], h["info"], aead, h["skEm"])
                receiver = sealing.hpke_receive(h["skRm"], enc, h["info"], aead)
                self.assertEqual(enc, h["enc"])
                for context in (sender, receiver):
                    self.assertEqual((context.key, context.nonce, context.exporter),
                                     (h["key"], h["base_nonce"], h["exporter_secret"]), case["source"])
                    for export in case["exports"]:
                        self.assertEqual(context.export(bytes.fromhex(export["exporter_context"]), int(export["L"])),
                                         bytes.fromhex(export["exported_value"]))

    def test_certificate(self):
        key = sealing.public(AUTHOR_SECRET)
        self.assertEqual(sealing.certificate(AUTHOR, key), vector("certificate.hex"))
        self.assertEqual(sealing.read_certificate(vector("certificate.hex")), (AUTHOR, key))
        with self.assertRaises(wire.Refused):
            sealing.read_certificate(vector("certificate.hex")[:-1] + b"\2")

    def test_invitation(self):
        line = vector("invitation.hex").decode()
        invitation = formats.read_invitation(f"  {line}\n")
        self.assertEqual(invitation.programme, PROGRAMME)
        with self.assertRaises(wire.Refused):
            formats.read_invitation(line[:20] + ("A" if line[20] != "A" else "B") + line[21:])

    def test_statements(self):
        programme = sealing.sha256(ROOT)[:16]
        for kind in formats.KINDS:
            statement = formats.Statement(kind, vector(f"{kind}_1.hex"))
            statement.verify(programme, ROOT)
            with self.assertRaises(wire.Refused):
                statement.verify(bytes(16), ROOT)

    def test_areas(self):
        self.assertEqual(formats.read_areas(vector("area_table.hex")), {"P": None, "0905-07": "V-1", "V-1": "P"})

    def test_slices(self):
        info = formats.run_info(PROGRAMME, AUTHOR, EPOCH)
        enc, _ = sealing.hpke_send(sealing.public(OFFICE_SECRET), info, 2, RUN_SECRET)
        context = sealing.hpke_receive(OFFICE_SECRET, enc, info)
        self.assertEqual(formats.record_id(enc, 3, 258), vector("record_id.hex"))
        for name, index, plain in (("plain", 3, b"Dara"), ("block", 5, None)):
            got = formats.slice_open(context, formats.IDENTIFYING, index, formats.record_id(enc, index, 0),
                                     vector(f"slice_{name}.hex"))
            self.assertEqual(got, plain or got)
        self.assertEqual(got.count(b"the river"), 4)
        long = b"the river is high, the river is low " * 9
        for codec_max, shorter in ((1, False), (3, True)):
            squeezed = sealing.squeeze(long, codec_max)
            self.assertEqual((len(squeezed) < len(long), sealing.unsqueeze(squeezed, 400)), (shorter, long))

    def test_parcel(self):
        parcel = formats.read_parcel(vector("parcel.hex"))
        self.assertEqual(parcel.pack(), vector("parcel.hex"))
        message = parcel.message(PROGRAMME, AUTHOR, EPOCH, b"the parcel that went before this")
        self.assertEqual(sealing.sha256(message), vector("parcel_hash.hex"))
        sealing.verify(sealing.public(AUTHOR_SECRET), message, parcel.signature)
        sealing.verify(sealing.public(AUTHOR_SECRET), message, sealing.sign(AUTHOR_SECRET, message))
        with self.assertRaises(wire.Refused):
            sealing.verify(sealing.public(AUTHOR_SECRET), message + b"!", parcel.signature)

    def test_revisions(self):
        self.assertEqual(formats.revision_id(b"\x5a" * 32, 258), vector("revision_id.hex"))
        revision, = wire.unpack(vector("revision_create.hex"))
        self.assertEqual(revision[:3], [0, 0x11223344, 0x6553F100])
        kind, record, state, note, _ = wire.unpack(vector("item_review.hex"))
        self.assertEqual((kind, record, state, note), (16, b"record-000000001", 2, "which school?"))


if __name__ == "__main__":
    VECTORS = sys.argv.pop(1)
    unittest.main()
