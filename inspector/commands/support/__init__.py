"""What subcommands share: opening sessions, consent, printing, the window, started programs."""
