"""Why a request cannot be served, in words: everything is said at once, before any evidence is read."""

from collections import Counter
from collections.abc import Sequence

from shared.evaluations import Criterion
from shared.messages import PREVIOUS, CriteriaSpec, Options, ReportRequested
from shared.pricing import PriceTable
from shared.vocabulary import Kind

LARGEST_METADATA_BYTES = 16_000
LARGEST_CRITERIA_BYTES = 32_000  # they travel in every task
LONGEST_KEY = 200  # characters of an agent's id or a language


def objections(request: ReportRequested, prices: PriceTable) -> list[str]:
    """Why the request cannot be served, in words, before any evidence is read; empty if it can."""
    period = request.period
    found: list[str] = []
    if period.from_ is not None and period.to is not None and period.from_ >= period.to:
        found.append("period: `from` must be before `to`")
    if len(request.model_dump_json(include={"metadata"}).encode()) > LARGEST_METADATA_BYTES:
        found.append(f"metadata: more than {LARGEST_METADATA_BYTES} bytes")
    if len(request.model_dump_json(include={"criteria"}).encode()) > LARGEST_CRITERIA_BYTES:
        found.append(f"criteria: more than {LARGEST_CRITERIA_BYTES} bytes")
    if request.agent_ids is not None and not request.agent_ids:
        found.append("agent_ids: empty; leave it out for all agents")
    if request.languages is not None and not request.languages:
        found.append("languages: empty; leave it out for all languages")
    if request.options.cost_limit_usd is not None and prices.price_of(request.options.judge_model) is None:
        model = request.options.judge_model
        found.append(f"options: cost_limit_usd cannot be kept, as {model!r} has no price; set token_limit instead")
    return [*found, *_unavailable(request.options), *_bad_baseline(request), *_bad_criteria(request.criteria)]


def _unavailable(options: Options) -> list[str]:
    """Options of the contract that this release cannot honour are refused, not ignored."""
    asked = {
        "coverage `full`": options.coverage == "full",
    }
    return [f"options: {name} is not available in this release" for name, wanted in asked.items() if wanted]


def _bad_baseline(request: ReportRequested) -> list[str]:
    if request.options.baseline == request.report_id:
        return ["options: a report cannot be its own baseline"]
    named = request.environment_id if request.kind is Kind.AGENTS else request.app_id
    if request.options.baseline == PREVIOUS and named is None:
        needed = "environment_id" if request.kind is Kind.AGENTS else "app_id"
        return [f"options: baseline `{PREVIOUS}` needs {needed}, as it is the last report about the same"]
    return []


def _bad_criteria(spec: CriteriaSpec) -> list[str]:
    groups = {f"agents.{key}": criteria for key, criteria in spec.agents.items()}
    if spec.team is not None:
        groups["team"] = spec.team
    return [f"criteria.{name}: {trouble}" for name, group in groups.items() for trouble in _troubles(group)]


def _troubles(criteria: Sequence[Criterion]) -> list[str]:
    if not criteria:
        return ["no criteria; leave it out for the defaults"]
    names = [criterion.name.strip() for criterion in criteria]
    found = []
    if not all(names):
        found.append("a criterion has no name")
    if len(set(names)) < len(names):
        found.append("two criteria have the same name")
    if any(criterion.weight < 0 for criterion in criteria):
        found.append("a weight is negative")
    if sum(criterion.weight for criterion in criteria) <= 0:
        found.append("the weights are all zero")
    if not all(0 <= criterion.threshold <= 10 for criterion in criteria):  # noqa: PLR2004  # the scale of all scores
        found.append("a threshold is not between 0 and 10")
    return found


def bad_keys(keys: Sequence[str], what: str) -> list[str]:
    """Objections to ids that are empty, too long, or stand twice."""
    found = []
    if not all(key.strip() for key in keys):
        found.append(f"data: an empty {what}")
    if too_long := [key for key in keys if len(key) > LONGEST_KEY]:
        found.append(f"data: {what} longer than {LONGEST_KEY} characters: {too_long[0][:40]!r}…")
    if twice := [key for key, count in Counter(keys).items() if count > 1]:
        found.append(f"data: duplicate {what} {twice[0]!r}")
    return found
