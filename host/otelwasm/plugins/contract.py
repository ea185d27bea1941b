"""
Name what the runtime knows of the contract by heart: its worlds, and its functions of integers.
"""

from otelwasm.plugins._generated import exporter, processor, receiver
from otelwasm.plugins.world import IntegerFunction

__all__ = ["CONTRACT", "DIRECT", "DIRECT_HOST", "INTEGERS", "SOURCES"]

CONTRACT = (processor.WORLD, exporter.WORLD, receiver.WORLD)
DIRECT = "otelwasm:plugin/direct@0.1.0"
DIRECT_HOST = "otelwasm:plugin/direct-host@0.1.0"
SOURCES = "otelwasm:plugin/sources@0.1.0"
# What plugins may import of integers only; `Instance` has the functions, in this order.
INTEGERS = (IntegerFunction(DIRECT_HOST, "call"), IntegerFunction(DIRECT_HOST, "answer"))
