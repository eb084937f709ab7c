"""The part of the ports that is there for operators, where there are none: in a rehearsal."""

from datetime import datetime

from contracts.child import Child
from workflows.interpreter.ports import Touched


class Unsteered:
    """No operator says anything, and no walk is ever stopped for one."""

    def later(self, seconds: float) -> datetime:
        raise AssertionError(seconds)

    def holds(self, path: str, generation: int) -> bool:
        del path, generation
        return False

    def override(self, touched: Touched) -> None:
        raise AssertionError(touched)

    async def reported(self, touched: Touched) -> None:
        raise AssertionError(touched)

    def interrupt(self, path: str, generation: int, cause: str) -> bool:
        raise AssertionError(path, generation, cause)

    def stop(self) -> None:
        raise AssertionError

    def tell_child(self, child: Child, token: str) -> None:
        raise AssertionError(child, token)
