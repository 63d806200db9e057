"""The Dagster platform: from scraped contest problems to a train split, a trained policy and its score."""
