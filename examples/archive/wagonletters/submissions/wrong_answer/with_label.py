s = input().strip()
print("word:", s[::-1])
