"""``nbgrader collect`` from an exchange that students write into: nothing that they point to is copied.

Stock collecting copies what a link points to, with the rights of whoever collects: a notebook that is a link to the
instructor's source would arrive as a copy of it. And one folder with a strange name stops it for everybody.
"""

import os
import re
import shutil
import stat
from datetime import datetime
from pathlib import Path

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc

ACCOUNT = re.compile(r"[\w.@+-]{1,64}")
NOT_COLLECTED = "%s is not collected: %s"
TIMESTAMP = "timestamp.txt"


class CollectWithoutFollowing(ExchangeCollect):
    """nbgrader's collecting, except that it copies plain files only; a link stays one, for the intake to refuse.

    ``c.ExchangeFactory.collect`` in the class's configuration puts it into force.
    """

    def init_src(self):
        """Find the newest submission of each student, passing over folders that are not named like one."""
        super().init_src()
        self.src_records = [record for record in self.src_records if record["username"]]

    def do_copy(self, src, dest, log=None):
        """Copy what was handed in, as far as it is plain files that are not too large, and note the time."""
        for folder, folders, names in os.walk(src):
            target = Path(dest, os.path.relpath(folder, src))
            target.mkdir(parents=True, exist_ok=True)
            for name in (*folders, *names):
                if name != TIMESTAMP:
                    self._copy_entry(Path(folder, name), target / name)
        # The student's own file could be anything, and formgrader reads it.
        handed_in = self._path_to_record(src)["timestamp"]
        Path(dest, TIMESTAMP).write_text(f"{handed_in:%Y-%m-%d %H:%M:%S.%f} UTC")

    def _copy_entry(self, source: Path, target: Path) -> None:
        found = source.lstat()
        if stat.S_ISLNK(found.st_mode):
            target.symlink_to(os.readlink(source))
        elif stat.S_ISREG(found.st_mode) and found.st_size <= 1000 * self.coursedir.max_file_size:
            shutil.copyfile(source, target, follow_symlinks=False)
        elif not stat.S_ISDIR(found.st_mode):
            self.log.warning(NOT_COLLECTED, source, "it is too large, or a pipe or a device")

    def _path_to_record(self, path: str) -> dict:
        """nbgrader's record of a folder in the exchange; without a user name if it is not a student's folder."""
        name = os.path.basename(path)
        student, _, *rest = name.rsplit("+", 3)
        record = {"username": None, "filename": name, "timestamp": datetime.min}
        if not os.path.isdir(path) or os.path.islink(path) or not ACCOUNT.fullmatch(student) or not rest:
            self.log.warning(NOT_COLLECTED, repr(name), "it is no folder, or not named ACCOUNT+LAB+TIME")
            return record
        try:
            return record | {"username": student, "timestamp": parse_utc(rest[0])}
        except (ValueError, OverflowError):
            self.log.warning(NOT_COLLECTED, repr(name), f"{rest[0][:40]!r} is no time")
            return record
