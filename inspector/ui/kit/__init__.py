"""Parts that several panes or dialogs use.

They are theme, icons, labels, tables of records, column models and banners.
"""
