"""Scenes are played side by side, since most of each is waiting: for timeouts that only time brings about.

A test names its scene as a parameter and awaits it; all scenes of the tests that were chosen begin with the first.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Any

import pytest

from tests.system.ground import Grounds

AT_ONCE = 16
"""How many scenes are played at the same time: two cores have no room for more."""


@dataclass(frozen=True)
class Scene:
    """A story to be played on the grounds; what the scenes `after` which it comes led to is handed to it first."""

    play: Callable[..., Awaitable[Any]]
    arguments: tuple[Any, ...] = ()
    after: tuple["Scene", ...] = ()
    long: bool = False
    """Whether it takes so long that the others had better be played beside it than before it."""

    def __str__(self) -> str:
        return "-".join(str(argument) for argument in self.arguments) or self.play.__name__


def scenes(*chosen: Scene) -> pytest.MarkDecorator:
    """Run a test once for each scene, which it finds under the name `scene` and awaits."""
    return pytest.mark.parametrize("scene", chosen, indirect=True, ids=str)


class Theatre:
    """Plays each scene once."""

    def __init__(self, grounds: Grounds, items: Iterable[pytest.Item]) -> None:
        self._grounds = grounds
        self._places = asyncio.Semaphore(AT_ONCE)
        self._plays: dict[Scene, asyncio.Task[Any]] = {}
        # Each process of pytest-xdist collects every test and runs only some.
        if "PYTEST_XDIST_WORKER" not in os.environ:
            for scene in sorted(_chosen(items), key=lambda scene: not scene.long):
                self.play(scene)

    def play(self, scene: Scene) -> asyncio.Task[Any]:
        for earlier in scene.after:
            self.play(earlier)
        if scene not in self._plays:
            self._plays[scene] = asyncio.create_task(self._play(scene))
        return self._plays[scene]

    async def close(self) -> None:
        for play in self._plays.values():
            play.cancel()
        await asyncio.gather(*self._plays.values(), return_exceptions=True)

    async def _play(self, scene: Scene) -> Any:
        before = [await self.play(earlier) for earlier in scene.after]
        async with self._places:
            return await scene.play(self._grounds, *before, *scene.arguments)


def _chosen(items: Iterable[pytest.Item]) -> list[Scene]:
    """Return the scenes of the tests that are going to run."""
    found = (getattr(item, "callspec", None) for item in items)
    params = (callspec.params.get("scene") for callspec in found if callspec is not None)
    return [scene for scene in params if isinstance(scene, Scene)]
