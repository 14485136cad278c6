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
        "Classes of loaded extensions of which no object is in the table, so that no rule looks at"
        " them. Follow the libraries that matter to you; a library whose objects are short-lived"
        " values needs none"
    )

    def check(self, facts: Facts) -> list[Finding]:
        """One finding: the libraries, or that none is left out, or that it is unknown."""
        lead = facts.lead
        if lead is None:
            text = "Only a running agent says which classes are not followed"
            return [self._finding(Verdict.UNMEASURED, text, facts)]
        if not lead.libraries:
            text = "No loaded extension has a class that is not followed"
            verdict = Verdict.UNMEASURED if facts.hidden.refused else Verdict.OK
            first = facts.hidden.refused[0] if facts.hidden.refused else text
            return [self._finding(verdict, first, facts)]
        return [self._finding(Verdict.UNMEASURED, lead.text, facts, lead.evidence)]

    def _finding(
        self, verdict: Verdict, text: str, facts: Facts, evidence: tuple[str, ...] = ()
    ) -> Finding:
        """With the classes of which no row is shown."""
        return Finding(self.key, verdict, text, evidence=(*evidence, *facts.hidden.evidence))
