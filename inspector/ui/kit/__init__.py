"""Parts that several panes or dialogs use: theme, icons, labels, tables of records, column models, banners."""
