"""
Turn a plugin's sources into a component: `otelwasm.build.python.build`.
"""

__all__: list[str] = []
