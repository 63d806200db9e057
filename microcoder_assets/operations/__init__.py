"""Operating a home: backfills, what stands, what may go, what is wrong."""
