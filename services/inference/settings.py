"""The service's configuration: environment variables INFERENCE_..., each with a default that works on a laptop."""

import difflib
import os
from typing import Annotated, Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from course.errors import CourseError

PREFIX = "INFERENCE_"
MIB = 2**20

Seconds = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Settings(BaseSettings):
    """What can be set. The names of the variables are these in capitals behind INFERENCE_."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid")

    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 in a container")
    port: int = Field(8000, ge=0, le=65535, description="0 takes a free one")
    engine: Literal["real", "fake"] = Field("real", description="fake answers without any model, for tests and load")
    threads: int = Field(1, ge=1, description="of the CPU, for the language model")

    max_batch: int = Field(
        16, ge=1, le=256, description="answers that are written side by side; 1 switches batching off"
    )
    max_wait: float = Field(0.01, ge=0, le=10, description="seconds that a first request waits for company")
    max_queue: int = Field(64, ge=1, description="chat requests that may wait; one more gets 429")
    max_recordings: int = Field(8, ge=1, description="recordings that are received, wait or are recognised; then 429")

    max_json_bytes: int = Field(1 * MIB, ge=1, description="of a chat request")
    max_upload_bytes: int = Field(25 * MIB, ge=1, description="of a request with a recording")
    max_audio_seconds: Seconds = Field(900.0, description="of a recording")
    max_prompt_tokens: int = Field(1024, ge=16, le=7000, description="that the messages of a request may have")
    max_answer_tokens: int = Field(256, ge=1, le=1000, description="of an answer, whatever is asked for")

    head_seconds: Seconds = Field(10.0, description="in which the head of a request has to arrive")
    body_seconds: Seconds = Field(30.0, description="in which a body has to arrive")
    answer_seconds: Seconds = Field(120.0, description="after which a caller is told that it takes too long")
    drain_delay: float = Field(0.0, ge=0, description="seconds between saying not ready and closing the door")
    drain_seconds: int = Field(30, ge=1, description="that requests have to end in once the door is closed")

    log_texts: bool = Field(False, description="log what is asked and answered; the portal's trees need it")
    project: str = Field("local", pattern=r"^[a-z][a-z0-9-]{3,62}$", description="the cloud project named in logs")
    fake_seconds: float = Field(0.0, ge=0, description="that a step of a fake engine takes")

    @classmethod
    def from_environment(cls, **chosen) -> "Settings":
        """The settings, with those that the command line chose.

        Raises:
            CourseError: a variable that is none of the above, or a value out of its range.
        """
        known = {PREFIX + name.upper() for name in cls.model_fields}
        for name in sorted(os.environ):
            if name.startswith(PREFIX) and name not in known:
                near = difflib.get_close_matches(name, known, 1)
                raise CourseError(f"There is no setting {name}." + (f" Is {near[0]} meant?" if near else ""))
        try:
            return cls(**{name: value for name, value in chosen.items() if value is not None})
        except ValidationError as error:
            first = error.errors(include_url=False)[0]
            name = PREFIX + str(first["loc"][0]).upper()
            raise CourseError(f"{name}={first['input']!r} cannot be: {first['msg']}.") from error
