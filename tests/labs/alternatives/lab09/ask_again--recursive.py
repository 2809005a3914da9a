"""Each try is followed by the rest of the tries."""

import uuid


def ask_again(fates, draws, base, cap, deadline):
    key = str(uuid.uuid4())

    def tries_from(k, now):
        this = [{"at": now, "key": key}]
        status, wait = fates[k]["status"], draws[k] * min(cap, base << k)
        wait = max(wait, (fates[k]["retry_after"] or 0) * 1000)
        then = now + fates[k]["took"] + wait
        is_final = status is not None and status != 429 and status != 503
        if is_final or k + 1 == len(fates) or then > deadline:
            return status, this
        status, others = tries_from(k + 1, then)
        return status, this + others

    status, tries = tries_from(0, 0)
    return {"status": status, "tries": tries}
