"""Writes the sample workbooks, has LibreOffice print them, and keeps the pages that show most as pictures."""

import argparse
import asyncio
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from services.renderer.workbook import write
from tests.builders import a_report, streamed
from tests.office import OFFICE, converted
from tests.pictures.samples import Sample, samples

PICTURES = Path(__file__).parents[2] / "docs" / "pictures"
DOTS_PER_INCH = 80
SHEETS = {
    "agents": ("Summary", "Agents", "Refund desk"),
    "failures": ("Summary", "Failures"),
    "reviews": ("Summary", "Languages"),
    "right-to-left": ("Summary", "Arabic (ar)"),
}


def main() -> None:
    """Draw what is asked for, by default every sheet of the list above."""
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("--out", type=Path, default=PICTURES, help="the folder for the pictures")
    parser.add_argument("--all", action="store_true", help="every page of every workbook")
    chosen = parser.parse_args()
    missing = [name for name, path in (("libreoffice-calc", OFFICE), ("poppler-utils", _program())) if path is None]
    if missing:
        sys.exit(f"Pictures need {' and '.join(missing)}: install with `apt-get install {' '.join(missing)}`.")
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        for sample in samples():
            for picture in _draw(sample, Path(folder), chosen.out, every=chosen.all):
                print(f"{picture.name}: {picture.stat().st_size / 1000:.0f} kB")


def _program() -> str | None:
    return shutil.which("pdftoppm")


def _draw(sample: Sample, folder: Path, out: Path, *, every: bool) -> Iterator[Path]:
    book = folder / f"{sample.name}.xlsx"
    asyncio.run(write(book, sample.plan, a_report(sample.parts), sample.parts, streamed(sample.rows)))
    printed = converted(book, "pdf")
    for number, sheet in enumerate(_sheets(printed), 1):
        if every or sheet in SHEETS[sample.name]:
            name = "".join(letter if letter.isalnum() else "-" for letter in sheet.lower()).strip("-")
            picture = out / f"{sample.name}-{name}"
            _run("pdftoppm", "-png", "-r", str(DOTS_PER_INCH), "-singlefile", *_page(number), printed, picture)
            yield picture.with_suffix(".png")


def _sheets(printed: Path) -> list[str]:
    """The sheet on each page, by its footer; a sheet's further pages have none of their own."""
    pages = _run("pdftotext", "-layout", printed, "-").split("\f")[:-1]
    names = [page.rstrip().splitlines()[-1].split("  ")[0].strip() for page in pages]
    return ["" if name in names[:place] else name for place, name in enumerate(names)]


def _page(number: int) -> tuple[str, ...]:
    return "-f", str(number), "-l", str(number)


def _run(*words: str | Path) -> str:
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True).stdout


if __name__ == "__main__":
    main()
