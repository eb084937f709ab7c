"""A call that is halted: it waits, is made again, and forgets nothing of what was tried before."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from contracts.halt import Halt
from contracts.record import Effect
from contracts.step import Retry
from workflows.interpreter.ending import EffectFailed, Suspended
from workflows.interpreter.halted import Halted, Waiting, unhalted
from workflows.interpreter.journal import Journal
from workflows.interpreter.ports import Effort

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
HALT = Halt(target="tool:file", by="cleo", reason="it does harm", since=NOW)


class Call:
    """A call whose attempts end in turn as the script says; a halt is lifted as often as it says."""

    def __init__(self, *script, lifted=True, path="file"):
        self.path = path
        self.script = list(script)
        self.lifted = lifted
        self.attempts = []
        self.watched = []
        self.changes = 0
        self.journal = Journal()
        self.journal.start("file", "action", "file", NOW)
        self.journal.update("file", effect=Effect(tool="file", applied="unknown", undo_status="armed"))

    async def made(self):
        waiting = Waiting(self.journal, lambda: NOW, self._changed, self._lift)
        return await unhalted(self.path, Effort(Retry(attempts=3), timedelta(minutes=1)), self._once, waiting)

    def _changed(self):
        self.changes += 1

    async def _once(self, effort):
        self.attempts.append(effort.retry.attempts)
        end = self.script.pop(0)
        if isinstance(end, Exception):
            raise end
        return end

    async def _lift(self, note):
        self.watched.append((note.path, [halt.target for halt in note.halts], note.state))
        if isinstance(self.lifted, BaseException):
            raise self.lifted
        return self.lifted

    @property
    def note(self):
        return self.journal.get("file").halted

    @property
    def effect(self):
        found = self.journal.get("file").effect
        return found.applied, found.undo_status


async def test_a_call_that_nothing_halts_is_made_once_and_leaves_no_note():
    call = Call("done")

    assert ("done", [3], None, 0) == (await call.made(), call.attempts, call.note, call.changes)


async def test_a_halted_call_is_made_again_with_all_its_attempts():
    call = Call(Halted((HALT,)), Halted((HALT,)), "done")

    assert ("done", [3, 3, 3]) == (await call.made(), call.attempts)
    assert [("file", ["tool:file"], "waiting")] * 2 == call.watched
    assert ("over", NOW, ("unknown", "armed")) == (call.note.state, call.note.since, call.effect)
    assert [] == call.journal.halts()


async def test_attempts_that_were_made_before_the_halt_count():
    call = Call(Halted((HALT,), "unknown", spent=2), "done")
    await call.made()

    assert [3, 1] == call.attempts


async def test_one_attempt_is_always_left():
    call = Call(Halted((HALT,), "no", spent=9), "done")
    await call.made()

    assert [3, 1] == call.attempts


async def test_what_may_have_been_done_before_is_not_forgotten_when_nothing_is_done_afterwards():
    """An attempt timed out, the next one was halted; what comes after says truly that it did nothing itself."""
    call = Call(Halted((HALT,), "unknown", spent=1), Halted((HALT,), "no"), EffectFailed("refused", "no", applied="no"))
    with pytest.raises(EffectFailed) as failed:
        await call.made()

    assert "unknown" == failed.value.applied


async def test_a_failure_after_a_halt_that_nothing_came_before_says_what_it_says():
    call = Call(Halted((HALT,)), EffectFailed("refused", "no", applied="no"))
    with pytest.raises(EffectFailed) as failed:
        await call.made()

    assert ("no", "over") == (failed.value.applied, call.note.state)


async def test_a_hand_over_leaves_the_note_and_nothing_to_undo_and_the_next_run_goes_on_with_it():
    call = Call(Halted((HALT,)), lifted=False)
    with pytest.raises(Suspended):
        await call.made()
    between = call.effect, call.journal.halts()
    call.script, call.lifted = [Halted((HALT,)), "done"], True

    assert (("no", "none"), [("file", HALT)]) == between
    assert ("done", "over") == (await call.made(), call.note.state)


async def test_a_hand_over_forgets_nothing_of_the_attempts_before():
    call = Call(Halted((HALT,), "unknown", spent=1), lifted=False)
    with pytest.raises(Suspended):
        await call.made()
    between, call.script = call.effect, [EffectFailed("refused", "no", applied="no")]
    with pytest.raises(EffectFailed) as failed:
        await call.made()

    assert (("unknown", "armed"), "unknown", [3, 2]) == (between, failed.value.applied, call.attempts)


@pytest.mark.parametrize(("applied", "left"), [("no", ("no", "none")), ("unknown", ("unknown", "armed"))])
async def test_cancelled_while_it_is_halted_it_leaves_to_undo_what_may_have_been_done(applied, left):
    call = Call(Halted((HALT,), applied), lifted=asyncio.CancelledError())
    with pytest.raises(asyncio.CancelledError):
        await call.made()

    assert (left, "over", []) == (call.effect, call.note.state, call.journal.halts())


async def test_a_cancellation_that_the_lifting_overtook_still_keeps_it_from_beginning():
    call = Call(Halted((HALT,)), "done")

    async def cancelled():
        asyncio.current_task().cancel()
        return True

    call._lift = lambda _: cancelled()
    with pytest.raises(asyncio.CancelledError):
        await asyncio.create_task(call.made())

    assert ([3], ("no", "none")) == (call.attempts, call.effect)


async def test_attempts_of_before_several_halts_are_counted_together():
    call = Call(Halted((HALT,), "no", spent=1), Halted((HALT,), "unknown", spent=1), "done")
    await call.made()

    assert [3, 2, 1] == call.attempts


async def test_an_undoing_is_noted_with_the_step_and_takes_nothing_of_the_action_s_own_halt():
    call = Call(Halted((HALT,), "unknown", spent=2), EffectFailed("refused", "no", applied="no"))
    with pytest.raises(EffectFailed):
        await call.made()
    call.path, call.script = "file/undo", [Halted((HALT,)), "undone"]

    assert ("undone", [3, 1, 3, 3]) == (await call.made(), call.attempts)
    assert ("file/undo", ("unknown", "armed")) == (call.note.path, call.effect)


async def test_an_answer_ends_what_a_halt_was_about_for_the_next_call_at_the_path():
    call = Call(Halted((HALT,), "unknown", spent=2), "first", EffectFailed("refused", "no", applied="no"))
    await call.made()
    with pytest.raises(EffectFailed) as failed:
        await call.made()

    assert ([3, 1, 3], "no") == (call.attempts, failed.value.applied)
