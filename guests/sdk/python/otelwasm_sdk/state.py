"""
Keep values across restarts: `state.set("cursor", b"17")`, `state.get("cursor")`.

They are this plugin's alone, and durable once `set` returns. What the host refuses is raised as
Permanent (not granted, a key that cannot be, over the quota) or Retryable (trouble with the disk).
"""

from otelwasm_sdk.host import current_host

__all__ = ["delete", "get", "set"]


def get(key: str) -> bytes | None:
    """
    Return the value kept under *key*, None if there is none.
    """
    named = _named(key)
    return current_host().state_get(named)


def set(key: str, value: bytes) -> None:
    """
    Keep *value* under *key*, in place of what was there.
    """
    if not isinstance(value, bytes):
        raise TypeError(f"the state holds bytes, not {type(value).__name__}: encode the value")
    current_host().state_set(_named(key), value)


def delete(key: str) -> None:
    """
    Forget *key*, whether it was there or not.
    """
    current_host().state_delete(_named(key))


def _named(key: str) -> str:
    if not isinstance(key, str):
        raise TypeError(f"a key of the state is a str, not {type(key).__name__}")
    # What UTF-8 cannot say is refused here.
    key.encode()
    return key
