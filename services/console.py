"""The `assay` command: a room as a process, everything on one machine, or a client of the gateway."""

import asyncio
import importlib
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, TypeVar

import typer

from services.client import checking, dead, loading, orders
from services.client.gateway import Action, Format, Gateway, GatewayError, connected
from services.client.orders import Inputs, NotEstimatedError
from services.client.progress import FAILED, WRONG_USAGE, exit_code, stderr, summary
from services.client.rows import InputError
from services.client.watching import fetched, watched
from services.standalone import app as standalone_app
from services.standalone import running
from services.standalone.app import PortTakenError, Wanted
from services.standalone.data_directory import DirectoryInUseError
from services.standalone.embedded import NotInstalledError
from services.standalone.supervisor import ProgramFailedError
from shared import settings as environment
from shared.letters import AddressError, LetterError
from shared.messages import ReportStatus
from shared.settings import SettingsError
from shared.store import StoreUnavailableError

Result = TypeVar("Result")

Evaluators = Annotated[int, typer.Option(min=1, help="How many evaluators to start.")]
Latency = Annotated[float | None, typer.Option(min=0, help="Seconds the stand-in judge takes per answer.")]
Refuse = Annotated[str | None, typer.Option(help="Keys of parts the stand-in judge refuses, comma-separated.")]
Out = Annotated[Path | None, typer.Option(help="Where to write the workbook.")]
Input = Annotated[Path | None, typer.Option(exists=True, dir_okay=False, help="A JSON lines file.")]
Topic = Annotated[str | None, typer.Option(help="One of Assay's topics, with or without .dead.")]
Address = Annotated[str, typer.Argument(metavar="ADDRESS", help="As `list` shows it.")]
ReportId = Annotated[str, typer.Argument(metavar="ID")]


