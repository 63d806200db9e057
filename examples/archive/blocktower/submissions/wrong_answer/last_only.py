def largest(values):
    return values[-1]
