"""Missions that missions start: who the child is, whose it is, how it stands, what becomes of its parent.

The law: what a parent believes of its child, and a child of its parent, is read from the server; no signal says it.
The other halves: `activities/kin.py` reads it, `workflows/interpreter/steps/mission.py` starts and waits.
"""

from typing import Literal

from contracts.base import Message
from contracts.call import Usage
from contracts.decision import Kin
from contracts.money import Payer

FIND_CHILD = "child.find"
WATCH_CHILD = "child.watch"
STOP_CHILD = "child.stop"
UNDO_CHILD = "child.undo"
WATCH_PARENT = "parent.watch"

OnParentClose = Literal["undo", "cancel", "abandon"]
UNDO, CANCEL, ABANDON = "undo", "cancel", "abandon"


class Child(Message):
    """A mission that a step started: its id, the first run of its chain, its name."""

    id: str
    run: str
    mission: str


class Parent(Message):
    """Whose child a mission is: the parent's id and first run, the step's path, and what its end means here."""

    id: str
    run: str
    path: str
    on_close: OnParentClose
    above: tuple[Kin, ...] = ()
    """The parent and its own parents, the nearest first, with whose commands count there."""
    payers: tuple[Payer, ...] = ()
    """Who pays for what is spent here, beside the mission itself: the same missions."""


class Claim(Message):
    """What a parent says of a mission that has the id of a child that it is about to start."""

    child: str
    mission: str
    parent: Parent


class Report(Message):
    """How a child ended, or that it is held. `state` is a `contracts.view.MissionState`, or how Temporal ended it."""

    state: str
    verdict: str | None = None
    reason: str = ""
    spent: Usage = Usage()
    held: bool = False
    """It completed, and keeps what it did in hand until its parent is over."""
    not_undone: tuple[str, ...] = ()
    """Steps of it whose effects stand though it came to nothing: undoing them failed, and people gave it up."""
    unsure: bool = False
    """It ended by force, or cannot be asked: nobody knows what it has undone."""


class ParentEnd(Message):
    """How a parent ended: only a completed one keeps what its children did."""

    completed: bool
    reason: str = ""
