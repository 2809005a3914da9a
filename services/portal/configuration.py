"""What can be set: environment variables PORTAL_..., and DATABASE_URL, each with a default that works on a laptop."""

import difflib
import os
from functools import cache
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from course import kit
from course.errors import CourseError

PREFIX = "PORTAL_"


class Configuration(BaseSettings):
    """The names of the variables are these in capitals behind PORTAL_; an empty one is as good as none."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True)

    data: Path | None = Field(None, description="folder of all that is kept; build/portal if not given")
    host: str = Field("127.0.0.1", description="address to listen on; 0.0.0.0 in a container")
    port: int = Field(8001, ge=0, le=65535, description="0 takes a free one")
    origin: str = Field("", description="how browsers reach it, such as https://portal.example; https makes all strict")
    secret_key: str = Field("", description="of sessions; made once and kept in the data folder if not given")
    class_folder: Path | None = Field(None, description="of the autograder; build/class if not given")
    remeasured: Path | None = Field(None, description="folder of the grader's own measurement records")
    nonce: str = Field("", description="that records have to have, if one was given out")
    upload_bytes: int = Field(8 << 20, ge=1, description="of a measurement record that is handed in")
    login_rate: str = Field("10/m", pattern=r"^\d+/[smhd]$", description="tries to log in, of an address and of a name")
    page_rate: str = Field("600/m", pattern=r"^\d+/[smhd]$", description="requests of an account or an address")
    upload_rate: str = Field("20/h", pattern=r"^\d+/[smhd]$", description="records that an account hands in")
    busy_seconds: float = Field(5.0, gt=0, le=60, description="that a request waits for a database that is locked")
    project: str = Field("local", pattern=r"^[a-z][a-z0-9-]{3,62}$", description="the cloud project named in logs")

    @field_validator("origin")
    @classmethod
    def _is_an_origin(cls, origin: str) -> str:
        scheme, between, host = origin.rstrip("/").partition("://")
        if origin and (scheme not in ("http", "https") or not between or not host or "/" in host):
            raise ValueError("an address such as https://portal.example was expected")
        return origin.rstrip("/")

    @property
    def folder(self) -> Path:
        """Where everything is kept."""
        return self.data.absolute() if self.data else kit.build_dir() / "portal"

    @property
    def class_dir(self) -> Path:
        """The class folder, whether it is there or not."""
        return self.class_folder.absolute() if self.class_folder else kit.build_dir() / "class"


@cache
def configuration() -> Configuration:
    """What is set in this process's environment.

    Raises:
        CourseError: a variable that is none of the above, or a value out of its range.
    """
    known = {PREFIX + name.upper() for name in Configuration.model_fields}
    for name in sorted(os.environ):
        if name.startswith(PREFIX) and name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise CourseError(f"There is no setting {name}." + (f" Is {near[0]} meant?" if near else ""))
    try:
        return Configuration()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        name = PREFIX + str(first["loc"][0]).upper()
        raise CourseError(f"{name}={first['input']!r} cannot be: {first['msg']}.") from error
