"""What a submission may use while it is graded."""

from pydantic import BaseModel, ConfigDict, Field

MIB = 1 << 20


class Policy(BaseModel):
    """Limits of one grading; part of a result's key, so that other limits make another result."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    submission_bytes: int = Field(32 * MIB, description="size of the notebook file")
    cell_seconds: float = Field(20.0, description="wall clock of one cell")
    call_seconds: float = Field(10.0, description="wall clock of one call of a student's function")
    task_seconds: float = Field(60.0, description="wall clock of all calls of one task")
    total_seconds: float = Field(300.0, description="wall clock of the whole submission")
    cpu_seconds: int = Field(300, description="CPU time of one process")
    memory_bytes: int = Field(3072 * MIB, description="address space of one process")
    total_memory_bytes: int = Field(3072 * MIB, description="memory that all processes of one sandbox hold together")
    processes: int = Field(48, description="processes and threads of one sandbox")
    busy_threads: int = Field(4, description="threads at work at once before they make way for other submissions")
    open_files: int = Field(256, description="file descriptors of one process")
    file_bytes: int = Field(64 * MIB, description="size of one file")
    tmp_bytes: int = Field(64 * MIB, description="size of /tmp, and of the working folder")
    grace_seconds: float = Field(3.0, description="wait for an answer to a signal before the sandbox is ended")
    checker_bytes: int = Field(8192 * MIB, description="address space of the process outside that checks")
