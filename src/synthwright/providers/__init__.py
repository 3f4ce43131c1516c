"""Language models, one file for each kind of endpoint: names to places, loaded late."""

REGISTERED: dict[str, str] = {
    "anthropic": "synthwright.providers.anthropic:Anthropic",
    "google": "synthwright.providers.google:Google",
    "litellm": "synthwright.providers.litellm:LiteLLM",
    "local": "synthwright.providers.local:Local",
    "openai": "synthwright.providers.openai:OpenAI",
    "scripted": "synthwright.providers.scripted:Scripted",
}
"""What `synthwright list providers` shows, and where its class is: "module:Class"."""
