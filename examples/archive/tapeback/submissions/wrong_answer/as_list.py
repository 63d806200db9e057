def reverse(text):
    return list(reversed(text))
