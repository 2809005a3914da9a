"""A store for workers that share no file system: a folder of an object store that Beam reaches (gs://, s3://)."""

import contextlib
from collections.abc import Collection
from dataclasses import dataclass

from apache_beam.io.filesystem import BeamIOError
from apache_beam.io.filesystems import FileSystems
from apache_beam.options.pipeline_options import PipelineOptions

from autograder.scale.plan import Element
from autograder.scale.store import Store


@dataclass(frozen=True)
class ObjectStore(Store):
    """A folder of an object store, where an object appears whole when it is closed.

    The environment variables and files that the store's own tools use say who one is and where it is.
    """

    url: str

    def __post_init__(self):
        FileSystems.set_options(PipelineOptions([]))

    def present(self, elements: Collection[Element]) -> list[Element]:
        """Those of the elements that have a result, by one listing."""
        (found,) = FileSystems.match([f"{self.url}/results/*.json"])
        names = {metadata.path for metadata in found.metadata_list}
        return [element for element in elements if f"{self.url}/{self._result_name(element)}" in names]

    def _result_name(self, element: Element) -> str:
        return f"results/{element.key}.json"

    def _exists(self, name: str) -> bool:
        return FileSystems.exists(f"{self.url}/{name}")

    def _read(self, name: str) -> bytes:
        if not self._exists(name):
            raise FileNotFoundError(f"{self.url}/{name}")
        with FileSystems.open(f"{self.url}/{name}") as file:
            return file.read()

    def _write(self, name: str, content: bytes) -> None:
        with FileSystems.create(f"{self.url}/{name}") as file:
            file.write(content)

    def _remove(self, name: str) -> None:
        with contextlib.suppress(BeamIOError):
            FileSystems.delete([f"{self.url}/{name}"])

    def __str__(self) -> str:
        return self.url
