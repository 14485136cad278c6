"""Findings: what deserves a look, each the verdict of a small rule with its evidence.

One file a rule, or a few of a kind. A rule looks at ``Facts`` (the newest snapshot, what was observed since the viewer looks, the events)
and answers with findings; it never guesses: what is not measured is said to be so. Pure; any thread.
"""
