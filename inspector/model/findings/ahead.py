"""Limits ahead: the resources that the target will run out of, and the time left."""

from __future__ import annotations

from dataclasses import dataclass

from inspector.model.findings.finding import Facts, Finding, Verdict
from inspector.model.findings.groups import span
from inspector.model.findings.trend import Trend
from inspector.model.limits import Limit

NEVER = float("inf")


@dataclass(frozen=True, slots=True)
class LimitsAhead:
    """Looks at resources that are nearly used up, or will be soon at the observed rate."""

    key: str = "limit-ahead"
    title: str = "Limits ahead"
    about: str = (
        "A limited supply is nearly used up: file descriptors of the process, or rows of the "
        "tool's own table, which then no longer"
        " shows new handles (they go on working). Find their holders, or raise the limit"
    )
    high_share: float = 0.85
    soon_secs: float = 3600.0
    soon_share: float = 0.2
    """Below that much in use a rate says little: nothing is told."""
    min_span_secs: float = 4.0

    def check(self, facts: Facts) -> list[Finding]:
        """One finding a limit that is near."""
        limits = facts.snapshot.limits
        if not limits:
            return [
                Finding(
                    self.key, Verdict.UNMEASURED, ("How much there is and may be was not recorded")
                )
            ]
        found = [each for limit in limits if (each := self._of(facts.trend, limit)) is not None]
        if found:
            return found
        nearest = max(limits, key=lambda each: each.share)
        text = f"Nothing is nearly used up; the nearest limit: {nearest.text()}"
        return [Finding(self.key, Verdict.OK, text)]

    def _of(self, trend: Trend, limit: Limit) -> Finding | None:
        left_secs, per_sec = self._time_left(trend, limit)
        is_soon = left_secs <= self.soon_secs and limit.share >= self.soon_share
        if limit.share < self.high_share and not is_soon:
            return None
        when = f", used up in {span(left_secs)} at this rate" if left_secs != NEVER else ""
        rate = (
            f"{per_sec:+,.1f} each second over {span(trend.span_secs)}"
            if trend.span_secs >= self.min_span_secs
            else "Too young for a rate"
        )
        return Finding(
            self.key,
            Verdict.SUSPECT,
            f"{limit.text()}{when}",
            subject=limit.name,
            evidence=(f"{limit.share:.0%} used", rate),
            filter="state:live" if limit.name == "handles" else "",
        )

    def _time_left(self, trend: Trend, limit: Limit) -> tuple[float, float]:
        """Seconds until it is used up, and how many more are used each second."""
        points = [
            (each.at, other.used)
            for each in trend.observations
            for other in each.limits
            if other.name == limit.name
        ]
        if len(points) < 2 or points[-1][0] - points[0][0] < self.min_span_secs:
            return NEVER, 0.0
        per_sec = (points[-1][1] - points[0][1]) / (points[-1][0] - points[0][0])
        return ((limit.capacity - limit.used) / per_sec if per_sec > 0 else NEVER), per_sec
