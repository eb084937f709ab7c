"""That the whole was seen before it is approved: on the screen, page by page, or left out in so many words.

The law: no approval of what was cut by a single key or a bare command. Whoever decides without the rest types the
beginning of the digest, which stands beside what was shown.
"""

from collections.abc import Sequence

from rich.console import Console, RenderableType
from rich.segment import Segment

from contracts.decision import Opening
from starter import shown
from starter.beside import Told
from starter.escape import command, visible
from starter.problem import Refused
from starter.prompt import ask, key, someone_is_there

TYPED = 8
"""Characters of a digest that must be typed, its `sha256:` left out."""
LEAVING = frozenset({"q", "\x1b", "\x03", "\x04"})


async def demand_seen(gate: Opening, told: Told, unseen: str, out: Console) -> None:
    """Let pass what was shown whole. What was cut the person pages through, or says that they decide without it."""
    cut = shown.cut(gate)
    if not cut:
        return
    if unseen:
        if not is_beginning(unseen, gate.digest):
            raise Refused(f"{visible(unseen)} is not how the digest of {gate.subject.step} begins. Nothing was signed")
        return
    if not someone_is_there():
        raise Refused(_unseen(gate, cut))
    await _through(gate, told, cut, out)


def is_beginning(typed: str, digest: str) -> bool:
    """Whether somebody typed enough of a digest."""
    known = typed.removeprefix("sha256:").lower()
    return len(known) >= TYPED and digest.removeprefix("sha256:").startswith(known)


def _unseen(gate: Opening, cut: int) -> str:
    mission, step = gate.subject.mission, gate.subject.step
    read = f"read them with `{command('show', mission, step)}`"
    without = f"--unseen and the first {TYPED} characters of the digest, if you decide without the rest"
    return visible(f"{cut:,} characters of what {step} asks are not shown: {read}, then add {without}")


async def _through(gate: Opening, told: Told, cut: int, out: Console) -> None:
    """Page through it all, or take the digest's beginning for an answer."""
    words = (
        f"  {cut:,} characters are not shown. [p]age through all of it, or type the digest's first {TYPED} characters: "
    )
    while typed := (await ask(words)).lower():
        if is_beginning(typed, gate.digest):
            return
        if typed == "p" and await paged(shown.whole(gate, told), out):
            return
    raise Refused(f"{visible(gate.subject.step)} goes on waiting: nothing was signed")


async def paged(whole: RenderableType, out: Console) -> bool:
    """Show something a screen at a time; return whether all of it was."""
    lines = out.render_lines(whole, pad=False)
    height = max(out.size.height - 2, 5)
    for begin in range(0, len(lines), height):
        _print(lines[begin : begin + height], out)
        left = len(lines) - begin - height
        if left > 0 and (await key(f"  {left:,} more lines: any key for the next, q to leave ")) in LEAVING:
            return False
    return True


def _print(lines: Sequence[Sequence[Segment]], out: Console) -> None:
    for line in lines:
        out.print(*(part.text for part in line), sep="", markup=False, highlight=False, soft_wrap=True)
