"""Each chunk is taken for whole events."""

# fails: cuts_make_no_difference


def read_stream(chunks):
    found, done = [], False
    for chunk in chunks:
        events = []
        for block in bytes(chunk).decode("utf-8-sig", "replace").split("\n\n"):
            data = [line[5:].removeprefix(" ") for line in block.split("\n") if line.startswith("data:")]
            done = done or data == ["[DONE]"]
            if data and not done:
                events.append("\n".join(data))
        found.append(events)
    return {"events": found, "done": done}
