import pytest

from course.pipelines.records import Provenance, Record, Turn


@pytest.fixture
def dialog():
    """Makes a dialog of the texts, agent first, in turns."""

    def make(*texts: str, name: str = "call-1", caller: str = "caller-1", known=(), origin="made up") -> Record:
        sides = (("agent", "agent-1"), ("caller", caller))
        turns = [
            Turn(role=sides[n % 2][0], speaker=sides[n % 2][1], text=text) for n, text in enumerate(texts or ("hello",))
        ]
        return Record(
            schema_version=1,
            id=name,
            kind="dialog",
            conversation=name,
            turns=tuple(turns),
            known={"name": tuple(known)} if known else {},
            provenance=Provenance(source="test", licence="MIT", origin=origin),
        )

    return make
