"""Everything but 200 is tried again."""

# fails: knows_what_is_final

import secrets


def ask_again(fates, draws, base, cap, deadline):
    key, tries, now = secrets.token_hex(16), [], 0.0
    for k, (fate, draw) in enumerate(zip(fates, draws, strict=True)):
        tries.append({"at": now, "key": key})
        if fate["status"] == 200:
            break
        wait = draw * min(cap, base * 2**k)
        if fate["retry_after"] is not None:
            wait = max(wait, 1000 * fate["retry_after"])
        now += fate["took"] + wait
        if now > deadline:
            break
    return {"status": fate["status"], "tries": tries}
