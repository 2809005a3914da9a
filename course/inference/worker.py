"""The program of one process that holds a part of a model (see `course.inference.remote`); not for calling by hand."""

import importlib
import os
from multiprocessing.connection import Client, Connection

import torch

from course.inference.protocol import Backend
from course.inference.remote import ADDRESS, KEY


def main() -> None:
    """Connect, make what the parent asks for, and answer until the parent closes or is gone."""
    with Client(os.environ[ADDRESS], "AF_UNIX", authkey=bytes.fromhex(os.environ[KEY])) as connection:
        try:
            module, name, setup = connection.recv()
            part = getattr(importlib.import_module(f"course.inference.{module}"), name)(setup)
            connection.send((False, None))
            _serve(part, connection)
        except (EOFError, ConnectionError):
            return
        except Exception as error:  # the parent says it: whatever it was, it ends the group
            connection.send((True, f"{type(error).__name__}: {str(error).strip()[:400]}"))


def _serve(part: Backend, connection: Connection) -> None:
    """Do what comes; the first process of the group answers, the others only take part."""
    first = int(os.environ["RANK"]) == 0
    while (message := connection.recv())[0] != "close":
        verb, tokens = message
        answer = getattr(part, verb)(*() if tokens is None else (torch.from_numpy(tokens),))
        if first:
            connection.send((False, None if answer is None else answer.float().cpu().numpy()))
    part.close()


if __name__ == "__main__":
    main()
