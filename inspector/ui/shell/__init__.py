"""The window around the panes.

It has main window, workbench, toolbar, status line, start page, dialogs, tour and navigation.
"""
