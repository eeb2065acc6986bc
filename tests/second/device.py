#!/usr/bin/env python3
"""A second device, written from sync/PROTOCOL.md, core/FORMATS.md and schemas/FORMS.md alone: it joins, takes what comes
down, fills forms and uploads. It proves that the documents suffice. It is no device for use: its keys lie in clear.

    device.py join STORE INVITATION              device.py submit STORE FORM ANSWERS.jsonl
    device.py sync STORE [--ask] [--lose-cursor] [--again FORM ANSWERS.jsonl]
    device.py notices STORE
"""

import json
import os
import secrets
import sys
import time

import formats
from form import Form
from link import Cut, Link, PeerError
from sealing import be, new_secret, public, sha256, sign, verify
from wire import (ACK, AGAIN, ASK, BEHIND, DOWN, END, FORKED, HELLO, JOIN, KNOWS_AGAIN, LAST, MORE, NOTHING, PARCEL,
                  SAYS_AGAIN, WELCOME, Refused, frame, message)

BROADCAST, INBOX = 0, 1
NO_HASH = bytes(32)


class Fork(Exception):
    """The own log has a twin: a copied handset wrote other parcels under the same numbers."""


class Store:
    """State in one file; save() is durable before it returns. Bytes are kept as hexadecimal text."""

    def __init__(self, folder, fresh=None):
        self.folder, self.name = folder, os.path.join(folder, "device.json")
        if fresh is None:
            with open(self.name) as file:
                self.state = json.load(file)
        else:
            os.makedirs(folder, mode=0o700)
            self.state = fresh

    def __getitem__(self, key):
        value = self.state[key]
        return bytes.fromhex(value[1:]) if isinstance(value, str) and value[:1] == "#" else value

    def __setitem__(self, key, value):
        self.state[key] = "#" + value.hex() if isinstance(value, bytes) else value

    def save(self):
        with open(os.open(self.name + ".new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(self.state, file, indent=1)
            file.flush()
            os.fsync(file.fileno())
        os.rename(self.name + ".new", self.name)
        fd = os.open(self.folder, os.O_RDONLY)
        os.fsync(fd)
        os.close(fd)


# ---- joining: PROTOCOL.md "JOIN", "WELCOME"

def join(folder, line):
    invitation = formats.read_invitation(line)
    store = Store(folder, {})
    for key, value in dict(programme=invitation.programme, node=invitation.node, pin=invitation.pin,
                           address=invitation.address, id=secrets.token_bytes(16), sign=new_secret(),
                           seal=new_secret(), epoch=formats.new_epoch(), parcels=[], outbox=[], acked=0, ask=False,
                           incarnation=0, logs=[None, None], forms={}, areas=None, codecs=1, notices=[]).items():
        store[key] = value
    link = Link(store["address"], store["pin"], store["id"], store["sign"])
    if link.node[0] != invitation.node:
        raise Refused("the node is not the one that the invitation names")
    link.send(message(JOIN, invitation.secret, store["id"], public(store["seal"]), invitation.name))
    kind, welcome = link.receive()
    if kind != WELCOME:
        raise Refused("the node does not answer JOIN with WELCOME")
    take_welcome(store, invitation, link.node[1], welcome)
    store.save()
    agree, _ = exchange(store, link)
    link.close()
    return {"verified": agree, "area": store["area"]}


def take_welcome(store, invitation, node_key, welcome):
    name, root, node_chain, own, office, area, _, approved = welcome
    programme = invitation.programme
    if sha256(root)[:16] != programme:
        raise Refused("the root's key is not this programme's")
    chain = formats.read_chain(node_chain)
    formats.verify_chain(chain, programme, root)
    if (chain[0].id, chain[0].sign_key) != (invitation.node, node_key):
        raise Refused("the node's enrolment is somebody else's")
    enrolment = formats.Statement("enrolment", own)
    enrolment.verify(programme, node_key)
    mine = (store["id"], public(store["sign"]), public(store["seal"]), invitation.role, invitation.area)
    if (enrolment.id, enrolment.sign_key, enrolment.seal_key, enrolment.role, enrolment.area) != mine:
        raise Refused("the enrolment is not what the invitation said")
    store["node_key"], store["root"], store["area"], store["approved"] = node_key, root, enrolment.area, approved
    store["programme_name"], store["key_no"] = name, 0
    take_office(store, formats.Statement("office", office))


def take_office(store, office):
    """Signed by the root or the node; a lower key number is passed over."""
    root = office.issuer == store["programme"]
    if not root and office.issuer != store["node"]:
        raise Refused("an office's key from a stranger")
    office.verify(store["programme"], store["root"] if root else store["node_key"])
    if office.key_no >= store["key_no"]:
        store["key_no"], store["office_key"], store["office_area"] = office.key_no, office.seal_key, office.area


# ---- the own log: FORMATS.md "Slices", "Parcels"

def submit(store, form_id, lines):
    """Answers, one object a line, become one sealed run; what opens it is forgotten. -> the records' ids."""
    bundle = bytes.fromhex(store["forms"][form_id]["bundle"])
    form, now = Form(bundle), int(time.time())
    answers = [json.loads(line) for line in lines if line.strip()]
    revisions = [formats.create(form.key, now, form.pack(a, False)) for a in answers]
    identifying = [form.pack(a, True) or None for a in answers]
    run, ids = formats.seal_records(store["programme"], store["id"], store["epoch"], store["office_key"],
                                    store["key_no"], revisions, identifying, store["codecs"])
    store["outbox"].append(formats.pack(run).hex())
    store.save()
    return [record.hex() for record in ids]


def make_parcel(store):
    """What waits becomes the next parcel of the log, durable before it leaves."""
    if not store["outbox"]:
        return
    number = len(store["parcels"]) + 1
    runs = [formats.unpack(bytes.fromhex(run)) for run in store["outbox"]]
    for run in runs:
        run[2] = None if run[2] == store["epoch"] else run[2]
    parcel = formats.Parcel(number, 0, None, runs)
    text = parcel.message(store["programme"], store["id"], store["epoch"], own_hash(store, number - 1))
    parcel.signature = sign(store["sign"], text)
    store["parcels"].append({"parcel": parcel.pack().hex(), "hash": sha256(text).hex()})
    store["outbox"] = []
    store.save()


def new_log(store):
    """This log has a twin: what was not acknowledged is packed again under a new epoch. The runs stay as they were
    sealed, so that what arrived all the same is no second record. (The older log is not offered to a restored node.)"""
    runs = []
    for row in store["parcels"][store["acked"]:]:
        for run in formats.read_parcel(bytes.fromhex(row["parcel"])).runs:
            run[2] = store["epoch"] if run[2] is None else run[2]
            runs.append(formats.pack(run).hex())
    store["outbox"] = runs + store["outbox"]
    store["epoch"], store["parcels"], store["acked"], store["ask"] = formats.new_epoch(), [], 0, False
    store.save()


def own_hash(store, number):
    return bytes.fromhex(store["parcels"][number - 1]["hash"]) if number else NO_HASH


# ---- an exchange: PROTOCOL.md "Exchanges" and on

def exchange(store, link, ask=False):
    """HELLO to the last word. -> whether both digests agree, and LAST."""
    make_parcel(store)
    head, ask = len(store["parcels"]), ask or store["ask"]
    nothing = not ask and head == store["acked"]
    flags = (ASK if ask else 0) | (NOTHING if nothing else 0) | KNOWS_AGAIN
    cursors = [log["number"] if log else 0 for log in store["logs"]]
    flight = message(HELLO, 1, 1, flags, store["epoch"], store["acked"], store["incarnation"] >> 32, *cursors)
    if not nothing:
        store["ask"] = True            # until LAST came, the device does not know what arrived
        store.save()
        flight += b"" if ask else parcels_after(store, store["acked"])
    link.send(flight)
    return hear(store, link, head, ask)


def exchange_again(store, link, before):
    """PROTOCOL.md "AGAIN": a further exchange of the session whose last LAST was `before`."""
    make_parcel(store)
    nothing = len(store["parcels"]) == store["acked"]
    link.send(message(AGAIN, NOTHING if nothing else 0) + (b"" if nothing else parcels_after(store, store["acked"])))
    return hear(store, link, len(store["parcels"]), False, before)


def hear(store, link, head, asked, before=None):
    """What the node says in an exchange, up to its last word."""
    behind = False
    while True:
        kind, fields = link.receive()
        if kind == ACK and fields[2] == FORKED:
            raise Fork                 # whatever was kept beside the twin's goes into the new log as well
        if kind == ACK:
            take_ack(store, *fields[:2])
            if fields[2] == BEHIND:
                if behind or fields[0] >= head:
                    raise Refused("the node is behind twice")
                behind = True
            if asked or fields[2] == BEHIND:
                asked = False
                link.send(parcels_after(store, fields[0]))
        elif kind == LAST:
            return take_last(store, link, fields), fields
        elif kind == AGAIN and before and fields == [0]:
            return take_last(store, link, [before[0], 0, 0, *before[3:]]), before
        else:
            raise Refused(f"message {kind} has no place here")


def parcels_after(store, number):
    parcels = (bytes.fromhex(p["parcel"]) for p in store["parcels"][number:])
    return b"".join(frame(PARCEL, p) for p in parcels) + frame(END, b"")


def take_ack(store, number, head_hash):
    if number > len(store["parcels"]) or own_hash(store, number)[:8] != be(head_hash, 8):
        raise Fork
    store["acked"] = number
    store.save()


def take_last(store, link, last):
    number, status, incarnation, _, _, _, _, digest = last
    if incarnation and incarnation != store["incarnation"]:
        store["incarnation"], store["logs"], store["acked"] = incarnation, [None, None], 0
        store.save()                   # a new life: before any DOWN is taken
    if status & MORE:
        while True:
            kind, fields = link.receive()
            if kind == END:
                break
            if kind != DOWN:
                raise Refused(f"message {kind} has no place among DOWNs")
            take_down(store, *fields)
    agree = digest == own_digest(store)
    if agree:
        store["acked"] = number
    store["ask"] = False
    store.save()
    if status & 3 == FORKED:
        raise Fork
    return agree


def take_down(store, log, epoch, data):
    """In order, chained, signed by the pinned node; stored before a later HELLO counts it."""
    if log not in (BROADCAST, INBOX):
        raise Refused("a log that is not the node's")
    at = store["logs"][log] or {"epoch": epoch, "number": 0, "hash": NO_HASH.hex()}
    parcel = formats.read_parcel(data)
    if epoch != at["epoch"] or parcel.number != at["number"] + 1:
        raise Refused("a parcel of the node that is out of its place")
    text = parcel.message(store["programme"], store["node"], epoch, bytes.fromhex(at["hash"]))
    verify(store["node_key"], text, parcel.signature)
    for body in formats.items_of(parcel, store["programme"], store["node"], epoch, store["seal"], store["id"]):
        take_item(store, *body)
    store["logs"][log] = {"epoch": epoch, "number": parcel.number, "hash": sha256(text).hex()}
    store.save()


def take_item(store, kind, *fields):
    """FORMATS.md "Control items and notices"."""
    if kind == 1:
        order, languages, bundle = fields
        form = Form(bundle)
        if order >= store["forms"].get(form.id, {"order": 0})["order"]:
            store["forms"][form.id] = {"order": order, "languages": languages, "bundle": bundle.hex()}
    elif kind == 2:
        areas = formats.read_areas(fields[0])
        if store["area"] not in areas:
            raise Refused("the area table does not have this device's area")
        store["areas"] = len(areas)
    elif kind == 3:
        take_office(store, formats.Statement("office", fields[0]))
    elif kind == 8:
        store["codecs"] = fields[0]
    elif kind == 16:
        record, state, note, _ = fields
        store["notices"].append({"record": record.hex(), "state": state, "note": note})
    elif kind == 17:
        store["approved"] = True


def own_digest(store):
    """PROTOCOL.md "Digest"."""
    heads = [(log["epoch"], log["number"], bytes.fromhex(log["hash"])) if log else (0, 0, NO_HASH)
             for log in store["logs"]]
    number = len(store["parcels"])
    heads.append((store["epoch"] if number else 0, number, own_hash(store, number)))
    parts = [be(epoch, 8) + be(n, 8) + head for epoch, n, head in heads]
    return int.from_bytes(sha256(b"banyan heads 1", store["id"], *parts)[:8], "big")


def sync(store, ask=False, more=None):
    """A session; `more` is (form, lines), for a further exchange in it. -> what is printed."""
    link = Link(store["address"], store["pin"], store["id"], store["sign"])
    try:
        agree, last = exchange(store, link, ask)
        if not agree:                  # once more, asking: then it is what it is
            agree, last = exchange(store, link, True)
        if more and agree and last[1] & SAYS_AGAIN:
            submit(store, *more)
            agree, last = exchange_again(store, link, last)
            agree, last = exchange_again(store, link, last)
    except Fork:
        link.close()
        new_log(store)
        return sync(store) | {"forked": True}
    link.close()
    return {"verified": agree, "number": last[0], "status": last[1] & 3}


def main(words):
    command, folder, *rest = words
    if command == "join":
        result = join(folder, rest[0])
    else:
        store = Store(folder)
        if command == "submit":
            with open(rest[1]) as lines:
                result = {"records": submit(store, rest[0], lines)}
        elif command == "sync":
            if "--lose-cursor" in rest:
                store["acked"] = 0
            with open(rest[-1] if "--again" in rest else os.devnull) as lines:
                result = sync(store, "--ask" in rest, (rest[-2], lines) if "--again" in rest else None)
        elif command == "notices":
            result = {"notices": store["notices"]}
        else:
            raise SystemExit(__doc__)
    print(json.dumps(result))
    return 0 if result.get("verified", True) else 76


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (Refused, PeerError, Cut, OSError) as why:
        print(f"device.py: {why}", file=sys.stderr)
        sys.exit(75 if isinstance(why, (Cut, OSError)) else 76)
