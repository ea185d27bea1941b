"""
An account admits memory up to its limit, and says what it refused.
"""

import os
import tempfile

import pytest

from otelwasm.plugins.memory import Account, Image, Region

PAGE = 1 << 16


def a_region(account: Account, pages: int = 1) -> Region:
    """
    A region of some pages in a reservation of sixteen.
    """
    assert account.admits(pages * PAGE)
    return Region(account, pages * PAGE, reserved_bytes=16 * PAGE, guard_bytes=PAGE)


def test_an_account_admits_up_to_its_limit() -> None:
    """
    The last byte within the limit is admitted, the next is refused and noted.
    """
    account = Account(100)

    assert account.admits(60)
    assert account.admits(40)
    assert not account.admits(1)
    assert (100, 101) == (account.used_bytes, account.refused_bytes)


def test_a_region_begins_empty_and_grows() -> None:
    """
    A region's view is exactly its bytes, before and after growth, and keeps them.
    """
    account = Account(1 << 20)
    region = a_region(account)
    region.view[:3] = b"abc"

    assert region.grow(3 * PAGE) is None
    assert 3 * PAGE == len(region.view) == region.size_bytes == account.used_bytes
    assert b"abc\0" == bytes(region.view[:4])
    region.view[3 * PAGE - 1] = 7

    assert 7 == region.view[-1]


def test_growth_beyond_the_account_is_refused() -> None:
    """
    A region does not grow beyond what its account has, and stays as it was.
    """
    region = a_region(Account(2 * PAGE))

    assert f"{3 * PAGE} bytes asked, limit {2 * PAGE}" == region.grow(3 * PAGE)
    assert PAGE == region.size_bytes


def test_growth_beyond_the_reservation_is_refused() -> None:
    """
    A region does not grow out of its address space, whatever the account has.
    """
    region = a_region(Account(1 << 30))

    assert f"a memory of {17 * PAGE} bytes: {16 * PAGE} are reserved" == region.grow(17 * PAGE)
    assert PAGE == region.size_bytes


def an_image(content: bytes, *, offset: int) -> Image:
    """
    An image of *content* in a file that has no name any more.
    """
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.flush()
        return Image(os.dup(file.fileno()), offset=offset, size_bytes=len(content))


def test_regions_of_one_image_are_their_own() -> None:
    """
    A region that an image backs has its bytes, zeros elsewhere, and keeps its writes to itself.
    """
    account = Account(1 << 30)
    one, two = a_region(account, 3), a_region(account, 2)
    image = an_image(b"same" * (PAGE // 4), offset=PAGE)
    for region in (one, two):
        image.back(region)
        assert bytes(PAGE) == region.view[:PAGE]
        assert b"same" * (PAGE // 4) == region.view[PAGE : 2 * PAGE]
    assert bytes(PAGE) == one.view[2 * PAGE :]

    one.view[PAGE : PAGE + 4] = b"mine"

    assert b"same" == bytes(two.view[PAGE : PAGE + 4])


@pytest.mark.parametrize(("offset", "pages"), ((PAGE, 2), (2 * PAGE, 1), (0, 3), (17, 1)))
def test_an_image_stays_within_its_region(offset: int, pages: int) -> None:
    """
    What would reach beyond a region, or lie across pages, is refused.
    """
    region = a_region(Account(1 << 30), 2)

    with pytest.raises(ValueError, match=f"at {offset} in {2 * PAGE}"):
        an_image(b"x" * pages * PAGE, offset=offset).back(region)

    assert bytes(2 * PAGE) == region.view


def test_a_region_after_backing_can_grow() -> None:
    """
    A backed region grows as any other.
    """
    region = a_region(Account(1 << 30))
    an_image(b"same" * (PAGE // 4), offset=0).back(region)

    assert region.grow(2 * PAGE) is None
    assert b"same\0" == bytes(region.view[PAGE - 4 : PAGE + 1])


@pytest.mark.parametrize("pages", (0, 16))
def test_regions_may_be_empty_or_full(pages: int) -> None:
    """
    A memory of no bytes, and one that fills its reservation, are fine.
    """
    assert pages * PAGE == a_region(Account(1 << 30), pages).size_bytes
