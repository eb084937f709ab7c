"""Checking is bounded: whatever a file holds, it is refused within a second and 100 MB.

Each file is read by a process of its own, which says how much time of the processor and how much memory that took.
Three tries let a busy machine be busy.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from desk import HEAD

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
SECOND = 1.0
MEGABYTES = 100.0
PROGRAM = """
import json, resource, sys, time
from pathlib import Path
sys.path[:0] = [sys.argv[1], sys.argv[2]]
from desk import findings, workspace
from language.finding import Rejected
from language.loader import load_mission, load_text
from language.expression import problems

def most():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024

problems("a.b > 1", ["a"])
desk, before, began = workspace(), most(), time.process_time()
try:
    if sys.argv[4] == "file":
        load_mission(Path(sys.argv[3]), desk)
    else:
        load_text(Path(sys.argv[3]).read_text(), "m.yaml", desk)
    codes = []
except Rejected as rejected:
    codes = sorted({finding.code for finding in rejected.findings})
print(json.dumps([codes, time.process_time() - began, most() - before]))
"""

STEP = "- {step: s%d, agent: architect, task: T}\n"
UNKNOWN = "- {step: s%d, condition: {if: alert.x, then: nowhere_%d}}\n"
CALLS = "- {step: s%d, condition: {if: alert.x, then: s%d, else: s%d}}\n"
BOMB = ", ".join(
    f"d{n}: {{type: object, properties: {{a: {{$ref: '#/$defs/d{n + 1}'}}, b: {{$ref: '#/$defs/d{n + 1}'}}}}}}"
    for n in range(100)
)
REFUSED = {
    "10 MB": ("#" * 10_000_000, "YAML_SIZE"),
    "10 MB of one text": ("mission: '" + "x" * 10_000_000 + "'", "YAML_SIZE"),
    "100,000 steps": ("steps:\n" + "".join(STEP % n for n in range(100_000)), "YAML_SIZE"),
    "as many steps as a file can hold": ("steps: [" + "{}," * 45_000 + "]" + HEAD, "TOO_MANY_STEPS"),
    "5,500 whole steps": ("steps:\n" + "".join(STEP % n for n in range(5_500)) + HEAD, "TOO_MANY_STEPS"),
    "lists 2,000 deep": ("steps: " + "[" * 2_000 + "]" * 2_000, "YAML_DEPTH"),
    "maps 2,000 deep": ("{a: " * 2_000 + "1" + "}" * 2_000, "YAML_DEPTH"),
    "blocks 2,000 deep": ("".join(" " * n + "a:\n" for n in range(700)), "YAML_DEPTH"),
    "an expression 2,000 deep": (
        "steps: [{step: a, condition: {if: '" + "(" * 1_000 + "alert" + ")" * 990 + "', then: abort}}]" + HEAD,
        "EXPRESSION",
    ),
    "500 names that nothing has": ("steps:\n" + "".join(UNKNOWN % (n, n) for n in range(500)) + HEAD, "UNKNOWN_STEP"),
    "steps that call each other in every way": (
        "steps:\n" + "".join(CALLS % (n, (n + 1) % 400, (n + 2) % 400) for n in range(400)) + HEAD,
        "CYCLE",
    ),
    "a schema whose every field doubles": (
        "steps: [{step: a, condition: {if: 'draft.x"
        + ".a" * 25
        + " == 3', then: abort}}]"
        + HEAD.replace("type: object\n  req", f"type: object\n  $defs: {{{BOMB}, d100: {{}}}}\n  req").replace(
            "alert: {type: object}",
            "alert: {type: object}\n    draft: {type: object, properties: {x: {$ref: '#/$defs/d0'}}}",
        ),
        "MAYBE_UNSET",
    ),
}


@pytest.mark.parametrize("way", ["file", "text"])
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_too_much_is_refused_within_a_second_and_100_megabytes(tmp_path: Path, name: str, way: str):
    text, code = REFUSED[name]
    path = tmp_path / "mission.yaml"
    path.write_text(text)
    tries = []
    for _ in range(3):
        tries.append(measured(path, way))
        if tries[-1][1] < SECOND:
            break

    codes, took, needed = min(tries, key=lambda one: one[1])

    assert code in codes
    assert took < SECOND
    assert needed < MEGABYTES


def measured(path: Path, way: str) -> tuple[list[str], float, float]:
    """Return the codes found, the seconds that took, and the megabytes more than before."""
    command = [sys.executable, "-c", PROGRAM, str(HERE), str(ROOT), str(path), way]
    codes, took, needed = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return codes, took, needed
