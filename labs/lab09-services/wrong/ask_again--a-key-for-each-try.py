"""Each try has a key of its own, and is done again."""

# fails: is_served_once

import secrets


def ask_again(fates, draws, base, cap, deadline):
    tries, now = [], 0.0
    for k, (fate, draw) in enumerate(zip(fates, draws, strict=True)):
        tries.append({"at": now, "key": secrets.token_hex(16)})
        if fate["status"] not in (None, 429, 503):
            break
        wait = draw * min(cap, base * 2**k)
        if fate["retry_after"] is not None:
            wait = max(wait, 1000 * fate["retry_after"])
        now += fate["took"] + wait
        if now > deadline:
            break
    return {"status": fate["status"], "tries": tries}
