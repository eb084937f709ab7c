"""Property tests have no deadline of their own: a busy machine is no finding."""

import os

from hypothesis import settings

settings.register_profile(
    "calm", settings.get_profile("side by side"), max_examples=int(os.environ.get("EXAMPLES", "100"))
)
settings.load_profile("calm")
