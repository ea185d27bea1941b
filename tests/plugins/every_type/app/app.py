"""
A guest that passes every value on to the host's function of the same name, and returns its answer.
"""

import sys
import time

import wit_world
from wit_world import exports
from wit_world.imports import echo


def _passing(name):
    def method(self, *values):
        return getattr(echo, name)(*values)

    return method


Echo = type(
    "Echo",
    (exports.Echo,),
    {name: _passing(name) for name in dir(exports.Echo) if not name.startswith("_")},
)


class WitWorld(wit_world.WitWorld):
    """
    The functions of the world itself.
    """

    def twice(self, value):
        return wit_world.shout(value) + wit_world.shout(value)

    def four_times(self, value):
        return wit_world.double(wit_world.double(value))

    def say(self, out, err):
        print(out, flush=True)
        print(err, file=sys.stderr, flush=True)

    def doze(self, seconds):
        began = time.monotonic()
        time.sleep(seconds)
        return time.monotonic() - began
