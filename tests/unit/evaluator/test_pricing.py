"""What judging costs, and what it means that a cost is unknown."""

from datetime import date

import pytest
from pydantic import ValidationError

from services.evaluator.pricing import Bill
from shared.evaluations import Usage
from shared.pricing import PriceTable, packaged_prices, read_prices

TABLE = read_prices("""
version = "2026-11-01"
[models."gpt-4o"]
input = 2.50
cached = 1.25
output = 10.00
[models."gpt-4o-2024-05-13"]
input = 5.00
cached = 5.00
output = 15.00
""")


def cost(model: str | None, input_tokens: int = 0, output_tokens: int = 0, cached_tokens: int = 0) -> float | None:
    counted = Usage(model=model, input_tokens=input_tokens, output_tokens=output_tokens, cached_tokens=cached_tokens)
    return TABLE.cost_usd(counted)


def test_a_million_tokens_cost_what_the_table_says() -> None:
    assert cost("gpt-4o", 1_000_000) == 2.5
    assert cost("gpt-4o", 0, 1_000_000) == 10
    assert cost("gpt-4o", 1_000_000, 1_000_000) == 12.5


def test_cached_tokens_are_part_of_the_input_and_cost_less() -> None:
    assert cost("gpt-4o", 1_000_000, 0, 400_000) == pytest.approx(0.6 * 2.5 + 0.4 * 1.25)


def test_more_cached_than_read_never_makes_a_cost_negative() -> None:
    assert cost("gpt-4o", 10, 0, 1_000_000) == 1.25


def test_reasoning_tokens_are_part_of_the_output_and_cost_nothing_beside_it() -> None:
    thought = Usage(model="gpt-4o", output_tokens=1_000_000, reasoning_tokens=900_000)
    assert TABLE.cost_usd(thought) == 10


def test_a_dated_model_costs_what_its_name_costs_unless_the_date_is_in_the_table() -> None:
    assert cost("gpt-4o-2024-08-06", 1_000_000) == 2.5
    assert cost("gpt-4o-2024-05-13", 1_000_000) == 5


@pytest.mark.parametrize("model", [None, "", "llama-4", "gpt-4o-mini", "gpt-4o-2024", "my-gpt-4o", "gpt-4o-2024-08-0"])
def test_a_model_that_is_not_in_the_table_has_no_price_rather_than_none_to_pay(model: str | None) -> None:
    assert cost(model, 1_000) is None


def test_the_packaged_table_says_its_edition_and_prices_the_default_judge() -> None:
    table = packaged_prices()
    assert date.fromisoformat(table.version) <= date(2026, 12, 31)
    assert table.source.startswith("https://")
    assert table.cost_usd(Usage(model="gpt-4o-mini", input_tokens=1_000_000)) == 0.15
    for price in table.models.values():
        assert 0 < price.cached <= price.input < price.output


def test_a_table_without_an_edition_cannot_be_read() -> None:
    with pytest.raises(ValidationError):
        read_prices("[models]")
    assert read_prices('version = "1"\n[models]') == PriceTable(version="1", models={})


def call(cost_usd: float | None, tokens: int = 10) -> Usage:
    return Usage(
        model="m", input_tokens=tokens, output_tokens=7, cached_tokens=2, reasoning_tokens=3, cost_usd=cost_usd
    )


def test_a_bill_adds_up_all_calls() -> None:
    bill = Bill().plus(call(0.5)).plus(call(0.25, 30))
    assert bill.calls == 2
    assert bill.usage == Usage(
        model="m", input_tokens=40, output_tokens=14, cached_tokens=4, reasoning_tokens=6, cost_usd=0.75
    )


@pytest.mark.parametrize("costs", [(None, 0.5), (0.5, None), (0.5, None, 0.5)])
def test_one_call_without_a_price_makes_the_whole_bill_unknown(costs: tuple[float | None, ...]) -> None:
    bill = Bill()
    for item in costs:
        bill = bill.plus(call(item))
    assert bill.usage.cost_usd is None
    assert bill.usage.input_tokens == 10 * len(costs)


def test_a_bill_without_calls_has_no_cost() -> None:
    assert Bill().usage == Usage()
