a, b = map(int, input().split())
print("left:", a - b)
