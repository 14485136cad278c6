"""A seeded mutation fuzzer for everything that comes from a file, a process or a peer.

``./dev fuzz --seconds N`` runs it long.
"""
