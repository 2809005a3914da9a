"""What a submission may use while it is graded."""

from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, PositiveInt, ValidationError

from course.errors import SourceError

if TYPE_CHECKING:
    from course.lab.source import Lab

MIB = 1 << 20


class Policy(BaseModel):
    """Limits of one grading; part of a result's key, so that other limits make another result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    submission_bytes: PositiveInt = Field(32 * MIB, description="size of the notebook file")
    cell_seconds: PositiveFloat = Field(20.0, description="wall clock of one cell")
    call_seconds: PositiveFloat = Field(10.0, description="wall clock of one call of a student's function")
    task_seconds: PositiveFloat = Field(60.0, description="wall clock of all calls of one task")
    total_seconds: PositiveFloat = Field(300.0, description="wall clock of the whole submission")
    cpu_seconds: PositiveInt = Field(300, description="CPU time of one process")
    memory_bytes: PositiveInt = Field(3072 * MIB, description="address space of one process")
    total_memory_bytes: PositiveInt = Field(3072 * MIB, description="memory that all processes together hold")
    processes: PositiveInt = Field(48, description="processes and threads of one sandbox")
    busy_threads: PositiveInt = Field(4, description="threads at work at once before they make way for others")
    open_files: PositiveInt = Field(256, description="file descriptors of one process")
    file_bytes: PositiveInt = Field(64 * MIB, description="size of one file")
    tmp_bytes: PositiveInt = Field(64 * MIB, description="size of /tmp, and of the working folder")
    grace_seconds: PositiveFloat = Field(3.0, description="wait for an answer to a signal before the sandbox is ended")
    checker_bytes: PositiveInt = Field(8192 * MIB, description="address space of the process outside that checks")

    @classmethod
    def of(cls, lab: "Lab") -> "Policy":
        """The limits of a lab: these, but for what the lab's front matter says under ``limits``.

        Raises:
            SourceError: the front matter names a limit that there is not, or gives it no value that fits.
        """
        # What reads a lab is slow to import, and a process that only receives a policy has no use for it.
        from course.lab.cells import front_matter_line

        try:
            return cls(**lab.limits)
        except ValidationError as error:
            wrong = error.errors()[0]
            name = wrong["loc"][0]
            known = ", ".join(cls.model_fields)
            line = front_matter_line(lab.path.read_text(encoding="utf-8"), "lab", "limits", str(name))
            raise SourceError(
                lab.path, line, f"The limit `{name}` is not right ({wrong['msg']}); the limits are {known}."
            ) from error
