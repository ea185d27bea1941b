"""
Another module of the plugin.
"""


def apply(name: str) -> str:
    """
    Shout.
    """
    if not name:
        raise ValueError("a span without a name")
    return name.upper()
