"""Retry-After is rounded down."""

# fails: says_when_to_come_back

import math
from collections import deque


def admit(requests, capacity):
    if capacity < 0:
        raise ValueError(f"Expected a capacity of 0 or more; got {capacity}.")
    answers, line, free = {}, deque(), 0

    def begin_until(now):
        nonlocal free
        while line and free <= now:
            one = line.popleft()
            turn = max(free, one["at"])
            if turn + one["work"] > one["due"]:
                answers[one["id"]] = {"status": 504, "at": turn, "retry_after": None}
            else:
                free = turn + one["work"]
                answers[one["id"]] = {"status": 200, "at": free, "retry_after": None}

    for one in requests:
        begin_until(one["at"])
        if free > one["at"] and len(line) >= capacity:
            ahead = free - one["at"] + sum(other["work"] for other in line)
            seconds = max(1, ahead // 1000)
            answers[one["id"]] = {"status": 429, "at": one["at"], "retry_after": seconds}
        else:
            line.append(one)
            begin_until(one["at"])
    begin_until(math.inf)
    return answers
