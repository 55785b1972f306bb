"""What all forms of the settings have in common: what was typed stays, and what is wrong is said at its field."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from api.http.problems import Problem
from api.panel.desk import Desk

WHOLE = ""  # the field of what is wrong with no field in particular


@dataclass(slots=True)
class Form:
    """The fields of a form as they were typed, and what is wrong with them."""

    values: Mapping[str, Any]
    wrong: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:
        """Return what was typed, or nothing."""
        return self.values.get(name, "")

    @property
    def status(self) -> int:
        """Return the status of the page that shows it."""
        return 422 if self.wrong else 200


def refused(desk: Desk, values: Mapping[str, Any], problem: Problem) -> Form:
    """Return a form with what the API refused of it. Raises what is no matter of the form."""
    if problem.status not in (409, 412, 422, 429):
        raise problem
    details = {_field(error): error["detail"] for error in problem.errors}
    wrong = {field: desk.gettext(detail) for field, detail in details.items()}
    return Form(values, wrong or {WHOLE: desk.gettext(str(problem))})


def _field(error: Mapping[str, str]) -> str:
    return error.get("pointer", "").strip("/").partition("/")[0]
