"""A benchmark's problems asked, graded and reported: prompts, completions, extraction, both rule sets, the page."""
