def reverse(text):
    return text[-2::-1]
