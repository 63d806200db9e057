s = input().strip()
print("".join(sorted(s, reverse=True)))
