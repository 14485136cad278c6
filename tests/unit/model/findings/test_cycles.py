from inspector.model.findings.cycles import NativeCycles
from inspector.model.findings.finding import Facts, Verdict
from inspector.model.findings.trend import Trend
from inspector.model.holders import Cycle, CycleNode, CycleReport, joined_reports
from tests.helpers.snapshots import Row, snapshot_of


def cycle(number: int) -> Cycle:
    request = f"app.Request at 0x7f00{number:x}"
    edge = f"attribute headers of {request}"
    nodes = (
        CycleNode("python", request, edge),
        CycleNode("native", f"rpds.HashTrieMap at 0x7f11{number:x}", "holds", number, "", 0, False),
    )
    return Cycle(nodes, edge, is_exact=False)


def report(*cycles: Cycle, is_cut: bool = False) -> CycleReport:
    return CycleReport(cycles, len(cycles), 12, is_cut)


def facts(cycles: CycleReport | None) -> Facts:
    return Facts(snapshot_of([Row(1)]), Trend(), cycles=cycles)


def test_cycles_that_are_alike_are_one_finding_that_names_the_reference_to_cut() -> None:
    (finding,) = NativeCycles().check(facts(report(*map(cycle, (4, 6, 8)))))
    assert finding.verdict is Verdict.SUSPECT
    assert finding.headline == (
        "3 cycles through rpds.HashTrieMap, which the collector does not know: "
        "cut attribute headers of app.Request"
    )
    assert finding.handles == (4, 6, 8)
    assert any(line.startswith("≈ ") for line in finding.evidence)


def test_nothing_is_called_well_that_was_not_looked_for_to_the_end() -> None:
    rule = NativeCycles()
    for cycles in (None, report(is_cut=True)):
        assert [each.verdict for each in rule.check(facts(cycles))] == [Verdict.UNMEASURED]
    assert [each.verdict for each in rule.check(facts(report()))] == [Verdict.OK]


def test_a_cycle_that_two_searches_found_is_counted_once() -> None:
    joined = joined_reports([report(cycle(4), cycle(6)), report(cycle(6), is_cut=True)])
    assert (joined.count, joined.looked_at, joined.is_cut) == (2, 24, True)
