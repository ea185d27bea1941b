"""
What makes a plugin a component; runs only in Wasm, where `wit_world` is.
"""

__all__: list[str] = []
