"""Open corpora, as they are published, to raw records and lists of recordings that say where they are from (Lecture 8).

An adapter knows the layout of one publisher and nothing else; from its records on, all corpora look alike. What every
record carries is its source and its licence: afterwards nobody can tell any more, so data without a licence are refused
at the door.

Sources of the layouts: M. Wu et al., HarperValleyBank: A Domain-Specific Spoken Dialog Corpus, 2020; A. Köpf et al.,
OpenAssistant Conversations: Democratizing Large Language Model Alignment, 2023 (message trees).
"""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from course import harper_valley, recordings
from course.data import CORPORA
from course.errors import CourseError
from course.pipelines.files import open_for_reading
from course.pipelines.records import (
    LONGEST_LINE,
    SCHEMA_VERSION,
    DeadLetter,
    Provenance,
    Record,
    Turn,
    dead_letter,
    read_lines,
)
from course.pipelines.sound import Listed

NO_LICENCE = {"", "unknown", "none", "n/a", "noassertion", "all rights reserved", "proprietary"}
LONGEST_NAME = 200  # characters, of a record's names
ROLES = {"prompter": "caller", "assistant": "agent"}
UNRANKED = 1_000_000  # the rank of a reply that nobody ranked: the last


def checked_licence(licence: str | None, source: str) -> str:
    """The licence under which data may be used, as it is given.

    Raises:
        CourseError: none is given, or words that give no permission.
    """
    licence = (licence or "").strip()
    if licence.lower() in NO_LICENCE:
        raise CourseError(
            f"A licence that lets others use {source} was expected and {licence or 'none'!r} came. Look at the "
            "publisher's page; an SPDX identifier such as CC-BY-4.0 is best."
        )
    return licence


def harper_valley_dialogs() -> Iterator[Record]:
    """The bank calls of the Harper Valley corpus as dialogs: what people wrote down, side by side in order.

    Raises:
        CourseError: the corpus has not been pulled, or a file of it does not have the published form.
    """
    sids = harper_valley.call_ids()
    if not sids:
        raise CourseError(
            "The Harper Valley calls are not on this machine; 'course data pull harper-valley' gets them."
        )
    provenance = _provenance(harper_valley.CORPUS)
    for sid in sids:
        call = harper_valley.read_call(sid)
        turns = tuple(_turn_of(call, segment) for segment in call.segments if segment.words)
        if turns:
            name = f"{harper_valley.CORPUS}-{sid}"
            task = ", ".join(task.task_type for task in call.metadata.tasks)
            yield _dialog(name, name, turns, provenance, task)


def _turn_of(call: harper_valley.Call, segment: harper_valley.Segment) -> Turn:
    side = getattr(call.metadata, segment.speaker_role)
    speaker = f"{harper_valley.CORPUS} {segment.speaker_role} {side.speaker_id}"
    return Turn(role=segment.speaker_role, speaker=speaker, text=segment.human_transcript)


def _provenance(corpus: str) -> Provenance:
    resource = CORPORA[corpus]
    source = f"{resource.title}, {resource.origin}"[:LONGEST_NAME]
    return Provenance(source=source, licence=checked_licence(resource.licence, corpus), origin="collected")


def _dialog(name: str, conversation: str, turns: tuple[Turn, ...], provenance: Provenance, task: str = "") -> Record:
    return Record(
        schema_version=SCHEMA_VERSION,
        id=name,
        kind="dialog",
        conversation=conversation,
        turns=turns,
        task=task,
        provenance=provenance,
    )


class Message(BaseModel):
    """A message of a tree as it is published; what is not read here is passed over.

    Attributes:
        message_id: of the message.
        text: what was written.
        role: who wrote it.
        lang: BCP 47 code of the language.
        user_id: the writer's pseudonym; not every edition has it.
        rank: among its siblings, as people ranked them; 0 is the best.
        deleted: by its writer or a moderator.
        review_result: False if reviewers refused it.
        synthetic: a model wrote it.
        model_name: which one.
        replies: messages that answer it.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_id: str = Field(min_length=1, max_length=100)
    text: str
    role: str = Field(pattern="^(prompter|assistant)$")
    lang: str = ""
    user_id: str | None = None
    rank: int | None = None
    deleted: bool = False
    review_result: bool | None = None
    synthetic: bool = False
    model_name: str | None = None
    replies: tuple["Message", ...] = ()

    @property
    def stands(self) -> bool:
        """Whether the message may be used."""
        return not self.deleted and self.review_result is not False


class Tree(BaseModel):
    """A line of a file of message trees: a prompt and all that answers it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    message_tree_id: str = Field(min_length=1, max_length=100)
    prompt: Message


