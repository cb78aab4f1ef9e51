"""The model finds every rule that is broken: a law breaks within so many walks, always the same ones."""

import re
from collections.abc import Mapping
from random import Random
from types import MappingProxyType
from typing import NamedTuple

import pytest

from tests.model import broken
from tests.model.moves import walk
from tests.model.rooms import Rules
from tests.model.world import Hint

MOST_WALKS = 600
AFTER_MARK, AFTER_ASKING = "plans.mark_published", "judge.ask"


class Broken(NamedTuple):
    """The law that is seen broken, the rules one of which is, and where fate has to strike for it to matter."""

    law: str
    rules: Rules = Rules()
    hint: Hint | None = None
    instead: Mapping[str, object] = MappingProxyType({})


BROKEN = {
    # the fold and what follows from it
    "an outcome counts as often as it is said": Broken("the report says|replaced", Rules(reports=broken.CountsRepeats)),
    "an outcome of another generation counts": Broken(
        "not the one that was published", Rules(renderer=broken.TakesAnyGeneration), Hint("say task", "repeat")
    ),
    "a retry opens what is completed": Broken("was opened again", Rules(reports=broken.ReopensEverything)),
    "an early end leaves parts open": Broken("with .* open", Rules(reports=broken.SweepsNothing)),
    "what changed is published, not what is": Broken(
        "does not end|was never published", Rules(renderer=broken.PublishesTransitions), Hint("reports.fold", "kill")
    ),
    "an overview is asked for once for all generations": Broken(
        "does not end|a retry left", Rules(renderer=broken.ReleasesOnce)
    ),
    "a batch is committed before it is handled": Broken("not done", Rules(batches=broken.CommitsFirst)),
    # clock and press
    "no deadline passes": Broken("does not end at all", Rules(clock=broken.NoDeadlines), Hint("say Part", "lose")),
    "nobody takes up an abandoned rendering": Broken(
        "does not end", Rules(clock=broken.ForgetsRenderings), Hint("renders.claim", "kill")
    ),
    "workbooks are built without a lease": Broken("without a lease", Rules(renders=broken.NoLease)),
    "a lease on a workbook never ends": Broken(
        "does not end", Rules(renders=broken.LeaseForEver), Hint("renders.claim", "kill")
    ),
    # the orchestrator
    "a deadline is armed when the plan is there": Broken("without a deadline", Rules(orchestrator=broken.ArmsLate)),
    "the last plan holds": Broken(
        "a second plan|the report says", Rules(plans=broken.LastPlanWins), Hint("tasks.insert", "stop")
    ),
    "a plan is marked as published before its tasks are": Broken(
        "does not end soon", Rules(orchestrator=broken.MarksFirst), Hint(AFTER_MARK, "kill")
    ),
    "a retry is marked as published before its tasks are": Broken(
        "does not end", Rules(orchestrator=broken.MarksRetriesFirst), Hint(AFTER_MARK, "kill")
    ),
    "a retry judges what is completed": Broken("when it was completed", Rules(orchestrator=broken.RetriesTheCompleted)),
    "a retry reads its parts after it was announced": Broken("does not end", Rules(orchestrator=broken.ReadsPartsLate)),
    "a plan that was published counts as known": Broken(
        "does not end at all: None", Rules(orchestrator=broken.TrustsItsMark), Hint(AFTER_MARK, "lose")
    ),
    "a retry that was published counts as taken": Broken(
        "was not taken", Rules(orchestrator=broken.TrustsItsRetryMark), Hint(AFTER_MARK, "lose")
    ),
    "a cancellation misses a retry on its way": Broken("was announced", Rules(orchestrator=broken.CancelsTheKnown)),
    # the evaluator and its ledger
    "a task is acknowledged before it is judged": Broken(
        "does not end", Rules(evaluator=broken.AcknowledgesFirst), Hint(AFTER_ASKING, "kill")
    ),
    "nobody claims": Broken("was paid for", Rules(books=broken.NoClaims)),
    "a claim never lapses": Broken("does not end", Rules(books=broken.ClaimsForEver), Hint(AFTER_ASKING, "kill")),
    "a claim that holds is taken over": Broken(
        "taken over while it held", instead={"services.evaluator.ledger.seconds_left": lambda *_: None}
    ),
    "the last outcome holds": Broken(
        "two outcomes of", Rules(books=broken.LastOutcomeWins), Hint(AFTER_ASKING, "stop")
    ),
    "a claim ignores what is done": Broken("was paid for", Rules(ledger=broken.IgnoresWhatIsDone)),
    "a claim ignores that its report has ended": Broken("report had ended", Rules(ledger=broken.NeverLooks)),
    "a claim ignores that its report has reached its limit": Broken(
        "had reached its limit", Rules(reports=broken.SpendsOn)
    ),
    "the second to judge publishes its own outcome": Broken(
        "not what is stored", Rules(ledger=broken.PublishesItsOwn), Hint(AFTER_ASKING, "stop")
    ),
    "outcomes are not stored": Broken("not what is stored", Rules(ledger=broken.StoresNothing)),
    # offsets
    "offsets ignore the era": Broken("not done", Rules(offsets=broken.NoEras)),
    "the highest offset is committed": Broken("not done", Rules(offsets=broken.CommitsTheHighest)),
    "what was adopted fills the window": Broken(
        "does not end|was not taken", Rules(offsets=broken.FillsItsWindow), Hint("plans.store", "rebalance")
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_the_model_finds_that(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    law, rules, hint, instead = BROKEN[name]
    for target, variant in instead.items():
        monkeypatch.setattr(target, variant)
    walks = ("; ".join(walk(rules, Random(seed), hint).laws.broken) for seed in range(MOST_WALKS))
    assert any(re.search(law, found) for found in walks)
