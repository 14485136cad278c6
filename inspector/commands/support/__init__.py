"""The parts that subcommands share: sessions, consent, printing, the window, started programs."""
