"""Makes a function a worker of a stage with `protocol = "records"`; copy it beside your program.

    def check(record):
        if record.get("test"): return Drop
        if "id" not in record: return Reject({"path": "/id", "code": "missing", "message": "…"})
    serve(check)

None or True accepts the record as it is, to the byte; Replace(value) puts another in its place.
Verdicts may be raised, too; any other exception is a bug and ends the worker, and esteira tries
the record again on another. Prints go to stderr, the stage's log. See ../PROTOCOL.md.
"""
import json, os, select, sys

write_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode

class Verdict(Exception):
    def __init__(self, **reply): self.reply = reply
def Replace(record): return Verdict(ok=True, record=record)
def Reject(*errors): return Verdict(ok=False, errors=errors or ["rejected"])
Drop, ACCEPT = Verdict(drop=True), Verdict(ok=True)

def serve(function):
    def judge(records):
        try: return [function(*records)]
        except Verdict as verdict: return [verdict]
    serve_batches(judge, 1)  # each answered at once: the next record may be the one that kills us

def serve_batches(function, limit=500):
    """Hands `function` the list of records at hand, up to `limit`; it returns their verdicts."""
    # What it prints must not land among replies; nor may a program that it starts read requests.
    requests, replies = os.dup(0), open(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0), os.dup2(2, 1)
    getattr(sys, "set_int_max_str_digits", int)(0)  # a long number is JSON, too
    replies.write(b'{"ready":true}\n'), replies.flush()
    for batch in batches(requests, limit):
        batch = [json.loads(line) for line in batch]
        verdicts = function([request["record"] for request in batch])
        lines = [line_of(*pair) for pair in zip(batch, verdicts, strict=True)]
        try: replies.writelines(lines), replies.flush()
        except BrokenPipeError: os._exit(1)  # nobody reads on; nothing may raise it again

def batches(requests, limit):
    lines, torn, chunk = [], [], b"\n"
    while chunk:
        torn.append(chunk := os.read(requests, 1 << 16))
        if b"\n" in chunk:  # joined only then: a record may come in many chunks
            *whole, rest = b"".join(torn).split(b"\n")
            lines, torn = lines + whole, [rest]
        more = chunk and len(lines) < limit and select.select([requests], [], [], 0)[0]
        while lines and not more:
            yield lines[:limit]
            del lines[:limit]

def line_of(request, verdict):
    verdict = ACCEPT if verdict is None or verdict is True else verdict
    if not isinstance(verdict, Verdict): raise TypeError(f"not a verdict: {verdict!r}")
    # What UTF-8 cannot hold, a lone surrogate, becomes the escape that JSON has for it.
    line = write_json({"id": request["id"], **verdict.reply})
    return line.encode("utf-8", "backslashreplace") + b"\n"