@contextmanager
def _errors_in_words() -> Iterator[None]:
    """An expected error is a message and an exit code, not a traceback."""
    try:
        yield
    except (SettingsError, InputError, NotInstalledError, PortTakenError, DirectoryInUseError, AddressError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(WRONG_USAGE) from error
    except (GatewayError, ProgramFailedError, StoreUnavailableError, LetterError, NotEstimatedError) as error:
        print(error, file=sys.stderr)
        raise typer.Exit(FAILED) from error


def standalone(
    data_dir: Annotated[Path | None, typer.Option(file_okay=False, help="Kept; a temporary one if not given.")] = None,
    port: Annotated[int | None, typer.Option(min=0, max=65535, help="Of the gateway; 8080 if not configured.")] = None,
    evaluators: Evaluators = 1,
    latency: Latency = None,
    refuse: Refuse = None,
) -> None:
    """Run everything on this machine until Ctrl-C; one JSON line says when it is ready."""
    with _errors_in_words():
        settings = environment.load()
        print(standalone_app.what_is_real(settings), file=sys.stderr)
        standalone_app.serve(Wanted(data_dir, port, evaluators, latency, refuse), settings)


def run(
    request: Annotated[Path | None, typer.Argument(exists=True, dir_okay=False, help="A request as JSON.")] = None,
    *,
    agents: Input = None,
    runs: Input = None,
    reviews: Input = None,
    out: Out = None,
    evaluators: Evaluators = 1,
    option: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A field of the request.")] = None,
    latency: Latency = None,
    refuse: Refuse = None,
    json: Annotated[bool, typer.Option("--json", help="Print the final status document on stdout.")] = False,
) -> None:
    """From input to workbook in one go: everything started, one report, everything stopped."""
    with _errors_in_words():
        order = orders.from_inputs(Inputs(request, agents, runs, reviews), option or [])
        wanted = Wanted(None, None, evaluators, latency, refuse, private=True)
        finished = running.run(wanted, environment.load(), order, out)
    if finished and json:
        print(finished.document)
    raise typer.Exit(running.code_of(finished))


def demo(
    out: Annotated[Path, typer.Option(help="Where to write the workbook.")] = Path("assay-demo.xlsx"),
    evaluators: Evaluators = 1,
    latency: Latency = running.DEMO_LATENCY_SECONDS,
) -> None:
    """Run the packaged sample, one failing part included; exits 0 if it went as intended."""
    with _errors_in_words():
        wanted = Wanted(None, None, evaluators, latency, private=True)
        code = running.demo(wanted, environment.load(), out)
    raise typer.Exit(code)


def load(
    agents: Input = None,
    runs: Input = None,
    reviews: Input = None,
    environment_id: Annotated[str | None, typer.Option(help="Of rows that do not name theirs.")] = None,
    app_id: Annotated[str | None, typer.Option(help="Of rows that do not name theirs.")] = None,
) -> None:
    """Put JSON lines into the source database; a row that is there already is replaced."""
    given = [
        (loading.AGENTS, agents, environment_id),
        (loading.RUNS, runs, environment_id),
        (loading.REVIEWS, reviews, app_id),
    ]
    with _errors_in_words():
        mongo = environment.load().mongo
        read = [(source, loading.rows_for(source, path, owner)) for source, path, owner in given if path]
        if not read:
            raise InputError("nothing to load: name --agents, --runs or --reviews")
        for source, rows in read:
            asyncio.run(loading.load(mongo, source, rows))
            print(f"{source.collection}: {len(rows)} loaded")


def request(
    file: Annotated[str, typer.Argument(metavar="FILE|-", help="A request as JSON; - reads stdin.")],
    option: Annotated[list[str] | None, typer.Option(metavar="KEY=VALUE", help="A field of the request.")] = None,
    *,
    only_estimate: Annotated[bool, typer.Option("--estimate", help="Start nothing: say what it would take.")] = False,
) -> None:
    """Ask a gateway for a report; prints its id."""
    with _errors_in_words():
        if file == "-":
            order = orders.from_text("stdin", sys.stdin.read(), option or [])
        else:
            order = orders.from_inputs(Inputs(Path(file)), option or [])
        if only_estimate:
            estimate = importlib.import_module("services.estimate")  # late: it loads three rooms
            asked = orders.requested(order, "estimate")
            print(*estimate.in_words(estimate.estimated(asked, environment.load(), datetime.now(UTC))), sep="\n")
            return
    print(_ask(lambda gateway: gateway.request(order.body)))


def watch(report_id: ReportId) -> None:
    """Follow a report to its end."""
    console = stderr()
    status = _ask(lambda gateway: watched(gateway, report_id, console))
    for line in summary(status, f"assay download {report_id}"):
        console.print(line, markup=False)
    raise typer.Exit(exit_code(status.status))


def status(
    report_id: ReportId, *, json: Annotated[bool, typer.Option("--json", help="The whole document.")] = False
) -> None:
    """Say where a report stands."""
    document = _ask(lambda gateway: gateway.document(report_id))
    if json:
        print(document)
        return
    for line in summary(ReportStatus.model_validate_json(document), f"assay download {report_id}"):
        print(line)


def download(
    report_id: ReportId,
    out: Annotated[Path | None, typer.Option(help="Where to write it.")] = None,
    form: Annotated[Format, typer.Option("--format", help="The workbook, or its results for programs.")] = Format.XLSX,
    generation: Annotated[int | None, typer.Option(min=1, help="Of a retried report; the latest if left out.")] = None,
) -> None:
    """Fetch the workbook, or the same results as JSON or CSV; prints where it was written."""
    print(_ask(lambda gateway: fetched(gateway, report_id, out, form, generation)))


def check() -> None:
    """Show the settings that hold, secrets masked, and ask broker, database and judge; exits 1 if one is wrong."""
    with _errors_in_words():
        settings = environment.load()
    for line in checking.effective(settings):
        print(line)
    if not asyncio.run(checking.check(settings, print)):
        raise typer.Exit(FAILED)


def calibrate(
    labels: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="JSON lines with a label_... column.")],
    report: Annotated[str, typer.Argument(metavar="ID|FILE", help="A finished report, or its workbook.")],
    label: Annotated[str | None, typer.Option(help="The column; label_sentiment or label_passed if not given.")] = None,
    count_as: Annotated[list[str] | None, typer.Option(metavar="WORD=WORD", help="Such as mixed=neutral.")] = None,
) -> None:
    """Compare a finished report with what people say: accuracy, Cohen's kappa, and who said what."""
    with _errors_in_words():
        calibration = importlib.import_module("services.client.calibrate")  # late: it loads what reads workbooks
        judgements = importlib.import_module("services.client.judgements")
        wanted = calibration.labels_in(labels, label)
        same = calibration.same_words(count_as or [])
        path = Path(report)
        if path.is_file():
            found = judgements.read(path)
        else:
            with TemporaryDirectory() as folder:
                file = Path(folder) / "report.xlsx"
                found = judgements.read(_ask(lambda gateway: fetched(gateway, report, file)))
        for line in calibration.told(wanted, found, same):
            print(line)


