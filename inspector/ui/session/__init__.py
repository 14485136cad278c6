"""The window's side of a session: attachment, bridge to worker threads, actions on the target, marks, events, findings."""
