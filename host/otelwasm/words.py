"""
Word what messages have in common.
"""

__all__ = ["with_article"]


def with_article(name: str) -> str:
    """
    `a processor`, `an exporter`.
    """
    return f"{'an' if name[0] in 'aeiou' else 'a'} {name}"
