"""Reads alerts as foreign programs do."""
import json
import sys

from pydantic import BaseModel

# Attributes of profiles, and objects that hold anything.
KNOWN = {"cloud", "unmapped", "unmapped.noroshi"}


def unknown(model, path=""):
    """Names of attributes that the schema does not have."""
    for name in model.model_extra or {}:
        if path + name not in KNOWN:
            yield path + name
    for name in type(model).model_fields:
        value = getattr(model, name)
        for one in value if isinstance(value, list) else [value]:
            if isinstance(one, BaseModel) and path + name not in KNOWN:
                yield from unknown(one, path + name + ".")


def ocsf(line):
    from ocsf_emitter._models import DetectionFinding
    try:
        finding = DetectionFinding.model_validate(json.loads(line))
    except Exception as e:
        print(str(e).replace("\n", " "))
        return
    for name in unknown(finding):
        print("no attribute", name)


def cef(line):
    import pycef
    print(json.dumps(pycef.parse(line)))


# Not str.splitlines: it ends lines at characters that are part of texts.
for text in sys.stdin.buffer.read().decode().split("\n"):
    if text:
        {"ocsf": ocsf, "cef": cef}[sys.argv[1]](text)
