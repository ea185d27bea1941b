"""
Profiles share their attributes in one table; a change reaches those that it is meant for.
"""

import re

from opentelemetry.proto.collector.profiles.v1development.profiles_service_pb2 import (
    ExportProfilesServiceRequest,
)

from otelwasm_sdk import Profiles, hashed


def two_profiles() -> Profiles:
    """
    Two profiles with the same attribute of the table; the first has a sample with it, too.
    """
    request = ExportProfilesServiceRequest()
    dictionary = request.dictionary
    dictionary.string_table.extend(["", "enduser.id", "ada", "service.name", "shop"])
    dictionary.link_table.add()
    dictionary.attribute_table.add()
    entry = dictionary.attribute_table.add(key_strindex=1)
    entry.value.string_value_strindex = 2
    group = request.resource_profiles.add()
    pair = group.resource.attributes.add(key_strindex=3)
    pair.value.string_value_strindex = 4
    scope = group.scope_profiles.add()
    scope.profiles.add(profile_id=b"\1" * 16, attribute_indices=[1]).samples.add(
        attribute_indices=[1]
    )
    scope.profiles.add(profile_id=b"\2" * 16, attribute_indices=[1], duration_nano=500_000_000)
    return Profiles(request.SerializeToString())


def attributes(batch: Profiles) -> list[dict[str, object]]:
    """
    Each profile's attributes, as read from the batch's bytes.
    """
    return [dict(each.attributes) for each in Profiles(bytes(batch)).profiles()]


def test_indices_are_followed() -> None:
    """
    Attributes are read through both tables, those of resources, too.
    """
    batch = two_profiles()

    assert [{"enduser.id": "ada"}] * 2 == attributes(batch)
    assert {"service.name": "shop"} == batch.resources()[0].attributes
    assert [b"\1" * 16, b"\2" * 16] == [each.profile_id for each in batch.profiles()]
    [sample] = batch.profiles()[0].samples
    assert {"enduser.id": "ada"} == sample.attributes


def test_a_change_of_one_leaves_the_other() -> None:
    """
    A profile that changes an attribute gets its own; the other keeps the shared one.
    """
    batch = two_profiles()
    first = batch.profiles()[0]
    first.attributes["enduser.id"] = "grace"
    first.attributes["new"] = [1]

    assert [{"enduser.id": "grace", "new": [1]}, {"enduser.id": "ada"}] == attributes(batch)


def test_deleting_leaves_nothing_in_the_tables() -> None:
    """
    What nothing refers to any more is emptied, so that it is not sent on after all.
    """
    batch = two_profiles()

    assert 3 == batch.delete_attribute("enduser.id")
    assert [{}, {}] == attributes(batch)
    assert b"ada" not in bytes(batch)
    assert {"service.name": "shop"} == Profiles(bytes(batch)).resources()[0].attributes


def test_hashing_keeps_sharing() -> None:
    """
    A shared attribute is hashed once, for all that share it.
    """
    batch = two_profiles()

    assert 3 == batch.hash_attributes("enduser.id")
    assert [{"enduser.id": hashed("ada")}] * 2 == attributes(batch)
    assert 1 == bytes(batch).count(hashed("ada").encode())
    assert b"ada" not in bytes(batch)


def test_set_attribute_reaches_each_profile() -> None:
    """
    Every profile gets the attribute.
    """
    batch = two_profiles()
    batch.set_attribute("env", "test")

    assert [{"enduser.id": "ada", "env": "test"}] * 2 == attributes(batch)


def test_all_attributes_are_those_of_samples_too() -> None:
    """
    Resources, scopes, profiles and samples show their attributes, each on its own.
    """
    shared = {"enduser.id": "ada"}

    assert [{"service.name": "shop"}, {}, shared, shared, shared] == [
        dict(each) for each in two_profiles().all_attributes()
    ]


def test_dropping_every_profile_leaves_nothing() -> None:
    """
    Tables that nobody refers to any more are not sent on.
    """
    batch = two_profiles()

    assert 2 == batch.drop(lambda profile: True)
    assert b"" == bytes(batch)


def test_parts_carry_the_tables() -> None:
    """
    Each part that profiles are split into can follow its indices.
    """
    parts = two_profiles().split(lambda profile: profile.profile_id)

    assert [[{"enduser.id": "ada"}]] * 2 == [attributes(part) for part in parts.values()]


def test_operations_on_what_is_shared() -> None:
    """
    Attributes are set, renamed and mapped for those alone that are meant.
    """
    batch = two_profiles()

    assert 1 == batch.rename_attribute("enduser.id", "user.id", on="samples")
    assert 2 == batch.map_attribute("enduser.id", str.upper, on="profiles")
    assert 1 == batch.set_attribute("service.name", "mail", on="resources")
    assert 0 == batch.set_attribute("enduser.id", "new", mode="insert")
    again = Profiles(bytes(batch))

    assert [{"enduser.id": "ADA"}] * 2 == attributes(batch)
    assert {"user.id": "ada"} == again.profiles()[0].samples[0].attributes
    assert {"service.name": "mail"} == again.resources()[0].attributes
    assert ["ADA", "ADA"] == again.values("attributes.enduser.id")
    assert 2 == len(again.having("enduser.id"))


def test_conditions_on_what_is_shared() -> None:
    """
    Profiles go by their attributes, in C's words, and by their own fields.
    """
    first, both, none = two_profiles(), two_profiles(), two_profiles()

    assert 1 == first.drop({"attributes.enduser.id": re.compile("a.a"), "duration_nano": 0})
    assert [b"\2" * 16] == Profiles(bytes(first)).values("profile_id")
    assert 2 == both.drop({"attributes.enduser.id": ...})
    assert 0 == none.drop({"attributes.enduser.id": "grace"})
    assert 2 == none.keep({"attributes.other": ...})


def test_reading_changes_nothing() -> None:
    """
    A batch whose attributes were read goes on as the very object that came.
    """
    payload = bytes(two_profiles())
    batch = Profiles(payload)

    assert [{"enduser.id": "ada"}] * 2 == [dict(each.attributes) for each in batch.profiles()]
    assert payload is bytes(batch)


def test_indices_that_lead_nowhere_are_harmless() -> None:
    """
    An index beyond its table reads as nothing.
    """
    request = ExportProfilesServiceRequest()
    scope = request.resource_profiles.add().scope_profiles.add()
    scope.profiles.add(attribute_indices=[7, -1])
    request.dictionary.attribute_table.add(key_strindex=9)
    batch = Profiles(request.SerializeToString())

    assert {"": None} == batch.profiles()[0].attributes
    assert 1 == batch.set_attribute("k", 1)
    assert 1 == Profiles(bytes(batch)).profiles()[0].attributes["k"]
