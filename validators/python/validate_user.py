#!/usr/bin/env python3
"""Passes valid user records (NDJSON on stdin) to stdout, byte for byte.

Each bad record gets one stderr line instead: `line N: /json/pointer message`,
several problems joined by `; `. Bad data is not a failure: the exit code is 0,
or 1 when whoever reads the output has gone away.

Output is written in blocks; `--flush` (or `python3 -u`) writes each line at once.

With `--records` it answers the requests of a stage with `protocol = "records"`
(../PROTOCOL.md), each at once: a good record with `"ok":true`, so that esteira
writes its own bytes, a bad one with all its errors.
"""

import argparse
import json
import os
import re
import sys

EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}")

# The calendar as a pattern: only a leap year has a 29th of February.
LEAP_YEAR = r"(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
MONTH_AND_DAY = (
    r"(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])"
    r"|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)"
    r"|02-(?:0[1-9]|1[0-9]|2[0-8]))"
)
HOUR_AND_MINUTE = r"(?:[01][0-9]|2[0-3]):[0-5][0-9]"
CREATED_AT = re.compile(
    rf"(?:[0-9]{{4}}-{MONTH_AND_DAY}|{LEAP_YEAR}-02-29)"
    rf"(?:T{HOUR_AND_MINUTE}:[0-5][0-9](?:\.[0-9]+)?(?:Z|[+-]{HOUR_AND_MINUTE}))?"
)


# `type(...) is int`, because `isinstance(True, int)` holds.
def is_id(value):
    return type(value) is int and value >= 1


def is_name(value):
    return type(value) is str and value != ""


def is_email(value):
    return type(value) is str and EMAIL.fullmatch(value) is not None


def is_age(value):
    return type(value) is int and 0 <= value <= 150


def is_active(value):
    return type(value) is bool


def is_tags(value):
    return (
        type(value) is list
        and set(map(type, value)) <= {str}
        and len(set(value)) == len(value)
    )


def is_created_at(value):
    return type(value) is str and CREATED_AT.fullmatch(value) is not None


def is_of(wanted):
    return lambda value: type(value) is wanted


def is_strings(value):
    return type(value) is list and set(map(type, value)) <= {str}


# (field, required, test, what to say, has the right type, error code when it has)
RULES = (
    ("id", True, is_id, "is not an integer from 1", is_of(int), "range"),
    ("name", True, is_name, "is not a non-empty string", is_of(str), "empty"),
    ("email", True, is_email, "is not an e-mail address", is_of(str), "format"),
    ("age", False, is_age, "is not an integer from 0 to 150", is_of(int), "range"),
    ("active", False, is_active, "is not a boolean", is_of(bool), "type"),
    ("tags", False, is_tags, "is not an array of unique strings", is_strings, "duplicate"),
    ("created_at", True, is_created_at, "is not an ISO 8601 date or date-time", is_of(str),
     "format"),
)


def refuse_constant(name):
    """NaN and Infinity, which Python reads and JSON does not have."""
    raise ValueError(name)


def read_integer(digits):
    """No rule tells integers of over 4,000 digits apart, and Python may refuse to read them."""
    return int(digits[:4000])


# Ordinary records never need `read_integer`, and a call for each number would cost them.
# `raw_decode` does not look past the value: faster than `decode`, with the end left to check.
read_json = json.JSONDecoder(parse_constant=refuse_constant).raw_decode
read_long_json = json.JSONDecoder(
    parse_constant=refuse_constant, parse_int=read_integer
).raw_decode


def read_object(text):
    """Returns the record as a dict, or None when it is no JSON object."""
    text = text.strip(" \t\r\n")
    try:
        try:
            user, end = read_json(text)
        except json.JSONDecodeError:
            return None
        except ValueError:
            user, end = read_long_json(text)
    except (ValueError, RecursionError):
        return None
    return user if type(user) is dict and end == len(text) else None


def error(path, code, message):
    return {"path": path, "code": code, "message": message}


def errors_of(user):
    """Returns what is wrong with a record, as `records` says it; empty when it is a valid user."""
    if type(user) is not dict:
        return [error("", "type", "not a JSON object")]
    errors = []
    for field, required, test, complaint, has_type, code in RULES:
        if field in user:
            if not test(user[field]):
                code = code if has_type(user[field]) else "type"
                errors.append(error(f"/{field}", code, complaint))
        elif required:
            errors.append(error(f"/{field}", "missing", "is missing"))
    return errors


def problems_of(line):
    """Returns what is wrong with one line, a list of messages; empty when it is a valid user."""
    try:
        # `json.loads` on bytes would guess UTF-16 and let encoded surrogates pass.
        errors = errors_of(read_object(line.decode("utf-8")))
    except UnicodeDecodeError:
        return ["not UTF-8"]
    return [f"{error['path']} {error['message']}".lstrip() for error in errors]


def validate(lines, output, errors, flush):
    for number, line in enumerate(lines, 1):
        problems = problems_of(line)
        if problems:
            errors.write(f"line {number}: {'; '.join(problems)}\n")
            errors.flush()
            continue
        output.write(line)
        if not line.endswith(b"\n"):
            output.write(b"\n")
        if flush:
            output.flush()
    output.flush()


def answer(requests, replies):
    for line in requests:
        request = read_object(line.decode("utf-8"))
        errors = errors_of(request["record"])
        reply = {"id": request["id"], "ok": not errors}
        if errors:
            reply["errors"] = errors
        replies.write(json.dumps(reply).encode() + b"\n")
        # esteira may be waiting for this one before it sends another.
        replies.flush()


def main():
    parser = argparse.ArgumentParser(description="Passes valid user records (NDJSON) through.")
    parser.add_argument("--flush", action="store_true", help="write each line at once")
    parser.add_argument("--records", action="store_true", help="answer requests instead")
    options = parser.parse_args()
    flush = options.flush or sys.stdout.write_through
    # Our own buffer: under `-u` that of `sys.stdout` is raw and may write a part only.
    output = open(sys.stdout.fileno(), "wb", buffering=1 << 16, closefd=False)
    try:
        if options.records:
            answer(sys.stdin.buffer, output)
        else:
            validate(sys.stdin.buffer, output, sys.stderr, flush)
    except BrokenPipeError:
        # Nobody reads on. What is still buffered must not raise again while Python shuts down.
        os._exit(1)


if __name__ == "__main__":
    main()
