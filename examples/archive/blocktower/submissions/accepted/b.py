def largest(values):
    return sorted(values)[-1]
