"""What a program measures stands in documents between two marks, and nothing else does."""

END = "<!-- end -->\n"


def put_between(page: str, made_by: str, made: str) -> str:
    """The page with this between the marks of the program `made_by`."""
    begin = f"<!-- made by {made_by} -->\n"
    before, _, rest = page.partition(begin)
    _, _, after = rest.partition(END)
    return before + begin + made + END + after
