"""What a remote agent asks while it works, and what people answered: the task there goes on with that."""

from contracts.base import Message
from contracts.usage import Usage

MOST_QUESTIONS = 10
"""Questions of one step."""


class Talk(Message):
    """A question of a task elsewhere. `task` and `context` are that side's own ids; nothing here hangs on them.

    `mark` tells the question from the next one: until that side has taken an answer in, it still shows the old one.

    `answered`: whether people have said `answer`. `number` counts the questions of one step, from 1. `spent` is what
    the step had cost until then.
    """

    task: str
    context: str = ""
    mark: str = ""
    question: str
    answer: str = ""
    answered: bool = False
    number: int = 1
    spent: Usage = Usage()
