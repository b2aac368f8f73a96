"""Which data a command works on: that of the running stack, else of the environment."""

from adspark.settings import Settings
from deployments.stack_settings import sandbox_settings
from deployments.stack_state import running_stack


def current_settings(settings: Settings) -> Settings:
    """`settings`, but for a stack that runs on the sandbox: its data, its key and its address."""
    stack = running_stack(settings)
    if stack is None or stack.home == settings.home:
        return settings
    return sandbox_settings(settings, stack.home.name)
