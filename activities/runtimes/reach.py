"""How a language model is reached: by the name of a provider that the library knows, or at an address of one's own."""

from functools import lru_cache
from typing import TYPE_CHECKING

from pydantic_ai.models import infer_model
from pydantic_ai.models.openai import OpenAIChatModel
from pydantic_ai.providers.openai_compatible import OpenAICompatibleProvider

from activities.runtimes.model import Provider

if TYPE_CHECKING:
    from pydantic_ai.models import Model

NO_KEY = "none"
"""What is sent where an address asks for no key: an empty one would be looked for in the environment."""


@lru_cache(maxsize=64)
def model_of(name: str, provider: Provider) -> "Model":
    """Return a model by its name. The library's errors say what is wrong with the name, or which key is missing.

    Its connections are kept while anybody has entered it.
    """
    if provider.url and name == provider.model:
        there = OpenAICompatibleProvider("gonogo", base_url=provider.url, api_key=provider.key or NO_KEY)
        return OpenAIChatModel(name, provider=there)
    return infer_model(name)
