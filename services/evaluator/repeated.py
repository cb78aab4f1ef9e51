"""Has a part judged as often as its request wants, all judgements at once, each with attempts of its own."""

from services.evaluator.claims import OutcomeOf, Permission
from services.evaluator.trials import combined, trials_of
from shared.messages import EvaluationTask, Outcome
from shared.state import Claim
from shared.together import together


def repeated(outcome_of: OutcomeOf) -> OutcomeOf:
    """The same, for tasks that are to be judged several times."""

    async def judge(task: EvaluationTask, claim: Claim) -> Outcome | Permission:
        """A judgement that was not permitted leaves the part to be judged anew, or by nobody: as if it were one."""
        count = trials_of(task)
        if count == 1:
            return await outcome_of(task, claim)
        async with together() as group:
            trials = [group.create_task(_once(outcome_of, task, claim)) for _ in range(count)]
        outcomes = []
        for trial in trials:
            outcome = trial.result()
            if isinstance(outcome, Permission):
                return outcome
            outcomes.append(outcome)
        return combined(task, outcomes)

    return judge


async def _once(outcome_of: OutcomeOf, task: EvaluationTask, claim: Claim) -> Outcome | Permission:
    return await outcome_of(task, claim)
