"""Passes on the users that a JSON Schema allows, by Python's jsonschema.

    python3 valid_jsonschema.py SCHEMA < IN > OUT
"""
import json
import sys

from jsonschema import Draft202012Validator


def main(schema):
    with open(schema, encoding="utf-8") as text:
        allows = Draft202012Validator(json.load(text)).is_valid
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        if not allows(json.loads(line)):
            sys.exit("not allowed: %r" % line)
        out.write(line)


if __name__ == "__main__":
    main(sys.argv[1])
