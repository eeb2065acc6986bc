"""A form, from its bundle, and answers packed by it: schemas/FORMS.md, sections 1 to 5."""

import re
from datetime import date, datetime
from xml.etree import ElementTree

from sealing import sha256
from wire import Refused, unpack

BANYAN = "{urn:banyan:forms:1}"
JAVAROSA = "{http://openrosa.org/javarosa}"
CONTROLS = ("input", "select1", "select", "rank", "range", "trigger", "upload")
IDENTIFYING_PRELOADS = ("deviceid", "username", "phonenumber", "email")
NOT_STORED = ("instanceID", "instanceName", "audit")


def local(tag):
    return tag.rsplit("}", 1)[-1]


class Field:
    """A leaf of the primary instance, or a repeat with `fields` of its own."""

    def __init__(self, path, kind, identifying, choices=None, fields=None):
        self.path, self.kind, self.identifying = path, kind, identifying
        self.choices, self.fields = choices, fields

    def in_group(self, identifying):
        if self.fields is not None:
            return any(f.in_group(identifying) for f in self.fields)
        return self.identifying == identifying


class Form:
    def __init__(self, bundle):
        version, xform, files = unpack(bundle)
        if version != 1:
            raise Refused("a form's bundle of another version")
        self.key = int.from_bytes(sha256(bundle)[:4], "big")
        html = ElementTree.fromstring(xform.encode())
        model = next(e for e in html.iter() if local(e.tag) == "model")
        body = next(e for e in html.iter() if local(e.tag) == "body")
        instances = [e for e in model if local(e.tag) == "instance"]
        root = instances[0][0]
        self.id = root.get("id")
        self.binds = {self._path(e.get("nodeset")): e for e in model if local(e.tag) == "bind"}
        self.controls = {self._path(e.get("ref")): e for e in body.iter()
                         if local(e.tag) in CONTROLS and e.get("ref")}
        self.repeats = {self._path(e.get("nodeset")) for e in body.iter() if local(e.tag) == "repeat"}
        self.lists = {e.get("id"): self._names(e) for e in instances[1:]}
        self.fields = self._fields(root, "", "")

    @staticmethod
    def _path(reference):
        """`/data/people/people_f` -> `people/people_f`."""
        return "/".join(step.split(":")[-1] for step in reference.strip("/").split("/")[1:])

    @staticmethod
    def _names(instance):
        """The names of a static list in the form's order; None if the list is a file."""
        if instance.get("src") or not len(instance):
            return None
        return [name.text for item in instance[0] for name in item if local(name.tag) == "name"]

    def _fields(self, element, prefix, base):
        """Fields below `element` in document order. Paths of fields in a repeat are relative to it (`base`)."""
        fields, seen = [], set()
        for child in element:
            path = prefix + local(child.tag)
            if path in seen:
                continue               # the second row of a repeat, after its template
            seen.add(path)
            name = path[len(base):]
            if path in self.repeats:
                fields.append(Field(name, "ROWS", None, fields=self._fields(child, path + "/", path + "/")))
            elif len(child):
                fields += self._fields(child, path + "/", base)
            else:
                field = self._leaf(path, name)
                if field:
                    fields.append(field)
        return fields

    def _leaf(self, path, name):
        bind, control = self.binds.get(path), self.controls.get(path)
        get = bind.get if bind is not None else {}.get
        kind = self._kind(path, get, control)
        if kind is None or path.split("/")[-1] in NOT_STORED:
            return None
        letter = get(BANYAN + "class")
        if letter is None and get("calculate"):
            raise Refused(f"{path}: a calculation without a class is past this device")
        if letter is None:
            free = kind == "TEXT" and (control is not None and local(control.tag) in ("input", "upload"))
            letter = "D" if free or get(JAVAROSA + "preloadParams") in IDENTIFYING_PRELOADS else "S"
        choices = None
        if kind in ("CHOICE", "CHOICES"):
            choices = self._choices(control)
        return Field(name, kind, letter == "D", choices)

    @staticmethod
    def _kind(path, get, control):
        """Section 3's table; None for what is not stored."""
        kind = (get("type") or "string").split(":")[-1]
        by_type = {"int": "INTEGER", "decimal": "DECIMAL", "date": "DATE", "dateTime": "MOMENT"}
        preload = get(JAVAROSA + "preload")
        if preload:
            what = get(JAVAROSA + "preloadParams")
            return {"start": "MOMENT", "end": "MOMENT", "today": "DATE"}.get(what, None if preload == "uid" else "TEXT")
        tag = local(control.tag) if control is not None else "input"
        if tag in ("select1", "select", "rank"):
            return "CHOICE" if tag == "select1" else "CHOICES"
        if tag == "range":
            return "INTEGER" if kind == "int" else "DECIMAL"
        if tag == "input" and kind == "string" and control is not None:
            if get("readonly") == "true()" and not get("calculate"):
                return None            # a note
        return by_type.get(kind, "TEXT") if tag == "input" else "TEXT"

    def _choices(self, control):
        for e in control:
            if local(e.tag) == "itemset":
                source = re.match(r"(?:randomize\()?\s*instance\('([^']+)'\)", e.get("nodeset"))
                return self.lists.get(source[1]) if source else None
        return [v.text for item in control if local(item.tag) == "item" for v in item if local(v.tag) == "value"]

    # ---- section 5: packed answers

    def pack(self, answers, identifying):
        """The positional array of one group. `answers` is {path: value}, whole: nothing is calculated here."""
        known = {field.path for field in self.fields}
        for path in answers:
            if path not in known:
                raise Refused(f"{self.id} has no field {path}")
        return _pack_places(self.fields, answers, identifying)


def _pack_places(fields, answers, identifying):
    places = []
    for field in fields:
        if not field.in_group(identifying):
            continue
        value = answers.get(field.path)
        if value is None or value == "":
            places.append(None)
        elif field.fields is not None:
            places.append([_pack_places(field.fields, row, identifying) for row in value] or None)
        else:
            places.append(_pack_value(field, value))
    while places and places[-1] is None:
        places.pop()
    return places


def _pack_value(field, value):
    if field.kind == "TEXT":
        return int(value) if re.fullmatch("0|-?[1-9][0-9]{0,14}", value) else value
    if field.kind == "DATE":
        return (date.fromisoformat(value) - date(1970, 1, 1)).days
    if field.kind == "MOMENT":
        moment = datetime.fromisoformat(value)
        zone = int(moment.utcoffset().total_seconds()) // 60
        whole = [int(moment.timestamp()), zone]
        return whole + [moment.microsecond // 1000] if moment.microsecond else whole
    if field.kind == "CHOICE":
        return _pack_choice(field, value)
    if field.kind == "CHOICES":
        return [_pack_choice(field, name) for name in value]
    return value


def _pack_choice(field, name):
    return field.choices.index(name) if field.choices and name in field.choices else name
