"""What may happen in the world, by the fall of the dice: work, wishes, faults."""

from collections.abc import Callable
from random import Random

from tests.model.ending import Ending
from tests.model.rooms import Rules
from tests.model.world import CONTENTS, Hint, Strike, World

MOVES_PER_WALK = 14
IDS = ("one", "one", "two")
ROOMS = (None, None, "orchestrator", "renderer", "evaluator")
TOPICS = ("requests", "tasks", "events")
ANSWERS = ("good", "refused", "refused", "limited", "nonsense")
KEYS = ("agent/7", "agent/8", "overview/overview")
EFFECTS = {
    "orchestrator": (
        "requests.poll",
        "reports.get",
        "say ReportAccepted",
        "tasks.insert",
        "plans.store",
        "say ReportPlanned",
        "say task",
        "plans.mark_published",
    ),
    "renderer": (
        "events.poll",
        "reports.fold",
        "say status",
        "say overview",
        "events.commit",
        "renders.claim",
        "render",
        "say WorkbookRendered",
    ),
    "evaluator": (
        "tasks.poll",
        "ledger.claim",
        "judge.ask",
        "judge.answer",
        "ledger.settle",
        "say Part",
        "tasks.commit",
    ),
}
FATES = ("kill", "kill", "kill", "forsake", "leave", "stop", "repeat", "repeat", "rebalance")


Move = Callable[[World, Random], None]


def begin(world: World, dice: Random) -> None:
    """A report is new, under way, or has ended with a failure; in a few worlds topics may be lost."""
    world.may_lose = dice.randrange(3) == 0
    world.request("one", dice.choice(sorted(CONTENTS)))
    match dice.randrange(4):
        case 0:
            world.run(dice.randrange(60))
        case 1 | 2:
            world.run(answer="refused")
        case _:
            return


def work(world: World, dice: Random) -> None:
    """In any order; a room may get ahead of the others."""
    room = dice.choice(ROOMS)
    for _ in range(dice.choice((1, 4, 12, 40))):
        world.step(dice.randrange(8), room)


def all_work(world: World, dice: Random) -> None:
    """In turn, for a while or until there is nothing left."""
    world.run(dice.choice((5, 15, 40, 10_000)))


def judge(world: World, dice: Random) -> None:
    """The judge says something."""
    world.answer(dice.randrange(4), "judge.answer", dice.choice(ANSWERS))


def wait(world: World, dice: Random) -> None:
    """Time passes."""
    world.wait(dice.choice((1, 6, 25, 70)))


def request(world: World, dice: Random) -> None:
    """Somebody wants a report: a new one, the same again, or another under the same id."""
    world.request(dice.choice(IDS), dice.choice((None, *sorted(CONTENTS))))


def wish(world: World, dice: Random) -> None:
    """Somebody wants something of a report."""
    report_id = dice.choice(IDS)
    match dice.randrange(8):
        case 0 | 1:
            world.cancel(report_id)
        case 2:
            world.render(report_id)
        case 3:
            world.retry(report_id)
            world.cancel(report_id)
        case 4:
            keys = [key for key in KEYS if dice.randrange(2)]
            world.retry(report_id, [f"{report_id}/{key}" for key in keys])
        case _:
            world.retry(report_id)


def retry(world: World, dice: Random) -> None:
    """Somebody wants all that failed to be judged again."""
    world.retry(dice.choice(IDS))


def strike(world: World, dice: Random) -> None:
    """Fate strikes between two effects, often of what somebody has just asked for."""
    wished = dice.choice((_nothing, request, wish, retry, retry))
    wished(world, dice)
    rooms = [*EFFECTS] if wished is _nothing else ["orchestrator", "orchestrator", *EFFECTS]
    fates = FATES if not world.may_lose else (*FATES, *["lose"] * 4)
    chance = Hint(dice.choice(EFFECTS[dice.choice(rooms)]), dice.choice(fates))
    hint = dice.choice((world.hint, chance)) or chance
    world.strike(
        Strike(
            effect=hint.effect,
            nth=dice.choice((1, 1, 1, 2, 3)),
            fate=hint.fate,
            asleep=dice.choice((None, None, "renderer", "evaluator")),
            topic=dice.choice(("requests", "tasks", "events", "events")),
            which=dice.randrange(8),
        )
    )


def _nothing(world: World, dice: Random) -> None:
    del world, dice


def trouble(world: World, dice: Random) -> None:
    """Something happens to a topic."""
    what = dice.choice(("rebalance", "repeat", "make anew"))
    if what != "make anew" or world.may_lose:
        world.trouble(dice.choice(TOPICS), what, dice.randrange(8))


def spoil(world: World, dice: Random) -> None:
    """A rendering fails."""
    world.answer(dice.randrange(4), "render", "broken")


MOVES: dict[Move, int] = {
    work: 4,
    all_work: 2,
    judge: 2,
    wait: 2,
    request: 1,
    wish: 3,
    strike: 8,
    trouble: 2,
    spoil: 1,
}


def walk(rules: Rules, dice: Random, hint: Hint | None = None) -> World:
    """A world in which this and that has happened, and which has come to its end."""
    world = World(rules)
    try:
        begin(world, dice)
        world.hint = hint
        world.may_lose |= hint is not None and hint.fate == "lose"
        for move in dice.choices([*MOVES], [*MOVES.values()], k=MOVES_PER_WALK):
            if not world.laws.broken:
                move(world, dice)
        Ending(world).come()
    finally:
        world.close()
    return world