def dead_list(topic: Topic = None) -> None:
    """List dead letters, one a line: address, time, origin, size, report and error."""
    with _errors_in_words():
        count = asyncio.run(dead.list_letters(environment.load().kafka, topic, print))
    print(f"{count} dead letters" if count != 1 else "1 dead letter", file=sys.stderr)


def dead_show(
    address: Address, *, raw: Annotated[bool, typer.Option("--raw", help="The body alone, byte by byte.")] = False
) -> None:
    """Show a dead letter, made safe for a terminal."""
    with _errors_in_words():
        letter = asyncio.run(dead.find(environment.load().kafka, address))
    if raw:
        sys.stdout.buffer.write(letter.content.value or b"")
    else:
        print(dead.in_full(letter))


def dead_replay(
    address: Annotated[str | None, typer.Argument(metavar="ADDRESS", help="As `list` shows it.")] = None,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Every dead letter of --topic.")] = False,
    topic: Topic = None,
) -> None:
    """Put a dead letter's record back into its topic, or all of one topic. Doing so twice is harmless."""
    if (address is not None, everything, topic is not None) not in {(True, False, False), (False, True, True)}:
        raise typer.BadParameter("name the ADDRESS of one dead letter, or --all and a --topic")
    with _errors_in_words():
        kafka = environment.load().kafka
        asyncio.run(dead.replay_all(kafka, topic, print) if topic else dead.replay(kafka, address or "", print))


def _action(action: Action, help_text: str) -> Callable[[str], None]:
    def command(report_id: ReportId) -> None:
        _ask(lambda gateway: gateway.act(report_id, action))

    command.__doc__ = help_text
    return command


def _room(name: str) -> Callable[[], None]:
    def command() -> None:
        importlib.import_module(f"services.{name}.app").main()  # late, so that a room loads only itself

    command.__doc__ = f"Run the {name} as a process."
    return command


def _ask(what: Callable[[Gateway], Awaitable[Result]]) -> Result:
    """Ask the configured gateway."""

    async def ask() -> Result:
        client = environment.load().client
        async with connected(client.url, client.api_key.get_secret_value()) as gateway:
            return await what(gateway)

    with _errors_in_words():
        return asyncio.run(ask())


def main() -> None:
    """Run the command that the command line names."""
    app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
    for command in (standalone, run, demo, load, request, watch, status, download, calibrate, check):
        app.command()(command)
    app.command("retry")(_action("retry", "Judge a report's failed parts again."))
    app.command("cancel")(_action("cancel", "End a report; what has been judged still gets a workbook."))
    app.command("render")(_action("render", "Build a report's workbook again from what is stored."))
    letters = typer.Typer(no_args_is_help=True, help="What could not be processed: look at it, and put it back.")
    letters.command("list")(dead_list)
    letters.command("show")(dead_show)
    letters.command("replay")(dead_replay)
    app.add_typer(letters, name="dead")
    for room in ("orchestrator", "evaluator", "renderer", "gateway"):
        app.command(room)(_room(room))
    app()


if __name__ == "__main__":
    main()
