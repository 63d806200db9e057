"""The insights of arXiv 2603.07777 rerun: grids of runs, what each is trained on, and a verdict by a stated rule."""
