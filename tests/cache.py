"""How many missions the tests' own workers keep in memory: as many as the SDK would, or as the environment says."""

import os

from worker import cache

_CACHED = os.environ.get("GONOGO_MAX_CACHED_WORKFLOWS")
CACHE = cache(int(_CACHED) if _CACHED else None)
"""Options of a worker."""
