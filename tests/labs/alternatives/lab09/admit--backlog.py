"""Nobody waits in a list: whoever is let in has its turn computed at once, and the line is who has not begun yet."""


def admit(requests, capacity):
    if capacity < 0:
        raise ValueError("who may wait are 0 or more")
    answers, free, turns = {}, 0, []
    for one in requests:
        now = one["at"]
        turns = [(turn, work) for turn, work in turns if turn > now]  # those who still wait
        working_until = turns[0][0] if turns else free
        if working_until > now and len(turns) >= capacity:
            ahead = working_until - now + sum(work for _, work in turns)
            answers[one["id"]] = {"status": 429, "at": now, "retry_after": max(1, -(-ahead // 1000))}
            continue
        turn = max(free, now)
        in_time = turn + one["work"] <= one["due"]
        if turn > now:
            turns.append((turn, one["work"]))
        if in_time:
            free = turn + one["work"]
        answers[one["id"]] = {"status": 200 if in_time else 504, "at": free if in_time else turn, "retry_after": None}
    return answers
