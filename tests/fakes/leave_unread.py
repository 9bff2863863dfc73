"""Reads nothing, waits until all there is to read is in the pipe, and leaves with success."""

import select

poll = select.poll()
poll.register(0, 0)
while not any(event & select.POLLHUP for _, event in poll.poll()):
    pass
