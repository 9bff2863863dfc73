#!/usr/bin/env python3
"""Repairs users that a validator refused, as a worker of a stage with `protocol = "records"`:

    [stages.repair]
    run = ["python3", "validators/python/repair_user.py"]
    protocol = "records"
    inputs = ["validate.rejects"]

Its records are dead letters: `{"record": …, "errors": [{"path": "/age", …}], …}`. What can be
meant in one way only is repaired, in the fields at fault; the reply is the user alone. Whoever is
no valid user then is rejected, with what is still wrong.
"""

import re

from esteira_worker import Reject, Replace, serve
from validate_user import errors_of

WORDS = {"true": True, "yes": True, "false": False, "no": False}


def integer(value):
    """`"34"`, `34.0` and `3.4e1` are 34."""
    if type(value) is str and re.fullmatch(r"[0-9]{1,15}", value):
        return int(value)
    if type(value) is float and value.is_integer():
        return int(value)
    return value


def boolean(value):
    if type(value) is str:
        return WORDS.get(value.lower(), value)
    return value == 1 if value in (0, 1) else value


def tags(value):
    """A tag alone is a list of one; one that comes again is left out."""
    if type(value) is str:
        return [value]
    if type(value) is list and all(type(tag) is str for tag in value):
        return list(dict.fromkeys(value))
    return value


def email(value):
    return value.strip() if type(value) is str else value


def created_at(value):
    """A space may stand for the T between date and time."""
    return value.replace(" ", "T", 1) if type(value) is str else value


REPAIRS = {
    "/id": integer,
    "/email": email,
    "/age": integer,
    "/active": boolean,
    "/tags": tags,
    "/created_at": created_at,
}
OPTIONAL = ("age", "active", "tags")


def repair(letter):
    user = letter.get("record")
    if type(user) is not dict:
        # What is no JSON has no `record`.
        return Reject(*letter["errors"])
    for path in (error["path"] for error in letter["errors"]):
        field = path[1:]
        if field in OPTIONAL and user.get(field, 0) is None:
            del user[field]
        elif field in user and path in REPAIRS:
            user[field] = REPAIRS[path](user[field])
    errors = errors_of(user)
    return Reject(*errors) if errors else Replace(user)


if __name__ == "__main__":
    serve(repair)