def message_trees(file: str, licence: str | None, language: str = "en") -> Iterator[Record | DeadLetter]:
    """Conversations from a file of message trees in the layout of OpenAssistant, one of each tree.

    A tree holds many conversations that begin alike. All of them would be near duplicates, so the one is taken that
    follows the best-ranked reply from each message on.

    Args:
        file: JSON lines, a tree on each; ``.gz`` is unpacked.
        licence: under which the file may be used.
        language: trees whose prompt is in another are left out.

    Raises:
        CourseError: no licence.
    """
    name = Path(file).name
    licence = checked_licence(licence, name)
    with open_for_reading(file) as opened:
        for number, line in read_lines(opened):
            tree = _tree(line.rstrip(b"\r\n"), name, number)
            if isinstance(tree, DeadLetter):
                yield tree
            elif tree.prompt.lang in (language, "") and tree.prompt.stands:
                yield conversation_of(tree, name, licence)


def _tree(line: bytes, source: str, number: int) -> Tree | DeadLetter:
    if len(line) > LONGEST_LINE:
        return dead_letter(source, number, "too long", f"more than {LONGEST_LINE} bytes", line)
    try:
        return Tree.model_validate_json(line)
    except ValidationError as error:
        return dead_letter(source, number, "malformed", error.errors(include_input=False)[0]["type"], line)


def conversation_of(tree: Tree, source: str, licence: str) -> Record:
    """The best-ranked conversation of a tree; generated if a model wrote any of it."""
    path = best_path(tree.prompt)
    models = sorted({message.model_name or "unnamed model" for message in path if message.synthetic})
    name = f"tree-{tree.message_tree_id}"
    turns = tuple(
        Turn(
            role=ROLES[message.role],
            speaker=f"{message.role} {message.user_id or tree.message_tree_id}"[:LONGEST_NAME],
            text=message.text,
        )
        for message in path
    )
    provenance = Provenance(
        source=source[:LONGEST_NAME],
        licence=licence,
        origin="generated" if models else "collected",
        parents=tuple(message.message_id for message in path),
        model=", ".join(models),
    )
    return _dialog(name, name, turns, provenance)


def best_path(message: Message) -> list[Message]:
    """A message, the best-ranked reply to it that stands, and so on to the end; of equal ranks the smallest id."""
    path = [message]
    while replies := [reply for reply in path[-1].replies if reply.stands]:
        path.append(min(replies, key=lambda r: (UNRANKED if r.rank is None else r.rank, r.message_id)))
    return path


def fsdd_recordings() -> Iterator[Listed]:
    """The Free Spoken Digit Dataset: its file names say digit, speaker and take."""
    for file in _files_of("fsdd", ".wav"):
        digit, speaker, _ = Path(file).stem.split("_")
        yield _listed("fsdd", file, f"fsdd {speaker}", recordings.DIGITS[int(digit)])


def librispeech_recordings() -> Iterator[Listed]:
    """The excerpt of LibriSpeech's test-other: a folder for each reader, file names SPEAKER-CHAPTER-NUMBER."""
    texts = {reading.name: reading.text for reading in recordings.readings()}
    for file in _files_of("librispeech-test-other", ".flac"):
        name = Path(file).stem
        yield _listed("librispeech-test-other", file, f"librispeech {name.split('-')[0]}", texts.get(name, ""))


def _files_of(corpus: str, ending: str) -> list[str]:
    """The names of a corpus' sound files, sorted.

    Raises:
        CourseError: the corpus is not here.
    """
    files = sorted(file for file in CORPORA[corpus].hashes if file.endswith(ending))
    if not files or CORPORA.locate(corpus, files[0]) is None:
        raise CourseError(f"{CORPORA[corpus].title} is not on this machine; 'course data pull {corpus}' brings it.")
    return files


def _listed(corpus: str, file: str, speaker: str, text: str) -> Listed:
    provenance = _provenance(corpus)
    return Listed(
        name=f"{corpus}-{Path(file).stem}",
        file=str(CORPORA.fetch(corpus, file)),
        speaker=speaker,
        text=text,
        source=provenance.source,
        licence=provenance.licence,
    )


DIALOGS, TREES = "harper-valley", "message-trees"
SPEECH: dict[str, Callable[[], Iterable[Listed]]] = {
    "fsdd": fsdd_recordings,
    "librispeech-test-other": librispeech_recordings,
}
SOURCES = (DIALOGS, TREES, *SPEECH)


def collect(source: str, file: str | None = None, licence: str | None = None) -> Iterable[Record | Listed | DeadLetter]:
    """What a source holds: records of dialogs, or lines of a list of recordings.

    Args:
        source: one of ``SOURCES``.
        file: of message trees; the others come from the registry (``course data list``).
        licence: of that file.

    Raises:
        CourseError: an unknown source, a file missing, no licence, or a corpus that is not on this machine.
    """
    if source not in SOURCES:
        raise CourseError(f"No source is called {source!r}; there are {', '.join(SOURCES)}.")
    if source != TREES:
        return harper_valley_dialogs() if source == DIALOGS else SPEECH[source]()
    if not file or not Path(file).is_file():
        raise CourseError(f"A file of message trees was expected and {file or 'none'} came; name one with --file.")
    return message_trees(file, licence)
