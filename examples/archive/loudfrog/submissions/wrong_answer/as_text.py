def largest(values):
    return max(values, key=str)
