"""Classes of a process that are not followed.

The rule reports them and says how to follow them.
"""

from __future__ import annotations

from dataclasses import dataclass

from inspector.model.findings.finding import Facts, Finding, Verdict


@dataclass(frozen=True, slots=True)
class NotFollowed:
    """Reports the classes that the other rules do not look at.

    Accuses nothing: the objects may be well.
    """

    key: str = "not-followed"
    title: str = "Not followed"
    about: str = (
        "Classes of loaded Rust libraries of which no object is in the table, so that no rule "
        "looks at them. Declare the classes that"
        " matter to you; a library whose objects are short-lived values needs none"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """One finding: the libraries, or that none is left out, or that it is unknown."""
        lead = facts.lead
        if lead is None:
            return [
                Finding(
                    self.key,
                    Verdict.UNMEASURED,
                    ("Only a running agent says which classes are not followed"),
                )
            ]
        if not lead.count:
            return [
                Finding(
                    self.key,
                    Verdict.OK,
                    ("No loaded Rust library that PyO3 made has a class that is not followed"),
                )
            ]
        return [Finding(self.key, Verdict.UNMEASURED, lead.headline, evidence=lead.evidence)]
