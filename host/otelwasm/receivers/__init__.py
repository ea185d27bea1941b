"""
Take telemetry from its senders: one module for each built-in receiver.
"""

__all__: list[str] = []
