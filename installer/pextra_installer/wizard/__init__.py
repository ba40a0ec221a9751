"""The wizard, by Textual: screens that show the pages, and nothing of what they mean."""
