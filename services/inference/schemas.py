"""The contract: what a request may say and what an answer says, as OpenAI has it, as far as it is served here."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

Number = Annotated[float, Field(allow_inf_nan=False)]


def _whole(text: str) -> str:
    """The text, if it has no half of a pair of surrogates, which JSON can write and UTF-8 cannot."""
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("whole letters were expected and half of a surrogate pair came") from None
    return text


def _integer(value: object) -> object:
    """1 for 1.0: JSON has one kind of numbers."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Text = Annotated[str, AfterValidator(_whole)]
# The range stands before the conversion: only so does it become "minimum" in the contract.
Count = Annotated[int, Field(ge=1), BeforeValidator(_integer)]
Seed = Annotated[int, Field(ge=-(2**63), lt=2**63), BeforeValidator(_integer)]


class Request(BaseModel):
    """A part of a request: what is not known is refused, because what is ignored would surprise."""

    model_config = ConfigDict(extra="forbid", strict=True)


class Message(Request):
    """Something that was said."""

    role: Literal["system", "user", "assistant"]
    content: Text


class StreamOptions(Request):
    """Of a stream."""

    include_usage: bool = Field(False, description="a last event with the numbers of tokens")


class ChatRequest(Request):
    """A conversation to be continued."""

    model: str
    messages: Annotated[list[Message], Field(min_length=1, max_length=256)]
    max_tokens: Count | None = Field(None, description="of the answer; the service has a limit too")
    max_completion_tokens: Count | None = Field(None, description="the newer name of max_tokens")
    temperature: Annotated[Number, Field(ge=0, le=2)] = Field(
        0.0, description="0, the default here, takes the likeliest token"
    )
    top_p: Annotated[Number, Field(gt=0, le=1)] = 1.0
    seed: Seed | None = None
    stop: str | Annotated[list[str], Field(max_length=4)] | None = Field(None, description="texts that end the answer")
    n: Annotated[Literal[1], BeforeValidator(_integer)] = 1
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: Annotated[str, StringConstraints(max_length=256)] | None = Field(
        None, description="is taken, and not looked at"
    )

    @property
    def stops(self) -> tuple[str, ...]:
        """The texts that end the answer, without empty ones."""
        texts = [self.stop] if isinstance(self.stop, str) else self.stop or []
        return tuple(text for text in texts if text)


class Usage(BaseModel):
    """Tokens that were read and written."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class Answer(BaseModel):
    """What the model says."""

    role: Literal["assistant"] = "assistant"
    content: str


class Choice(BaseModel):
    """The one answer."""

    index: Literal[0] = 0
    message: Answer
    finish_reason: Literal["stop", "length"]


class ChatCompletion(BaseModel):
    """An answer as a whole."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[Choice]
    usage: Usage


class Delta(BaseModel):
    """What came since the event before."""

    role: Literal["assistant"] | None = None
    content: str | None = None


class ChunkChoice(BaseModel):
    """The one answer's next piece."""

    index: Literal[0] = 0
    delta: Delta
    finish_reason: Literal["stop", "length"] | None = None


class ChatChunk(BaseModel):
    """One event of a streamed answer."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoice]
    usage: Usage | None = None


class Transcription(BaseModel):
    """What was said in a recording."""

    text: str


class VerboseTranscription(Transcription):
    """What was said, and how long it took to say it."""

    task: Literal["transcribe"] = "transcribe"
    language: Literal["english"] = "english"
    duration: float = Field(description="seconds of the recording")


class ModelCard(BaseModel):
    """A model that can be asked for."""

    id: str
    object: Literal["model"] = "model"
    created: int
    owned_by: str


class ModelList(BaseModel):
    """All of them."""

    object: Literal["list"] = "list"
    data: list[ModelCard]


class ErrorBody(BaseModel):
    """What went wrong."""

    message: str
    type: str
    param: str | None
    code: str


class ErrorAnswer(BaseModel):
    """Every answer that is no success."""

    error: ErrorBody


class Health(BaseModel):
    """Whether the process lives."""

    status: Literal["ok"] = "ok"


class Readiness(BaseModel):
    """Whether requests would be served: for each model "ready", "loading", or a sentence that says what is missing."""

    ready: bool
    models: dict[str, str]
