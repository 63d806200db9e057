a, b = input().split()
print(min(a, b))
