"""Lists the licences of what Assay is installed with: `python -m tests.licences > docs/licences.md`."""

import re
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path
from typing import NamedTuple

LOCKED = Path(__file__).parents[1] / "requirements.txt"
COMPATIBLE = ("MIT", "BSD", "Apache", "ISC", "PSF", "Python Software Foundation", "MPL-2.0", "Mozilla", "Unlicense")
HEAD = """\
# Licences

Of all that the rooms are installed with (`requirements.txt`), as the packages themselves say. The embedded database
(SecantusDB, GPL-2.0) and the embedded broker (Apache-2.0) are programs of their own, started by `assay standalone` and
the tests, never imported, and not in the image.

| package | licence |
| --- | --- |
"""


class Dependency(NamedTuple):
    """A locked package and the licence it names."""

    name: str
    licence: str

    @property
    def is_compatible(self) -> bool:
        """Whether it may be part of a program of any licence."""
        return any(word in self.licence for word in COMPATIBLE)


def dependencies() -> Iterator[Dependency]:
    """Every locked package that is installed: some are for other platforms."""
    for name in re.findall(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==", LOCKED.read_text("utf-8"), re.MULTILINE):
        try:
            yield Dependency(name, _licence(name))
        except PackageNotFoundError:
            continue


def _licence(name: str) -> str:
    said = metadata(name)
    classified = [line.split(" :: ")[-1] for line in said.get_all("Classifier") or [] if line.startswith("License ::")]
    expression, text = ((said.get_all(field) or [""])[0] for field in ("License-Expression", "License"))
    return expression or "; ".join(classified) or text.split("\n")[0][:60] or "not said"


def page() -> str:
    """The page as Markdown."""
    return HEAD + "".join(f"| {name} | {licence} |\n" for name, licence in dependencies())


if __name__ == "__main__":
    sys.stdout.write(page())
