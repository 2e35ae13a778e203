"""Contacts are divided among the variants of a step as the shares say, and each stays with its own."""

from collections import Counter

import pytest

from leadroutes.domain.proportions import is_split_as_planned
from leadroutes.domain.variants import arm_of


@pytest.mark.parametrize("shares", [[1, 1], [3, 1], [1, 2, 7], [1000, 1]])
def test_contacts_are_divided_by_the_shares(shares: list[int]) -> None:
    found = Counter(arm_of(9, contact_id, shares) for contact_id in range(1, 20_001))
    assert is_split_as_planned([found[arm] for arm in range(len(shares))], shares)


def test_a_contact_has_the_same_arm_in_all_steps_of_a_campaign_and_not_in_all_campaigns() -> None:
    assert [arm_of(9, contact_id, [1, 1]) for contact_id in range(100)] == [
        arm_of(9, contact_id, [5, 5]) for contact_id in range(100)
    ]
    together = sum(arm_of(9, contact_id, [1, 1]) == arm_of(10, contact_id, [1, 1]) for contact_id in range(10_000))
    assert 4_800 < together < 5_200


def test_the_arm_of_a_contact_never_changes_with_the_version() -> None:
    assert [arm_of(9, contact_id, [1, 1]) for contact_id in range(1, 13)] == [0, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]
