#!/usr/bin/env python3
"""Validates users as a worker of a stage with `protocol = "records"`, by way of the helper.

The rules are those of validate_user.py. This is all there is to write beside them.
"""

from esteira_worker import Reject, serve
from validate_user import errors_of


def validate(user):
    errors = errors_of(user)
    if errors:
        return Reject(*errors)


if __name__ == "__main__":
    serve(validate)
