"""Jinja's environment as the pages use it: what is done for each value of a page is done without detours.

A board has a hundred cards, each with dozens of values. What is shown is exactly what Jinja's own environment shows.
"""

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from jinja2.compiler import CodeGenerator
from markupsafe import Markup, escape

_has_markup = re.compile("[&<>'\"]").search
_OWN_TO_DICTS = frozenset(dir(dict))  # `record.items()` is the method, also of a record with a key of this name


class _Generator(CodeGenerator):
    """Compiles `{{ value }}` to a call of `PageTemplates.shown`; should Jinja rename this hook, to its own, slower."""

    def _output_child_pre(self, node: Any, frame: Any, finalize: Any) -> None:
        if frame.eval_ctx.volatile or not frame.eval_ctx.autoescape or finalize.src is not None:
            super()._output_child_pre(node, frame, finalize)
        else:
            self.write("environment.shown(")


class PageTemplates(Environment):
    """The templates of the package; every value is escaped, and one that is missing is an error."""

    code_generator_class = _Generator

    def __init__(self) -> None:
        super().__init__(
            loader=PackageLoader("leadroutes.web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,  # it would look at the file of each template for each page
        )

    @staticmethod
    def shown(value: Any) -> str:
        """Returns a value as markup. Most have nothing to escape, and need not become a Markup of their own."""
        kind = type(value)
        if kind is Markup or (kind is str and not _has_markup(value)):
            text: str = value
            return text
        return str(value) if kind is int else escape(value)

    def getattr(self, obj: Any, attribute: str) -> Any:
        """Returns `obj.attribute`; of a dict its value, without asking for an attribute that is not there first."""
        if type(obj) is dict and attribute not in _OWN_TO_DICTS:
            try:
                return obj[attribute]
            except KeyError:
                return self.undefined(obj=obj, name=attribute)
        return super().getattr(obj, attribute)
