"""
Say what went wrong with a pipeline's set-up, or with a batch on its way.

Our exception hierarchy:

    OtelwasmError
    ├── SetupError                 before anything runs; the command line exits with 2
    │   ├── ConfigError            a wrong key, value or reference in a configuration
    │   ├── ComponentError         a file that is no component of the contract
    │   ├── PluginStartError       the plugin's own `start` refused, or did not get through
    │   ├── BuildError             a source tree that does not become a component
    │   ├── CaseError              a plugin's test case that cannot be read
    │   └── WitError               WIT text that does not parse or does not resolve
    └── BatchError                 a batch was not taken
        ├── PermanentError         trying again cannot help
        │   └── PluginFaultError   a plugin's instance ended: trap, deadline, memory, bad result
        └── RetryableError         trying again may help, after `after_s` if given
"""

__all__ = [
    "BatchError",
    "BuildError",
    "CaseError",
    "ComponentError",
    "ConfigError",
    "OtelwasmError",
    "PermanentError",
    "PluginFaultError",
    "PluginStartError",
    "RetryableError",
    "SetupError",
    "WitError",
]

_LONGEST_WAIT_S = 86_400.0


class OtelwasmError(Exception):
    """
    The root of everything that otelwasm raises on purpose.
    """


class SetupError(OtelwasmError):
    """
    Something that a user must mend before a pipeline can start.
    """


class ConfigError(SetupError):
    """
    A configuration with a wrong key, value or reference; the message names file and line.
    """


class ComponentError(SetupError):
    """
    A file that is missing, is no component, or does not fit the contract.
    """


class PluginStartError(SetupError):
    """
    A plugin's `start` refused its configuration, trapped or did not return in time.
    """


class BuildError(SetupError):
    """
    Sources that do not become a component; the message names what is missing.
    """


class CaseError(SetupError):
    """
    A test case that is missing or cannot be read; the message names the file, and what is wrong.
    """


class WitError(SetupError):
    """
    WIT text that does not parse or resolve; the message names file, line and column.
    """


class BatchError(OtelwasmError):
    """
    A batch that was not taken: permanent or retryable, as in the contract.
    """


class PermanentError(BatchError):
    """
    Trying this batch again cannot help.
    """


class PluginFaultError(PermanentError):
    """
    A call ended its plugin's instance: *kind* is trap, deadline, memory or malformed.
    """

    def __init__(self, message: str, *, kind: str) -> None:
        super().__init__(message)
        self.kind = kind


class RetryableError(BatchError):
    """
    Trying this batch again may help; not before *after_s* seconds, if the other side said so.

    More than a day is taken for a day: it may be a mistake, and other protocols cannot say it.
    """

    def __init__(self, message: str, *, after_s: float | None = None) -> None:
        super().__init__(message)
        self.after_s = None if after_s is None else min(after_s, _LONGEST_WAIT_S)
