"""What a language model may do beside answering: ask for people, and leave files with the step.

Law: neither is an effect. Who asks for people ends its work with a reason; a file is kept by its digest, under a name
that leads nowhere. Models with tools do it by tools, others in what goes with their answer (`prompt.enveloped`).
"""

from typing import Any

from pydantic_ai import Tool

from activities.runtimes import prompt
from activities.toolbox import ReadingTools


class Beside:
    """One attempt's."""

    def __init__(self, tools: ReadingTools) -> None:
        self._tools = tools

    def tools(self) -> list[Tool[None]]:
        """Return the tools for it."""
        if self._tools.answers_only:
            return []
        leave: Tool[None] = Tool.from_schema(self._leave, prompt.LEAVE_FILE, prompt.LEAVING, prompt.FILE)
        return [Tool(prompt.escalate), *([leave] if self._tools.keeps() else [])]

    async def left(self, files: Any) -> tuple[str, ...]:
        """Leave files; return what is wrong with the first that cannot be left."""
        try:
            for one in files:
                await self._tools.artifact(one["name"], one["media_type"], one["text"])
        except (ValueError, TypeError, KeyError, AttributeError) as wrong:
            return (f"a file cannot be left: {wrong}",)
        return ()

    async def _leave(self, **file: Any) -> Any:
        wrong = await self.left([file])
        return {"failed": wrong[0]} if wrong else {"left": file["name"]}
