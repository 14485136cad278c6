"""The window around the panes: main window, workbench, toolbar, status line, start page, dialogs, tour, navigation."""
