"""The knowledge base: runbooks and policies, searched with SQLite's full-text index."""

import json
import re
from typing import Annotated, Any

from mcp.server.mcpserver import MCPServer
from pydantic import Field

from demo.store import Store

WORD = re.compile(r"\w+")
MOST_WORDS = 40


def register(server: MCPServer[Any], store: Store) -> None:
    """Offer `search_knowledge`."""

    @server.tool()
    def search_knowledge(query: str, limit: Annotated[int, Field(ge=1, le=20)] = 5) -> dict[str, Any]:
        """Return the documents that fit the query's words best, best first."""
        words = match_any(query)
        if not words:
            return {"documents": []}
        with store.read() as db:
            rows = db.execute(
                "SELECT body, bm25(documents, 4.0, 1.0, 8.0) AS rank FROM documents WHERE documents MATCH ?"
                " ORDER BY rank, rowid LIMIT ?",
                (words, limit),
            ).fetchall()
        return {"documents": [{**json.loads(row["body"]), "relevance": round(-row["rank"], 3)} for row in rows]}


def match_any(query: str) -> str:
    """Return a full-text query for any of the words, each quoted, so that none is read as an operator."""
    words = list(dict.fromkeys(word.lower() for word in WORD.findall(query)))[:MOST_WORDS]
    return " OR ".join(f'"{word}"' for word in words)
