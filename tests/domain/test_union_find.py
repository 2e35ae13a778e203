"""Which things belong together."""

from hypothesis import given
from hypothesis import strategies as st

from leadroutes.domain.union_find import UnionFind


@given(st.lists(st.lists(st.integers(0, 20), max_size=4), max_size=15))
def test_members_belong_together_if_a_chain_of_common_members_joins_them(joined: list[list[int]]) -> None:
    groups: UnionFind[int] = UnionFind()
    for members in joined:
        groups.join(members)

    expected: list[set[int]] = []
    for members in map(set, joined):
        met = [group for group in expected if group & members]
        expected = [group for group in expected if group not in met]
        expected += [members.union(*met)] if members else []
    found: dict[int, set[int]] = {}
    for member in groups:
        found.setdefault(groups.of(member), set()).add(member)
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected))
    assert all(representative in members for representative, members in found.items())


def test_a_member_never_named_is_a_set_of_one() -> None:
    assert UnionFind[str]().of("mia") == "mia"
