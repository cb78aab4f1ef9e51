"""LibreOffice, the second program that must be able to open a workbook, where it is installed."""

import shutil
import subprocess
from pathlib import Path

OFFICE = shutil.which("soffice")
SECONDS = 120


def converted(book: Path, form: str) -> Path:
    """The workbook in another format, beside it. A folder of its own keeps the settings of whoever is logged in out."""
    subprocess.run(
        [str(OFFICE), "--headless", "--convert-to", form, "--outdir", str(book.parent), str(book)],
        check=True,
        capture_output=True,
        timeout=SECONDS,
        env={"HOME": str(book.parent), "PATH": "/usr/bin:/bin"},
    )
    return book.with_suffix(f".{form}")
