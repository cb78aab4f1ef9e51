"""What was not the same when a report and its baseline were judged: of a part, and of the whole."""

from collections.abc import Iterator, Sequence

from services.renderer.layout.results import READING, Results, positive_share
from shared.evaluations import Criterion, Part
from shared.messages import Period
from shared.state import Baseline
from shared.vocabulary import Role


def differences(then: Part, now: Part) -> Iterator[str]:
    """By which rules two judgements of a part differ. Ratings are counted, whoever judges."""
    if now.role is Role.LANGUAGE:
        old, new = positive_share(then), positive_share(now)
        if old.of and new.of and old.source != new.source:
            yield f"positive by {old.source} then, by {new.source} now"
        if READING not in {old.source, new.source}:
            return
    yield from _criteria(then.criteria, now.criteria)
    if then.judge is None or now.judge is None:
        return
    if then.judge.model != now.judge.model:
        yield f"judge {then.judge.model} then, {now.judge.model} now"
    if then.judge.prompt_version != now.judge.prompt_version:
        yield f"prompt version {then.judge.prompt_version} then, {now.judge.prompt_version} now"


def _criteria(then: Sequence[Criterion], now: Sequence[Criterion]) -> Iterator[str]:
    old, new = {rule.name: rule for rule in then}, {rule.name: rule for rule in now}
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield f"criterion {name} only then"
        elif name not in old:
            yield f"criterion {name} only now"
        elif old[name] != new[name]:
            yield f"criterion {name} {_what_changed(old[name], new[name])}"


def _what_changed(old: Criterion, new: Criterion) -> str:
    changes = [f"weight {old.weight:g} → {new.weight:g}"] if old.weight != new.weight else []
    changes += [f"threshold {old.threshold:g} → {new.threshold:g}"] if old.threshold != new.threshold else []
    changes += ["described otherwise"] if old.description != new.description else []
    return ", ".join(changes)


def flags(results: Results, baseline: Baseline) -> Iterator[str]:
    """What is not the same for the two reports as a whole."""
    plan = results.plan
    asked = {
        "Subject": (baseline.subject, plan.subject),
        "Judge model": (baseline.judge_model, plan.options.judge_model),
        "Prompt version": (baseline.prompt_version, plan.prompt_version),
        "Goal": (baseline.goal or "none", plan.criteria.goal or "none"),
    }
    if results.is_agents:
        asked["Runs per agent"] = (str(baseline.runs_per_agent), str(plan.runs_per_agent))
        asked["Runs of model"] = (baseline.run_model or "any", plan.run_model or "any")
    for what, (old, new) in asked.items():
        if old != new:
            yield f"{what} differs: {old} then, {new} now"
    if _overlap(baseline.period, plan.period):
        rows = "runs" if results.is_agents else "reviews"
        yield f"The periods overlap: {rows} that count in both make every change look smaller than it is"


def _overlap(one: Period, other: Period) -> bool:
    def ends_before(first: Period, second: Period) -> bool:
        return first.to is not None and second.from_ is not None and first.to <= second.from_

    return not ends_before(one, other) and not ends_before(other, one)
