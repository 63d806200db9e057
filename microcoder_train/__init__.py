"""RL fine-tuning and LiveCodeBench scoring. Runs alone: `python -m microcoder_train --help`."""
