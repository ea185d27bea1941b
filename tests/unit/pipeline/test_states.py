"""
A plugin's state is one, however many versions of the plugin have it.
"""

from pathlib import Path

import pytest

from otelwasm.errors import SetupError
from otelwasm.pipeline.states import States
from otelwasm.plugins.values import Ok


def test_two_versions_have_one_state(tmp_path: Path) -> None:
    """
    What the old version sets the new one gets; the file is let go when both have ended.
    """
    states = States(tmp_path)
    old = states.lend("processor/wasm/count", plugin="count", quota_bytes=100)
    new = states.lend("processor/wasm/count", plugin="count", quota_bytes=200)
    old.set("seen", b"1")
    old.close()
    old.close()
    with pytest.raises(SetupError, match="another program uses it"):
        States(tmp_path).lend("processor/wasm/count", plugin="count", quota_bytes=100)

    assert Ok(b"1") == new.get("seen")
    new.close()
    again = States(tmp_path).lend("processor/wasm/count", plugin="count", quota_bytes=100)
    assert Ok(b"1") == again.get("seen")
    again.close()


def test_plugins_have_states_of_their_own() -> None:
    """
    Without a folder, too, each has its own.
    """
    states = States(None)
    one = states.lend("processor/wasm/one", plugin="one", quota_bytes=100)
    two = states.lend("processor/wasm/two", plugin="two", quota_bytes=100)
    one.set("key", b"1")

    assert Ok(None) == two.get("key")
    one.close()
    two.close()
