"""
Change, drop or gather batches between receivers and exporters; one module per kind.
"""

__all__: list[str] = []
