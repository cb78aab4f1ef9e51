"""What Assay is installed with may be used with it."""

from pathlib import Path

from tests.licences import dependencies, page

LISTED = Path(__file__).parents[2] / "docs" / "licences.md"


def test_every_dependency_has_a_licence_that_a_program_of_any_licence_can_carry() -> None:
    assert [found for found in dependencies() if not found.is_compatible] == []


def test_the_page_names_every_dependency_and_its_licence() -> None:
    listed = set(LISTED.read_text("utf-8").splitlines())

    assert set(page().splitlines()) <= listed, "make docs writes the page anew"
