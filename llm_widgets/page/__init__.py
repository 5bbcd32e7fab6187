"""The page: the observable state of each tab beside the widgets that show it."""
