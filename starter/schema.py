"""`gonogo schema`: the JSON Schema of mission.yaml, for editors. It is made by `language/mission_schema.py`."""

import sys

from starter.problem import DONE


def schema() -> int:
    """Print the JSON Schema with which an editor completes and checks."""
    from language.mission_schema import as_text

    sys.stdout.write(as_text())
    return DONE
