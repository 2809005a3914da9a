"""Where the workers of a pipeline find submissions and leave results: a place that all of them see.

A result is stored under its key, whole or not at all, so that storing it twice stores the same thing: an engine that
runs an element at least once has the effect of having run it once.
"""

import contextlib
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from autograder.records.result_store import is_of, result_path
from autograder.result import Result, Status
from autograder.scale.plan import Element
from course.errors import CourseError
from course.storage import write_atomic


class Store(ABC):
    """A place for submissions and results; what it is made of reads and writes whole files by name."""

    def offer(self, content: bytes) -> None:
        """Have the bytes of a submission where workers find them."""
        name = _submission_name(hashlib.sha256(content).hexdigest())
        if not self._exists(name):
            self._write(name, content)

    def submission(self, element: Element) -> bytes:
        """The bytes of a submission.

        Raises:
            CourseError: this machine does not see them.
        """
        try:
            return self._read(_submission_name(element.submission))
        except FileNotFoundError as error:
            raise CourseError(
                f"The submission {element.submission} was expected in {self} and is not there. "
                "Give every worker the class folder under the same path, or name a --store that all of them reach."
            ) from error

    def put(self, element: Element, result: Result) -> None:
        """Store the result of an element."""
        self._write(self._result_name(element), result.model_dump_json(indent=2).encode() + b"\n")

    def result(self, element: Element) -> Result | None:
        """The result of an element, None if there is none that can be relied on."""
        with contextlib.suppress(FileNotFoundError, ValueError):
            result = Result.model_validate_json(self._read(self._result_name(element)))
            return result if is_of(result, element.lab, element.student, element.key) else None
        return None

    def verdict(self, element: Element) -> Result | None:
        """The result, if it is one that stays: a failure of the grading itself does not."""
        result = self.result(element)
        return result if result and result.status is not Status.INFRASTRUCTURE else None

    def forget(self, element: Element) -> None:
        """Remove the result of an element."""
        self._remove(self._result_name(element))

    @abstractmethod
    def present(self, elements: Collection[Element]) -> list[Element]:
        """Those of the elements that have a result."""

    @abstractmethod
    def _result_name(self, element: Element) -> str: ...

    @abstractmethod
    def _exists(self, name: str) -> bool: ...

    @abstractmethod
    def _read(self, name: str) -> bytes: ...

    @abstractmethod
    def _write(self, name: str, content: bytes) -> None: ...

    @abstractmethod
    def _remove(self, name: str) -> None: ...


def open_store(place: str) -> Store:
    """The store at ``place``: a class folder, or the URL of a folder in an object store."""
    if "://" not in place:
        return SharedFolder(Path(place))
    from autograder.scale.object_store import ObjectStore

    return ObjectStore(place.rstrip("/"))


@dataclass(frozen=True)
class SharedFolder(Store):
    """A class folder on a file system that every worker has under the same path."""

    root: Path

    def present(self, elements: Collection[Element]) -> list[Element]:
        """Those of the elements that have a result."""
        return [element for element in elements if self._exists(self._result_name(element))]

    def _result_name(self, element: Element) -> str:
        return str(result_path(self.root, element.lab, element.student, element.key).relative_to(self.root))

    def _exists(self, name: str) -> bool:
        return (self.root / name).exists()

    def _read(self, name: str) -> bytes:
        return (self.root / name).read_bytes()

    def _write(self, name: str, content: bytes) -> None:
        write_atomic(self.root / name, content)

    def _remove(self, name: str) -> None:
        (self.root / name).unlink(missing_ok=True)

    def __str__(self) -> str:
        return str(self.root)


def _submission_name(digest: str) -> str:
    return f"results/submissions/{digest}.ipynb"
