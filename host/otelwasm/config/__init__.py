"""
Turn a YAML file, or a mapping, into checked settings; name every mistake with its line.
"""

__all__: list[str] = []
