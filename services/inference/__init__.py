"""A service that transcribes and chats, with OpenAI's routes (Lecture 10, *Services: the contract first*).

Read in this order: `batching` (who is served with whom), `running` (a batch that callers join and leave between steps),
`engines` and `smollm` (what a step is), `schemas`, `chat` and `speech` (the contract), `problems` (every way in which a
request can fail), `middleware` (limits, ids, logs), and `app`, which puts them together.
"""
