"""One clean format, each problem once, none of the benchmark."""
