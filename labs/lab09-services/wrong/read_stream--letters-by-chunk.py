"""Each chunk is decoded by itself, so that a letter cut in two is lost."""

# fails: cuts_make_no_difference


def read_stream(chunks):
    line, data, after_return, done, found = [], [], False, False, []
    for chunk in chunks:
        events = []
        for letter in bytes(chunk).decode("utf-8-sig", "replace"):
            is_second = letter == "\n" and after_return
            after_return = letter == "\r"
            if is_second:
                continue
            if letter not in "\r\n":
                line.append(letter)
                continue
            name, _, value = "".join(line).partition(":")
            if name == "data":
                data.append(value.removeprefix(" "))
            elif not line and data:
                event, data = "\n".join(data), []
                done = done or event == "[DONE]"
                if not done:
                    events.append(event)
            line = []
        found.append(events)
    return {"events": found, "done": done}
