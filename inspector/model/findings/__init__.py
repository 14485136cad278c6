"""Findings: the verdicts of small rules, each with its evidence.

One file a rule, or a few of a kind. A rule looks at ``Facts`` (the newest snapshot, observations
since the viewer looks, the events) and answers with findings; it never guesses: an unmeasured fact
is reported as such. Pure; any thread.
"""
